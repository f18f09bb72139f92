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

	findDelivery = `SELECT d.seq, d.state FROM deliveries d JOIN events e ON e.seq = d.event WHERE e.id = ? AND d.n = ?`
	replayDead   = `UPDATE deliveries SET state = 'pending', next_at = ?, plan_from = attempts, lost = 0, generation = generation + 1 WHERE seq = ? AND state = 'dead'`
	discardDead  = `UPDATE deliveries SET state = 'discarded' WHERE seq = ? AND state = 'dead'`
	newestDead   = `SELECT coalesce(max(seq), 0) FROM deliveries WHERE state = 'dead'`
	someDead     = `SELECT seq FROM deliveries WHERE state = 'dead' AND seq > ? AND seq <= ? ORDER BY seq LIMIT ?`
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

// Replay makes a dead letter pending again, due now: with the same key and message, and its retry plan from the
// start (C13). It is ErrNotFound or ErrNotDead for what is none.
func (s *Store) Replay(ctx context.Context, id engine.DeliveryID) error {
	return wrap("replaying "+string(id), s.mend(ctx, id, func(tx *transaction, seq int64) error {
		_, err := tx.exec(replayDead, s.now().UnixMilli(), seq)
		return err
	}))
}

// Discard ends a dead letter for good. It is ErrNotFound or ErrNotDead for what is none.
func (s *Store) Discard(ctx context.Context, id engine.DeliveryID) error {
	return wrap("discarding "+string(id), s.mend(ctx, id, func(tx *transaction, seq int64) error {
		_, err := tx.exec(discardDead, seq)
		return err
	}))
}

// mend changes one dead letter.
func (s *Store) mend(ctx context.Context, id engine.DeliveryID, change func(tx *transaction, seq int64) error) error {
	event, n, err := splitID(id)
	if err != nil {
		return err
	}
	var refused error
	err = s.writer.do(ctx, true, func(tx *transaction) error {
		var seq int64
		var state string
		refused = nil
		switch err := tx.row(findDelivery, []any{event, n}, &seq, &state); {
		case errors.Is(err, sql.ErrNoRows):
			refused = ErrNotFound
			return nil
		case err != nil:
			return err
		case state != string(engine.Dead):
			refused = fmt.Errorf("%w: it is %s", ErrNotDead, state)
			return nil
		}
		return change(tx, seq)
	})
	return errors.Join(refused, err)
}

// replayBatch is how many dead letters are replayed in one transaction, so that no other write waits for long.
const replayBatch = 500

// ReplayAll replays every dead letter there is when it begins, and tells how many. Interrupted, it has replayed some
// and can be begun again.
func (s *Store) ReplayAll(ctx context.Context) (int, error) {
	var last int64
	if err := s.one(ctx, "replaying dead letters", newestDead, nil, &last); err != nil {
		return 0, err
	}
	replayed := 0
	for from := int64(0); from < last; {
		n, reached, err := s.replayBatch(ctx, from, last)
		if err != nil || n == 0 {
			return replayed, wrap("replaying dead letters", err)
		}
		replayed, from = replayed+n, reached
	}
	return replayed, nil
}

func (s *Store) replayBatch(ctx context.Context, from, last int64) (n int, reached int64, err error) {
	err = s.writer.do(ctx, true, func(tx *transaction) error {
		var seqs []int64
		err := tx.rows(someDead, []any{from, last, replayBatch}, func(rows *sql.Rows) error {
			var seq int64
			err := rows.Scan(&seq)
			seqs = append(seqs, seq)
			return err
		})
		now := s.now().UnixMilli()
		for _, seq := range seqs {
			if err == nil {
				_, err = tx.exec(replayDead, now, seq)
			}
			reached = seq
		}
		n = len(seqs)
		return err
	})
	return n, reached, err
}

// Writable tells whether the store can commit: nil, ErrUnavailable or ErrBroken.
func (s *Store) Writable(ctx context.Context) error {
	return wrap("trying to write", s.writer.do(ctx, true, func(tx *transaction) error {
		_, err := tx.exec(touch)
		return err
	}))
}
