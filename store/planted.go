package store

import (
	"context"
	"crypto/sha256"
	"fmt"
	"os"
	"time"

	"github.com/peanuts-router/peanuts-router/engine"
	"github.com/peanuts-router/peanuts-router/internal/fault"
)

// What the planted bugs do, which only builds for torture can have.
const (
	forgetAttempts = `UPDATE deliveries SET plan_from = attempts, crc = crc + attempts - plan_from WHERE state = 'pending'`
	makeDue        = `UPDATE deliveries SET next_at = ?1, crc = crc + ?1 - next_at WHERE state = 'pending'`
	buryOne        = `UPDATE deliveries SET state = 'dead', ` + toldOtherwise + ` WHERE event = (SELECT seq FROM events WHERE id = ?2) AND n = ?3`
	leaseAnyway    = `UPDATE deliveries SET state = 'sending', lease_until = 0, generation = ?1, crc = crc + ?1 - generation WHERE seq = ?2`
)

// digestOf is what the same bytes are known again by.
func digestOf(body []byte) [sha256.Size]byte {
	if fault.Planted(fault.DedupeInMemory) {
		return sha256.Sum256(fmt.Appendf(nil, "%d %s", os.Getpid(), body))
	}
	return sha256.Sum256(body)
}

// plant carries out the bugs of a start.
func (s *Store) plant(ctx context.Context) error {
	if fault.Planted(fault.AttemptsForgotten) {
		return s.writer.do(ctx, true, func(tx *transaction) error {
			_, err := tx.exec(forgetAttempts)
			return err
		})
	}
	if fault.Planted(fault.DueAtStart) {
		return s.writer.do(ctx, true, func(tx *transaction) error {
			_, err := tx.exec(makeDue, s.now().UnixMilli())
			return err
		})
	}
	return nil
}

// dieInTwo takes a delivery from its queue in one transaction, and makes it a dead letter in another.
func (s *Store) dieInTwo(ctx context.Context, settled engine.Settlement) (engine.Recorded, error) {
	event, n, err := splitID(settled.ID)
	if err != nil {
		return engine.Recorded{}, err
	}
	aside := settled
	aside.State, aside.NextAt = engine.Pending, s.now().Add(time.Hour)
	recorded, err := s.Settle(ctx, aside)
	if err != nil || !recorded.Applied {
		return recorded, err
	}
	fault.Reach(fault.HalfDead)
	recorded.State = engine.Dead
	return recorded, s.writer.do(ctx, true, func(tx *transaction) error {
		_, err := tx.exec(buryOne, settled.Reason, event, n)
		return err
	})
}
