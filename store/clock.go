package store

import (
	"context"
	"time"
)

// A wall time that is stored as the end of a wait is right as long as the clock does not jump. When it does, those times are
// moved by as much. What is due already stays so. A reminder that was not tried yet is no wait: its instant is one of the
// wall clock. Nor are those times that tell when something happened (F24).

const (
	// What is due is passed over, by the index: it may be a backlog.
	moveWaits = waitingActions + `UPDATE deliveries INDEXED BY deliveries_due SET next_at = next_at + ?1, crc = crc + ?1
		WHERE state = 'pending' AND turn <> 1 AND action IN (SELECT action FROM known) AND next_at > ?2 AND (at IS NULL OR next_at <> at)`
	// What waits in a line was due when it joined, so only a clock that is set back makes it wait.
	moveLines = `UPDATE deliveries INDEXED BY deliveries_open SET next_at = next_at + ?1, crc = crc + ?1
		WHERE ?1 < 0 AND state = 'pending' AND turn = 1 AND next_at > ?2 AND (at IS NULL OR next_at <> at)`
	moveLease = `UPDATE deliveries SET lease_until = lease_until + ? WHERE state = 'sending'`
	moveHolds = `UPDATE holds SET until = until + ?1, crc = crc - ?1 WHERE until <> ?2`
	moveTold  = `UPDATE alerts SET at = at + ?1, crc = crc + ?1` // which says how long ago something was told
)

// FollowClock moves what waits by as much as the clock has jumped, and calls follow once that is committed, before anything
// else is written: from then on the store's clock is to show the new time.
func (s *Store) FollowClock(ctx context.Context, by time.Duration, follow func()) error {
	jumped := by.Milliseconds()
	err := s.writer.doThen(ctx, true, func(tx *transaction) error {
		stillDue := s.now().UnixMilli() + min(0, jumped)
		for _, move := range []struct {
			text string
			args []any
		}{
			{moveWaits, []any{jumped, stillDue}}, {moveLines, []any{jumped, stillDue}}, {moveLease, []any{jumped}}, {moveHolds, []any{jumped, untilLifted}}, {moveTold, []any{jumped}},
		} {
			if _, err := tx.exec(move.text, move.args...); err != nil {
				return err
			}
		}
		return nil
	}, follow)
	return wrap("following the clock", err)
}

// millis is a moment as it is stored. A reading of the store's clock is told by its wall time of now: it may have followed a
// jump since it was read.
func (tx *transaction) millis(t time.Time) int64 {
	if t == t.Round(0) { // it has no monotonic time: it is what it says
		return t.UnixMilli()
	}
	now := tx.writer.now()
	return now.Add(t.Sub(now)).UnixMilli()
}
