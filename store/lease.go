package store

import (
	"context"
	"database/sql"
	"fmt"
	"math"
	"time"

	"github.com/peanuts-router/peanuts-router/engine"
	"github.com/peanuts-router/peanuts-router/internal/fault"
)

const (
	anyDue = `SELECT EXISTS (SELECT 1 FROM deliveries INDEXED BY deliveries_due WHERE state = 'pending' AND turn <> 1 AND action = ? AND next_at <= ?)`

	// What follows an entry waits while another one of its rule, step and entry is being sent; a suspect, while another
	// suspect is.
	selectDue = `SELECT d.seq, e.id, d.n, d.rule, d.action, d.kind, d.message, d.generation, d.attempts, d.plan_from,
			d.created_at, d.next_at, e.received_at, e.body, e.own, d.entry IS NOT NULL, d.line IS NOT NULL, d.turn, d.lost >= ?1,
			coalesce(` + isOutdated + `, 0), ` + deliveryIsSound + `, ` + eventIsSound + ` AND ` + bodyIsSound + `
		FROM deliveries d INDEXED BY deliveries_due JOIN events e ON e.seq = d.event LEFT JOIN entries n ON n.id = d.entry
		WHERE d.state = 'pending' AND d.turn <> 1 AND d.action = ?2 AND d.next_at <= ?3
			AND (d.lost < ?1 OR NOT EXISTS (SELECT 1 FROM deliveries o WHERE o.state = 'sending' AND o.lost >= ?1))
			AND (d.entry IS NULL OR NOT EXISTS (SELECT 1 FROM deliveries o
				WHERE o.entry = d.entry AND o.rule = d.rule AND o.step = d.step AND o.state = 'sending'))
		ORDER BY d.next_at, d.seq LIMIT ?4`
	cancelOne = `UPDATE deliveries SET state = 'cancelled', turn = 0, ` + toldOtherwise + ` WHERE seq = ?2 RETURNING event, rule, seq, line IS NOT NULL`

	takeLease = `UPDATE deliveries SET state = 'sending', turn = 0, generation = generation + 1, crc = crc + 1, lease_until = ? WHERE seq = ?`

	// waitingActions are the actions with pending deliveries. A loose index scan: one step an action, however many deliveries
	// there are. Left to itself SQLite goes through all of them, by the index of their states.
	waitingActions = `WITH RECURSIVE known (action) AS (
			SELECT min(action) FROM deliveries INDEXED BY deliveries_due WHERE state = 'pending' AND turn <> 1
			UNION ALL
			SELECT (SELECT min(action) FROM deliveries INDEXED BY deliveries_due WHERE state = 'pending' AND turn <> 1 AND action > known.action)
				FROM known WHERE known.action IS NOT NULL
		)
		`
	dueActions = waitingActions + `SELECT action FROM known WHERE action IS NOT NULL
			AND EXISTS (SELECT 1 FROM deliveries d INDEXED BY deliveries_due WHERE d.state = 'pending' AND d.turn <> 1 AND d.action = known.action AND d.next_at <= ?)`

	// Those that are being sent are few: no more than the couriers have in their hands.
	anyExpired  = `SELECT EXISTS (SELECT 1 FROM deliveries WHERE state = 'sending' AND lease_until < ?)`
	buryExpired = `UPDATE deliveries SET state = 'dead', lease_until = NULL, lost = lost + 1, crc = crc + 1, ` + toldOtherwise + `
		WHERE state = 'sending' AND lease_until < ?2 AND lost >= ?3 RETURNING seq`
	// A reminder that was leased by a clock ahead of this one waits for its instant again.
	freeExpired = `UPDATE deliveries SET state = 'pending', lease_until = NULL, lost = lost + 1, next_at = max(?2, coalesce(at, ?2)),
			crc = crc + 1 + max(?2, coalesce(at, ?2)) - next_at, ` + toldOtherwise + `
		WHERE state = 'sending' AND lease_until < ?3`
)

