package store

import (
	"context"
	"database/sql"
	"slices"
	"time"

	"github.com/peanuts-router/peanuts-router/internal/fault"
)

const (
	// prunable is what holds of an event that nothing needs any more. Kept are what is newest of an entry, since old, stats and
	// rebuilds stand on it; what still waits, is sent or lies dead; and a reminder that was sent, or a newer version of its
	// entry that is due at the same instant would send it again. So is the newest event: its number is not to be given to
	// another, by which claims and check tell events.
	prunable = `e.received_at < ?1 AND e.seq < (SELECT max(seq) FROM events)
		AND NOT EXISTS (SELECT 1 FROM entries n WHERE n.id = e.entry_id AND n.event = e.seq)
		AND NOT EXISTS (SELECT 1 FROM deliveries d WHERE d.seq` + ofE + ` AND (d.state IN ('pending', 'sending', 'dead')
			OR (d.state = 'delivered' AND d.at IS NOT NULL AND d.entry IS NOT NULL)))`

	lookForPrunable = `SELECT e.seq, e.received_at < ?1, ` + prunable + ` FROM events e WHERE e.seq > ?2 ORDER BY e.seq LIMIT ?3`
	isPrunable      = `SELECT EXISTS (SELECT 1 FROM events e WHERE e.seq = ?2 AND ` + prunable + `)`

	dropAttempts   = `DELETE FROM attempts WHERE delivery` + of1
	dropDeliveries = `DELETE FROM deliveries WHERE seq` + of1
	dropReplays    = `DELETE FROM replays WHERE event = ?`
	dropEvent      = `DELETE FROM events WHERE seq = ?`
)

const (
	// pruneLook is how many events are looked at by one question, so that no reader stays in an old state of the store.
	pruneLook = 1000
	// pruneBatch is how many events are removed in one transaction, so that no other write waits for long.
	pruneBatch = 50
)

// Prune removes the events that arrived before a moment, with their deliveries and attempts, and tells how many. It keeps
// whatever is still owed or lies dead, the newest version of every entry, and the reminders that were sent; and claims
// outlive their events. So nothing that is judged later comes out otherwise, but for bytes that are sent again: they are
// another event then. Interrupted, it has removed some and can be begun again.
func (s *Store) Prune(ctx context.Context, before time.Time) (int, error) {
	removed := 0
	for after := int64(0); ; {
		found, err := s.lookForPrunable(ctx, before, after)
		if err != nil || !found.old { // events lie in the order of arrival, or nearly so: what follows is not old either
			return removed, err
		}
		for batch := range slices.Chunk(found.events, pruneBatch) {
			n, err := s.removeEvents(ctx, before, batch)
			removed += n
			if err != nil {
				return removed, err
			}
		}
		after = found.last
	}
}

// pruning is what was found behind an event.
type pruning struct {
	events []int64 // that can be removed
	last   int64   // that was looked at
	old    bool    // one at least arrived before the moment
}

func (s *Store) lookForPrunable(ctx context.Context, before time.Time, after int64) (found pruning, err error) {
	err = s.query(ctx, "looking for old events", lookForPrunable, []any{before.UnixMilli(), after, pruneLook}, func(rows *sql.Rows) error {
		var old, removable bool
		err := rows.Scan(&found.last, &old, &removable)
		found.old = found.old || old
		if removable {
			found.events = append(found.events, found.last)
		}
		return err
	})
	return found, err
}

// removeEvents removes those of some events that can still be removed.
func (s *Store) removeEvents(ctx context.Context, before time.Time, events []int64) (removed int, err error) {
	err = s.writer.do(ctx, true, func(tx *transaction) error {
		removed = 0
		for _, event := range events {
			var still bool
			if err := tx.row(isPrunable, []any{before.UnixMilli(), event}, &still); err != nil {
				return err
			}
			if !still {
				continue
			}
			for _, drop := range []string{dropAttempts, dropDeliveries, dropReplays, dropEvent} {
				if _, err := tx.exec(drop, event); err != nil {
					return err
				}
			}
			removed++
		}
		fault.Reach(fault.Pruning)
		return nil
	})
	if err != nil {
		return 0, wrap("removing old events", err)
	}
	return removed, nil
}
