package store

import (
	"context"
	"database/sql"

	"github.com/peanuts-router/peanuts-router/engine"
)

const (
	markOwn  = `UPDATE events SET own = 1, crc = crc + 1 - own WHERE seq = ?`
	putAlert = `INSERT INTO alerts (event, action, about, at, crc) VALUES (?1, ?2, ?3, ?4, crc32c(?1, ?2, ?3) + ?4)
		ON CONFLICT (event, action) DO UPDATE SET about = excluded.about, at = excluded.at, crc = excluded.crc`
	selectAlerts = `SELECT event, action, about, at, ` + alertIsSound + ` FROM alerts ORDER BY event, action`
)

// raised notes that an event is the router's own, and what is to be remembered of it, in the transaction that accepts it.
func (tx *transaction) raised(event int64, alert *engine.Alert) error {
	if _, err := tx.exec(markOwn, event); err != nil {
		return err
	}
	if alert.Told > 0 {
		if _, err := tx.exec(tellDeaths, alert.Told, string(alert.Action)); err != nil {
			return err
		}
	}
	_, err := tx.exec(putAlert, alert.Event, string(alert.Action), alert.About, alert.At.UnixMilli())
	return err
}

// Alerts are the newest of the router's own events of each name and action; they are remembered for longer than the events.
func (s *Store) Alerts(ctx context.Context) ([]engine.Alert, error) {
	var alerts []engine.Alert
	err := s.query(ctx, "reading the alerts", selectAlerts, nil, func(rows *sql.Rows) error {
		var alert engine.Alert
		var at int64
		var sound bool
		err := rows.Scan(&alert.Event, (*string)(&alert.Action), &alert.About, &at, &sound)
		if err == nil && !sound {
			err = damaged("what is remembered of the event " + alert.Event)
		}
		alert.At = fromMillis(at)
		alerts = append(alerts, alert)
		return err
	})
	return alerts, err
}
