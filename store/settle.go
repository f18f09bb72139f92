package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/peanuts-router/peanuts-router/engine"
)

const (
	settleDelivery = `UPDATE deliveries SET state = ?, next_at = CASE WHEN ? = 'pending' THEN ? ELSE next_at END, lease_until = NULL, lost = 0,
			attempts = attempts + ?, last_status = coalesce(?, last_status), last_error = coalesce(?, last_error)
		WHERE event = (SELECT seq FROM events WHERE id = ?) AND n = ? AND state = 'sending' AND generation = ?
		RETURNING seq, attempts, entry`
	insertAttempt = `INSERT INTO attempts (delivery, n, at, took, status, error, answer) VALUES (?, ?, ?, ?, ?, ?, ?)`

	// A number in the file's header that nothing reads: to set it takes the same writing and flushing as an event.
	touch = `PRAGMA user_version = 1`
)

// Settle records what a leased attempt came to. Nothing has changed when the lease is not the newest any more (C18).
// What follows an entry that moved on meanwhile is not tried again, but cancelled.
func (s *Store) Settle(ctx context.Context, settled engine.Settlement) (recorded engine.Recorded, err error) {
	event, n, err := splitID(settled.ID)
	if err != nil {
		return recorded, fmt.Errorf("settling a delivery: %w", err)
	}
	switch settled.State {
	case engine.Delivered, engine.Dead, engine.Pending:
	default:
		return recorded, fmt.Errorf("settling a delivery: an attempt cannot leave it %q", string(settled.State))
	}
	err = s.writer.do(ctx, true, func(tx *transaction) error {
		recorded = engine.Recorded{}
		var seq, attempts int64
		var entry sql.NullString
		counted, status, reason := 0, any(nil), any(nil)
		if settled.Attempt != nil {
			counted, status, reason = 1, settled.Attempt.Status, settled.Attempt.Error
		}
		if settled.State == engine.Dead {
			reason = settled.Reason
		}
		state := string(settled.State)
		err := tx.row(settleDelivery, []any{state, state, settled.NextAt.UnixMilli(), counted, status, reason, event, n, settled.Generation}, &seq, &attempts, &entry)
		if errors.Is(err, sql.ErrNoRows) {
			return nil
		}
		recorded.Applied, recorded.State = true, settled.State
		if err == nil && settled.Attempt != nil {
			err = recordAttempt(tx, seq, attempts, settled)
		}
		if err == nil && settled.State == engine.Dead {
			_, err = tx.exec(diedAlone, seq)
		}
		if err != nil || !entry.Valid {
			return err
		}
		return settleFollower(tx, seq, &recorded)
	})
	if err != nil {
		return engine.Recorded{}, fmt.Errorf("settling a delivery: %w", err)
	}
	return recorded, nil
}

func recordAttempt(tx *transaction, delivery, n int64, settled engine.Settlement) error {
	a := settled.Attempt
	answer := a.Answer
	if settled.State == engine.Delivered {
		answer = "" // of successes it is not kept
	}
	_, err := tx.exec(insertAttempt, delivery, n, a.At.UnixMilli(), a.Took.Microseconds(), a.Status, a.Error, answer)
	return err
}

// splitID takes a delivery's id apart into its event's id and its number.
func splitID(id engine.DeliveryID) (event string, n int, err error) {
	cut := strings.LastIndexByte(string(id), '-')
	if cut < 0 {
		return "", 0, fmt.Errorf("%w: %q is no delivery's id", ErrNotFound, string(id))
	}
	n, err = strconv.Atoi(string(id)[cut+1:])
	if err != nil || engine.NewDeliveryID(engine.EventID(id[:cut]), n) != id { // one delivery has one id, so 01 is not 1
		return "", 0, fmt.Errorf("%w: %q is no delivery's id", ErrNotFound, string(id))
	}
	return string(id)[:cut], n, nil
}

// Writable tells whether the store can commit: nil, ErrUnavailable or ErrBroken.
func (s *Store) Writable(ctx context.Context) error {
	return wrap("trying to write", s.writer.do(ctx, true, func(tx *transaction) error {
		_, err := tx.exec(touch)
		return err
	}))
}
