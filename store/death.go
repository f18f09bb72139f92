package store

import (
	"context"
	"database/sql"

	"github.com/peanuts-router/peanuts-router/engine"
)

// Every death is counted by its action in the transaction that it happens in, however it happens: at the end of a plan, when
// a message cannot be rendered, or after three lost leases. So none is left untold that was not told, and a crash tells none
// twice. What the router's own events owe is left out: a dead alert raises no other.

const (
	countDeaths = `INSERT INTO deaths (action, died, newest, crc)
		SELECT d.action, count(*), max(d.seq), crc32c(d.action) + count(*) + max(d.seq) FROM deliveries d JOIN events e ON e.seq = d.event WHERE NOT e.own AND `
	intoDeaths = ` GROUP BY d.action ON CONFLICT (action) DO UPDATE SET died = died + excluded.died, newest = excluded.newest,
		crc = crc + excluded.died + excluded.newest - newest`

	diedAlone     = countDeaths + `d.seq = ?` + intoDeaths
	diesOfExpired = countDeaths + `d.state = 'sending' AND d.lease_until < ? AND d.lost >= ?` + intoDeaths

	selectUntold = `SELECT x.action, x.died - x.told, coalesce(e.id, ''), coalesce(d.n, 0), coalesce(d.rule, ''), coalesce(d.attempts, 0),
			coalesce(d.last_status, ''), coalesce(d.last_error, ''), ` + deathsAreSound + ` AND (d.seq IS NULL OR ` + deliveryIsSound + ` AND ` + toldIsSound + `)
		FROM deaths x LEFT JOIN deliveries d ON d.seq = x.newest LEFT JOIN events e ON e.seq = d.event
		WHERE x.died > x.told ORDER BY x.action`
	tellDeaths = `UPDATE deaths SET told = min(died, told + ?1), crc = crc + min(died, told + ?1) - told WHERE action = ?2`

	deadByAction = `SELECT action, count(*) FROM deliveries INDEXED BY deliveries_dead_by_action WHERE state = 'dead' GROUP BY action`
)

// Untold are the dead letters that no EventDeadLetter has told yet, by their actions. Newest is without an id when that
// delivery is gone from the record.
func (s *Store) Untold(ctx context.Context) ([]engine.Untold, error) {
	var untold []engine.Untold
	err := s.query(ctx, "looking for dead letters", selectUntold, nil, func(rows *sql.Rows) error {
		var u engine.Untold
		var n int
		var sound bool
		d := &u.Newest
		err := rows.Scan((*string)(&u.Action), &u.Count, (*string)(&d.Event), &n, (*string)(&d.Rule), &d.Attempts, &d.LastStatus, &d.LastError, &sound)
		if err == nil && !sound {
			err = damaged("what is counted of the dead letters of action " + string(u.Action))
		}
		if n > 0 {
			d.ID, d.Action = engine.NewDeliveryID(d.Event, n), u.Action
		}
		untold = append(untold, u)
		return err
	})
	return untold, err
}

// DeadLetters are how many deliveries of each action are dead now.
func (s *Store) DeadLetters(ctx context.Context) (map[engine.ActionName]int, error) {
	dead := map[engine.ActionName]int{}
	err := s.query(ctx, "counting dead letters", deadByAction, nil, func(rows *sql.Rows) error {
		var action engine.ActionName
		var n int
		err := rows.Scan((*string)(&action), &n)
		dead[action] = n
		return err
	})
	return dead, err
}

const (
	overtold  = `SELECT action FROM deaths WHERE told > died`
	misplaced = `SELECT id FROM events WHERE own AND name NOT LIKE 'router.%'`
)

// deaths holds what was told of dead letters against what there was to tell, and the router's own events against their
// names.
func (a *audit) deaths() error {
	return a.hold([]promise{
		{"no more dead letters were told than there were", overtold},
		{"what the router raised itself bears a name of its own", misplaced},
	})
}
