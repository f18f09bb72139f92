package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/peanuts-router/peanuts-router/engine"
)

const (
	findDelivery = `SELECT d.seq, d.state FROM deliveries d JOIN events e ON e.seq = d.event WHERE e.id = ? AND d.seq = e.seq << 20 | ?`

	replayDead = `UPDATE deliveries AS d SET state = 'pending', next_at = ?1, plan_from = attempts, lost = 0, generation = generation + 1,
			crc = crc + ?1 - next_at + attempts - plan_from - lost + 1,
			turn = d.line IS NOT NULL AND ` + somebodyIsNext + `
		WHERE d.seq = ?2 AND d.state = 'dead'`
	discardDead = `UPDATE deliveries AS d SET state = 'discarded' WHERE d.seq = ? AND d.state = 'dead'`
	discardOpen = `UPDATE deliveries SET state = 'discarded', turn = 0 WHERE seq = ? AND state IN ('pending', 'dead') RETURNING seq`
)

// Replay makes a dead letter pending again, due now: with the same key and message, and its retry plan from the
// start (C13). It is ErrNotFound or ErrNotDead for what is none.
func (s *Store) Replay(ctx context.Context, id engine.DeliveryID) error {
	return wrap("replaying "+string(id), s.mend(ctx, id, onlyDead, func(tx *transaction, seq int64) error {
		_, err := tx.exec(replayDead, s.now().UnixMilli(), seq)
		return err
	}))
}

// Discard ends a dead letter for good. It is ErrNotFound or ErrNotDead for what is none.
func (s *Store) Discard(ctx context.Context, id engine.DeliveryID) error {
	return wrap("discarding "+string(id), s.mend(ctx, id, onlyDead, func(tx *transaction, seq int64) error {
		n, err := tx.exec(discardDead, seq)
		tx.moves.come(engine.Discarded, n)
		return err
	}))
}

// DiscardOpen ends a delivery for good that is pending or dead. It is ErrSending for one that is under way, and ErrNotFound or
// ErrNotOpen for what else is none.
func (s *Store) DiscardOpen(ctx context.Context, id engine.DeliveryID) error {
	return wrap("discarding "+string(id), s.mend(ctx, id, onlyOpen, func(tx *transaction, seq int64) error {
		n, err := tx.gone(discardOpen, seq)
		tx.moves.come(engine.Discarded, n)
		return err
	}))
}

// onlyOpen refuses what is neither pending nor dead.
func onlyOpen(state engine.State) error {
	switch state {
	case engine.Pending, engine.Dead:
		return nil
	case engine.Sending:
		return ErrSending
	}
	return fmt.Errorf("%w: it is %s", ErrNotOpen, state)
}

// onlyDead refuses what is no dead letter.
func onlyDead(state engine.State) error {
	if state != engine.Dead {
		return fmt.Errorf("%w: it is %s", ErrNotDead, state)
	}
	return nil
}

// mend changes one delivery, unless it is refused for the state that it is in.
func (s *Store) mend(ctx context.Context, id engine.DeliveryID, refuse func(engine.State) error, change func(tx *transaction, seq int64) error) error {
	event, n, err := splitID(id)
	if err != nil {
		return err
	}
	var refused error
	err = s.writer.do(ctx, true, func(tx *transaction) error {
		var seq int64
		var state engine.State
		err := tx.row(findDelivery, []any{event, n}, &seq, (*string)(&state))
		if errors.Is(err, sql.ErrNoRows) {
			refused = ErrNotFound
			return nil
		}
		if err != nil {
			return err
		}
		if refused = refuse(state); refused != nil {
			return nil
		}
		return change(tx, seq)
	})
	return errors.Join(refused, err)
}
