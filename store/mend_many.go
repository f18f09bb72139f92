package store

import (
	"context"
	"database/sql"

	"github.com/peanuts-router/peanuts-router/engine"
	"github.com/peanuts-router/peanuts-router/internal/fault"
)

const (
	newestDead = `SELECT coalesce(max(seq), 0) FROM deliveries WHERE state = 'dead'`
	countDead  = `SELECT count(*) FROM deliveries d WHERE d.seq > ? AND d.seq <= ?`
	someDead   = `SELECT d.seq FROM deliveries d WHERE d.seq > ? AND d.seq <= ?`

	orderedBatch = ` ORDER BY d.seq LIMIT ?`
)

// mendBatch is how many dead letters are mended in one transaction, so that no other write waits for long.
const mendBatch = 500

// CountDead tells how many dead letters of a filter there are; its State does not matter.
func (s *Store) CountDead(ctx context.Context, filter Filter) (n int, err error) {
	wanted, args := filter.dead().terms()
	err = s.one(ctx, "counting dead letters", countDead+wanted, append([]any{0, int64(1<<63 - 1)}, args...), &n)
	return n, err
}

// ReplayDead replays the dead letters of a filter that there are when it begins, and tells how many; the filter's State does
// not matter. Interrupted, it has replayed some and can be begun again.
func (s *Store) ReplayDead(ctx context.Context, filter Filter) (int, error) {
	n, err := s.mendMany(ctx, filter, engine.Pending, replayDead, func() []any { return []any{s.now().UnixMilli()} })
	return n, wrap("replaying dead letters", err)
}

// DiscardDead discards the dead letters of a filter as ReplayDead replays them.
func (s *Store) DiscardDead(ctx context.Context, filter Filter) (int, error) {
	n, err := s.mendMany(ctx, filter, engine.Discarded, discardDead, func() []any { return nil })
	return n, wrap("discarding dead letters", err)
}

// mendMany carries out a statement, which brings it to a state, for each dead letter of a filter, batch by batch. What stands before the seq among the
// statement's values is asked for with each batch.
func (s *Store) mendMany(ctx context.Context, filter Filter, to engine.State, text string, values func() []any) (int, error) {
	var last int64
	if err := s.one(ctx, "looking for dead letters", newestDead, nil, &last); err != nil {
		return 0, err
	}
	wanted, args := filter.dead().terms()
	text += wanted // whoever else mends meanwhile may have left some of another kind
	mended := 0
	for from := int64(0); ; {
		seqs, err := s.someDead(ctx, filter, from, last)
		if err != nil || len(seqs) == 0 {
			return mended, err
		}
		n, err := s.mendThose(ctx, seqs, to, text, values(), args)
		if err != nil {
			return mended, err
		}
		mended, from = mended+n, seqs[len(seqs)-1]
	}
}

// someDead finds the next batch of the dead letters of a filter: after one, and up to another.
func (s *Store) someDead(ctx context.Context, filter Filter, from, last int64) (seqs []int64, err error) {
	wanted, args := filter.dead().terms()
	args = append(append([]any{from, last}, args...), mendBatch)
	err = s.query(ctx, "looking for dead letters", someDead+wanted+orderedBatch, args, func(rows *sql.Rows) error {
		var seq int64
		err := rows.Scan(&seq)
		seqs = append(seqs, seq)
		return err
	})
	return seqs, err
}

func (s *Store) mendThose(ctx context.Context, seqs []int64, to engine.State, text string, before, after []any) (mended int, err error) {
	err = s.writer.do(ctx, true, func(tx *transaction) error {
		mended = 0
		for _, seq := range seqs {
			args := append(append(append([]any{}, before...), seq), after...)
			n, err := tx.exec(text, args...)
			if err != nil {
				return err
			}
			mended += int(n)
			tx.moves.come(to, n)
		}
		fault.Reach(fault.Mending)
		return nil
	})
	return mended, err
}
