package store

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"github.com/peanuts-router/peanuts-router/engine"
)

const (
	anyDue = `SELECT EXISTS (SELECT 1 FROM deliveries WHERE state = 'pending' AND action = ? AND next_at <= ?)`

	selectDue = `SELECT d.seq, e.id, d.n, d.rule, d.action, d.kind, d.message, d.generation, d.attempts, d.plan_from,
			d.created_at, d.next_at, e.received_at, e.body
		FROM deliveries d JOIN events e ON e.seq = d.event
		WHERE d.state = 'pending' AND d.action = ? AND d.next_at <= ? ORDER BY d.next_at, d.seq LIMIT ?`

	takeLease = `UPDATE deliveries SET state = 'sending', generation = generation + 1, lease_until = ? WHERE seq = ?`

	// A loose index scan: one step an action, however many deliveries are pending.
	dueActions = `WITH RECURSIVE known (action) AS (
			SELECT min(action) FROM deliveries WHERE state = 'pending'
			UNION ALL
			SELECT (SELECT min(action) FROM deliveries WHERE state = 'pending' AND action > known.action) FROM known WHERE known.action IS NOT NULL
		)
		SELECT action FROM known WHERE action IS NOT NULL
			AND EXISTS (SELECT 1 FROM deliveries d WHERE d.state = 'pending' AND d.action = known.action AND d.next_at <= ?)`

	freeExpired = `UPDATE deliveries SET state = 'pending', lease_until = NULL, next_at = ? WHERE state = 'sending' AND lease_until < ?`
	freeAll     = `UPDATE deliveries SET state = 'pending', lease_until = NULL, next_at = ? WHERE state = 'sending'`

	putPause    = `INSERT INTO pauses (action, until) VALUES (?, ?) ON CONFLICT (action) DO UPDATE SET until = max(until, excluded.until)`
	forgetPause = `DELETE FROM pauses WHERE until <= ?`
)

// Lease gives out the right to try the oldest due deliveries of an action, n at the most, until a moment.
func (s *Store) Lease(ctx context.Context, action engine.ActionName, n int, now, until time.Time) ([]engine.Lease, error) {
	var due bool
	if err := s.reading.QueryRowContext(ctx, anyDue, string(action), now.UnixMilli()).Scan(&due); err != nil || !due {
		return nil, sorted("leasing deliveries", err)
	}
	var leases []engine.Lease
	err := s.writer.do(ctx, true, func(tx *transaction) error {
		leases = nil
		var seqs []int64
		err := tx.rows(selectDue, []any{string(action), now.UnixMilli(), n}, func(rows *sql.Rows) error {
			lease, seq, err := scanLease(rows, until)
			leases, seqs = append(leases, lease), append(seqs, seq)
			return err
		})
		for _, seq := range seqs {
			if err == nil {
				_, err = tx.exec(takeLease, until.UnixMilli(), seq)
			}
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("leasing deliveries: %w", err)
	}
	return leases, nil
}

func scanLease(rows *sql.Rows, until time.Time) (l engine.Lease, seq int64, err error) {
	var n int
	var created, next, received int64
	var message string
	err = rows.Scan(&seq, (*string)(&l.Event), &n, (*string)(&l.Rule), (*string)(&l.Action), (*string)(&l.Kind), &message,
		&l.Generation, &l.Attempts, &l.PlanFrom, &created, &next, &received, &l.Body)
	l.ID, l.State, l.Message = engine.NewDeliveryID(l.Event, n), engine.Sending, []byte(message)
	l.CreatedAt, l.NextAt, l.ReceivedAt = fromMillis(created), fromMillis(next), fromMillis(received)
	l.Generation++
	l.Until = until
	return l, seq, err
}

func fromMillis(ms int64) time.Time { return time.UnixMilli(ms).UTC() }

// Due names the actions that have pending deliveries due by now.
func (s *Store) Due(ctx context.Context, now time.Time) ([]engine.ActionName, error) {
	rows, err := s.reading.QueryContext(ctx, dueActions, now.UnixMilli())
	if err != nil {
		return nil, sorted("looking for due deliveries", err)
	}
	defer rows.Close()
	var actions []engine.ActionName
	for rows.Next() {
		var action string
		if err := rows.Scan(&action); err != nil {
			return nil, sorted("looking for due deliveries", err)
		}
		actions = append(actions, engine.ActionName(action))
	}
	return actions, sorted("looking for due deliveries", rows.Err())
}

// ReleaseExpired makes deliveries whose lease has run out pending again, due now, and tells how many.
func (s *Store) ReleaseExpired(ctx context.Context, now time.Time) (int, error) {
	var expired bool
	err := s.reading.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM deliveries WHERE state = 'sending' AND lease_until < ?)`, now.UnixMilli()).Scan(&expired)
	if err != nil || !expired {
		return 0, sorted("taking over expired leases", err)
	}
	return s.freeLeases(ctx, now, now)
}

// freeLeases makes deliveries pending again whose lease ran out before a moment; the zero moment frees all.
func (s *Store) freeLeases(ctx context.Context, now, before time.Time) (int, error) {
	var freed int64
	err := s.writer.do(ctx, true, func(tx *transaction) (err error) {
		if before.IsZero() {
			freed, err = tx.exec(freeAll, now.UnixMilli())
		} else {
			freed, err = tx.exec(freeExpired, now.UnixMilli(), before.UnixMilli())
		}
		return err
	})
	return int(freed), wrap("taking over leases", err)
}

// Pause notes that an action's target asked to be left alone until a moment (C12). A pause is never shortened.
func (s *Store) Pause(ctx context.Context, action engine.ActionName, until time.Time) error {
	return wrap("pausing an action", s.writer.do(ctx, true, func(tx *transaction) error {
		if _, err := tx.exec(forgetPause, s.now().UnixMilli()); err != nil {
			return err
		}
		_, err := tx.exec(putPause, string(action), until.UnixMilli())
		return err
	}))
}

// Pauses are the pauses that were noted and have not ended by now.
func (s *Store) Pauses(ctx context.Context) (map[engine.ActionName]time.Time, error) {
	rows, err := s.reading.QueryContext(ctx, `SELECT action, until FROM pauses WHERE until > ?`, s.now().UnixMilli())
	if err != nil {
		return nil, sorted("reading pauses", err)
	}
	defer rows.Close()
	pauses := map[engine.ActionName]time.Time{}
	for rows.Next() {
		var action string
		var until int64
		if err := rows.Scan(&action, &until); err != nil {
			return nil, sorted("reading pauses", err)
		}
		pauses[engine.ActionName(action)] = fromMillis(until)
	}
	return pauses, sorted("reading pauses", rows.Err())
}
