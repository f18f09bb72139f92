package store

import (
	"context"
	"database/sql"
	"time"

	"github.com/peanuts-router/peanuts-router/engine"
)

const (
	// A hold is never shortened, but lifted.
	putHold = `INSERT INTO holds (action, reason, until, crc) VALUES (?1, ?2, ?3, crc32c(?1, ?2) - ?3)
		ON CONFLICT (action, reason) DO UPDATE SET until = excluded.until, crc = excluded.crc WHERE excluded.until > until`
	liftHold    = `DELETE FROM holds WHERE action = ? AND reason = ?`
	forgetHolds = `DELETE FROM holds WHERE until <= ?`
	selectHolds = `SELECT action, reason, until, ` + holdIsSound + ` FROM holds WHERE until > ? ORDER BY action, reason`

	// untilLifted is the end of a hold that has none.
	untilLifted = 1<<63 - 1
)

// HoldAction notes why an action is left alone (C12). It is never shortened.
func (s *Store) HoldAction(ctx context.Context, hold engine.Hold) error {
	return wrap("holding an action", s.writer.do(ctx, true, func(tx *transaction) error {
		if _, err := tx.exec(forgetHolds, s.now().UnixMilli()); err != nil {
			return err
		}
		until := int64(untilLifted)
		if !hold.Until.IsZero() {
			until = tx.millis(hold.Until)
		}
		_, err := tx.exec(putHold, string(hold.Action), string(hold.Reason), until)
		return err
	}))
}

// LiftHold notes that an action is not left alone any more for a reason.
func (s *Store) LiftHold(ctx context.Context, action engine.ActionName, reason engine.Held) error {
	return wrap("lifting a hold", s.writer.do(ctx, true, func(tx *transaction) error {
		_, err := tx.exec(liftHold, string(action), string(reason))
		return err
	}))
}

// Holds are what was noted and has not ended by now.
func (s *Store) Holds(ctx context.Context) ([]engine.Hold, error) {
	holds := []engine.Hold{}
	err := s.query(ctx, "reading what holds actions", selectHolds, []any{s.now().UnixMilli()}, func(rows *sql.Rows) error {
		var hold engine.Hold
		var until int64
		var sound bool
		err := rows.Scan((*string)(&hold.Action), (*string)(&hold.Reason), &until, &sound)
		if err == nil && !sound {
			err = damaged("the hold of action " + string(hold.Action))
		}
		if until != untilLifted {
			hold.Until = fromMillis(until)
		}
		holds = append(holds, hold)
		return err
	})
	return holds, err
}

// heldBy tells what holds the pending deliveries of each action.
type heldBy map[engine.ActionName][]engine.Hold

func (s *Store) heldBy(ctx context.Context) (heldBy, error) {
	holds, err := s.Holds(ctx)
	by := heldBy{}
	for _, hold := range holds {
		by[hold.Action] = append(by[hold.Action], hold)
	}
	return by, err
}

// mark notes on a pending delivery what has it wait longer than its due time, and until when. ordered says that another one of
// its line comes before it.
func (h heldBy) mark(d *engine.Delivery, ordered bool, now time.Time) {
	due := !d.NextAt.After(now)
	rated := false
	for _, hold := range h[d.Action] { // in the order of the reasons' names: that its target fails is told first
		switch {
		case hold.Reason == engine.HeldRate:
			rated = due
		case hold.Until.IsZero() && due, !d.NextAt.After(hold.Until):
			d.Held, d.HeldUntil = hold.Reason, hold.Until
			return
		}
	}
	switch {
	case ordered:
		d.Held = engine.HeldOrder
	case rated:
		d.Held = engine.HeldRate
	}
}
