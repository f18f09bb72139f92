package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/peanuts-router/peanuts-router/engine"
	"github.com/peanuts-router/peanuts-router/internal/fault"
)

const (
	// A delivered one keeps its last attempt itself: most deliveries have no other, and then need no second row.
	settleDelivered = `UPDATE deliveries SET state = 'delivered', lease_until = NULL, lost = 0, attempts = attempts + 1, crc = crc + 1 - lost,
			last_status = ?, last_error = ?, sent_at = ?, took = ?, told = ?
		WHERE seq = ? AND state = 'sending' AND generation = ?`
	settleOther = `UPDATE deliveries SET state = ?1, next_at = CASE WHEN ?1 = 'pending' THEN ?2 ELSE next_at END, lease_until = NULL, lost = 0,
			attempts = attempts + ?3, crc = crc + CASE WHEN ?1 = 'pending' THEN ?2 - next_at ELSE 0 END + ?3 - lost,
			last_status = coalesce(?4, last_status), last_error = coalesce(?5, last_error),
			told = told ` + lessTold + ` + crc32c(coalesce(?4, last_status), coalesce(?5, last_error), sent_at, took)
		WHERE seq = ?6 AND state = 'sending' AND generation = ?7`
	insertAttempt = `INSERT INTO attempts (delivery, n, at, took, status, error, answer, crc)
		SELECT seq, attempts, ?1, ?2, ?3, ?4, ?5, crc32c(seq, attempts, ?1, ?2, ?3, ?4, ?5) FROM deliveries WHERE seq = ?6`
	findRow = `SELECT d.seq, d.entry IS NOT NULL, d.line IS NOT NULL FROM events e JOIN deliveries d ON d.seq = e.seq << 20 | ? WHERE e.id = ?`

	// A number in the file's header that nothing reads: to set it takes the same writing and flushing as an event.
	touch = `PRAGMA user_version = 1`
)

// Settle records what a leased attempt came to. Nothing has changed when the lease is not the newest any more (C18).
// What follows an entry that moved on meanwhile is not tried again, but cancelled.
func (s *Store) Settle(ctx context.Context, settled engine.Settlement) (recorded engine.Recorded, err error) {
	if err := settleable(&settled); err != nil {
		return recorded, fmt.Errorf("settling a delivery: %w", err)
	}
	if fault.Planted(fault.DeadInTwo) && settled.State == engine.Dead && settled.Attempt != nil {
		return s.dieInTwo(ctx, settled)
	}
	err = s.writer.do(ctx, true, func(tx *transaction) (err error) {
		recorded = engine.Recorded{}
		if err := tx.findRow(&settled); err != nil || settled.Row == 0 {
			return err
		}
		recorded, err = tx.settle(&settled)
		return err
	})
	if err != nil {
		return engine.Recorded{}, fmt.Errorf("settling a delivery: %w", err)
	}
	return recorded, nil
}

// settleable refuses what no attempt comes to.
func settleable(s *engine.Settlement) error {
	switch s.State {
	case engine.Delivered:
		if s.Attempt == nil {
			return errors.New("nothing is delivered without an attempt")
		}
	case engine.Dead, engine.Pending:
	default:
		return fmt.Errorf("an attempt cannot leave it %q", string(s.State))
	}
	return nil
}

// findRow looks for the delivery of a settlement that does not say where it is; without any it stays 0.
func (tx *transaction) findRow(s *engine.Settlement) error {
	if s.Row != 0 {
		return nil
	}
	event, n, err := splitID(s.ID)
	if err != nil {
		return err
	}
	err = tx.row(findRow, []any{n, event}, &s.Row, &s.Follows, &s.Ordered)
	if errors.Is(err, sql.ErrNoRows) {
		return nil
	}
	return err
}

// settle records a settlement of a row that is known.
func (tx *transaction) settle(s *engine.Settlement) (recorded engine.Recorded, err error) {
	if fault.Planted(fault.StaleResults) {
		if _, err := tx.exec(leaseAnyway, s.Generation, s.Row); err != nil {
			return recorded, err
		}
	}
	var changed int64
	if s.State == engine.Delivered {
		a := s.Attempt
		at, took := tx.millis(a.At), a.Took.Microseconds()
		changed, err = tx.exec(settleDelivered, a.Status, a.Error, at, took, tx.writer.summing.told(a.Status, a.Error, at, took), s.Row, s.Generation)
	} else {
		changed, err = tx.settleOther(s)
	}
	if err != nil || changed == 0 {
		return recorded, err
	}
	fault.Reach(fault.Settling)
	recorded.Applied, recorded.State = true, s.State
	tx.moves.come(s.State, 1)
	if s.State == engine.Dead {
		if _, err := tx.exec(diedAlone, s.Row); err != nil {
			return recorded, err
		}
		fault.Reach(fault.Burying)
	}
	if s.Follows {
		err = settleFollower(tx, s.Row, &recorded)
	}
	if err == nil && s.Ordered && recorded.State != engine.Pending {
		var next bool
		next, err = tx.moveUp(s.Row)
		recorded.Freed = recorded.Freed || next || recorded.State == engine.Cancelled // which has moved one up already
	}
	return recorded, err
}

// settleOther records what was not delivered, and the attempt at it.
func (tx *transaction) settleOther(s *engine.Settlement) (changed int64, err error) {
	counted, status, reason := 0, any(nil), any(nil)
	if s.Attempt != nil {
		counted, status, reason = 1, s.Attempt.Status, s.Attempt.Error
	}
	if s.State == engine.Dead {
		reason = s.Reason
	}
	changed, err = tx.exec(settleOther, string(s.State), tx.millis(s.NextAt), counted, status, reason, s.Row, s.Generation)
	if err != nil || changed == 0 || s.Attempt == nil {
		return changed, err
	}
	a := s.Attempt
	_, err = tx.exec(insertAttempt, tx.millis(a.At), a.Took.Microseconds(), a.Status, a.Error, a.Answer, s.Row)
	return changed, err
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