// Lease gives out the right to try the oldest due deliveries of an action, n at the most, until a moment. What follows
// an entry that has moved on is cancelled instead. A suspect goes alone: no other one is leased until it is settled.
func (s *Store) Lease(ctx context.Context, action engine.ActionName, n int, now, until time.Time) ([]engine.Lease, error) {
	var due bool
	err := s.one(ctx, "leasing deliveries", anyDue, []any{string(action), now.UnixMilli()}, &due)
	if err != nil || !due || n <= 0 {
		return nil, err
	}
	var leases []engine.Lease
	err = s.writer.do(ctx, true, func(tx *transaction) (err error) {
		leases = nil
		for range leaseRounds {
			missing := n - len(leases)
			found, err := tx.due(action, missing, now, until)
			if err != nil {
				return err
			}
			if leases, err = tx.lease(leases, found, until); err != nil || len(found) < missing || len(leases) == n {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("leasing deliveries: %w", err)
	}
	return leases, nil
}

// leaseRounds is how often it is looked for more in the place of what turned out not to be sent now.
const leaseRounds = 16

// lease gives out the leases of what is due, but for what is cancelled, has to wait in its line, or is a suspect beside
// another.
func (tx *transaction) lease(leases []engine.Lease, found []dueDelivery, until time.Time) ([]engine.Lease, error) {
	suspected := false
	for _, one := range found {
		waits, err := one.Suspect && suspected, error(nil)
		switch {
		case one.outdated:
			waits, err = true, tx.cancel(cancelOne, movedOn, one.seq)
		case one.turn == notJoined && !waits:
			waits, err = tx.joins(one.seq)
		}
		if err == nil && !waits {
			suspected = suspected || one.Suspect
			leases = append(leases, one.Lease)
			_, err = tx.exec(takeLease, tx.millis(until), one.seq)
		}
		if err != nil {
			return nil, err
		}
	}
	fault.Reach(fault.Leasing)
	return leases, nil
}

// dueDelivery is a delivery that is due, as it would be leased.
type dueDelivery struct {
	engine.Lease
	seq      int64
	turn     turn
	outdated bool // its entry has moved on
}

func (tx *transaction) due(action engine.ActionName, n int, now, until time.Time) (found []dueDelivery, err error) {
	err = tx.rows(selectDue, []any{lostLimit - 1, string(action), tx.millis(now), n}, func(rows *sql.Rows) error {
		one, err := scanDue(rows, until)
		found = append(found, one)
		return err
	})
	return found, err
}

func scanDue(rows *sql.Rows, until time.Time) (d dueDelivery, err error) {
	var n int
	var created, next, received int64
	var message string
	var sound, eventSound bool
	l := &d.Lease
	err = rows.Scan(&d.seq, (*string)(&l.Event), &n, (*string)(&l.Rule), (*string)(&l.Action), (*string)(&l.Kind), &message,
		&l.Generation, &l.Attempts, &l.PlanFrom, &created, &next, &received, &l.Body, &l.Own, &l.Follows, &l.Ordered, &d.turn, &l.Suspect, &d.outdated, &sound, &eventSound)
	l.Row = d.seq
	l.ID, l.State, l.Message = engine.NewDeliveryID(l.Event, n), engine.Sending, []byte(message)
	l.CreatedAt, l.NextAt, l.ReceivedAt = fromMillis(created), fromMillis(next), fromMillis(received)
	l.Generation++
	l.Until = until
	switch {
	case err != nil:
	case !sound:
		err = damagedDelivery(l.ID)
	case !eventSound:
		err = damagedEvent(l.Event)
	}
	return d, err
}

func fromMillis(ms int64) time.Time { return time.UnixMilli(ms).UTC() }

// Due names the actions that have pending deliveries due by now.
func (s *Store) Due(ctx context.Context, now time.Time) ([]engine.ActionName, error) {
	var actions []engine.ActionName
	err := s.query(ctx, "looking for due deliveries", dueActions, []any{now.UnixMilli()}, func(rows *sql.Rows) error {
		var action engine.ActionName
		err := rows.Scan((*string)(&action))
		actions = append(actions, action)
		return err
	})
	return actions, err
}

// lostLimit is how many leases in a row may end without a result. Whatever keeps taking the router down must not do so
// for ever (F42). A crash loses what else was leased as well: so what one more would bury is a suspect, and is tried while
// no other suspect is.
const lostLimit = 3

const (
	lostOnce  = "the router ended before it recorded what came of the last attempt"
	lostOften = "took the router down: 3 attempts in a row ended without a result"
)

// ReleaseExpired takes back leases that have run out, and tells how many. Their deliveries are pending again, due now;
// one that lost three leases in a row is dead.
func (s *Store) ReleaseExpired(ctx context.Context, now time.Time) (int, error) {
	var expired bool
	err := s.one(ctx, "taking over expired leases", anyExpired, []any{now.UnixMilli()}, &expired)
	if err != nil || !expired {
		return 0, err
	}
	return s.freeLeases(ctx, now, false)
}

// freeLeases takes back the leases that have run out, or all.
func (s *Store) freeLeases(ctx context.Context, now time.Time, all bool) (int, error) {
	if fault.Planted(fault.LeaseForever) {
		return 0, nil
	}
	var buried, freed int64
	err := s.writer.do(ctx, true, func(tx *transaction) (err error) {
		due := tx.millis(now)
		before := due
		if all {
			before = math.MaxInt64
		}
		if _, err = tx.exec(diesOfExpired, before, lostLimit-1); err != nil {
			return err
		}
		if buried, err = tx.gone(buryExpired, lostOften, before, lostLimit-1); err != nil {
			return err
		}
		tx.moves.come(engine.Dead, buried)
		freed, err = tx.exec(freeExpired, lostOnce, due, before)
		fault.Reach(fault.FreeingLeases)
		return err
	})
	return int(buried + freed), wrap("taking over leases", err)
}
