package store

import (
	"context"
	"errors"
	"sync/atomic"

	"modernc.org/sqlite"

	"github.com/peanuts-router/peanuts-router/engine"
)

// Exec carries out SQL as a write of its own.
func (s *Store) Exec(ctx context.Context, text string, args ...any) error {
	return s.writer.do(ctx, true, func(tx *transaction) error {
		_, err := tx.exec(text, args...)
		return err
	})
}

// Hold keeps the writer busy within a write, between what is received from inside and what is sent to release.
func (s *Store) Hold(inside chan<- struct{}, release <-chan struct{}) error {
	return s.writer.do(context.Background(), true, func(*transaction) error {
		inside <- struct{}{}
		<-release
		return nil
	})
}

// Waiting is how many writes are queued.
func (s *Store) Waiting() int { return s.writer.queues.length() }

// Plan is how SQLite carries out a statement.
func (s *Store) Plan(ctx context.Context, text string, args ...any) (string, error) {
	rows, err := s.reading.QueryContext(ctx, "EXPLAIN QUERY PLAN "+text, args...)
	if err != nil {
		return "", err
	}
	defer rows.Close()
	plan := ""
	for rows.Next() {
		var id, parent, unused int
		var step string
		if err := rows.Scan(&id, &parent, &unused, &step); err != nil {
			return "", err
		}
		plan += step + "\n"
	}
	return plan, rows.Err()
}

// CountOf is how the deliveries of a state are counted.
func CountOf(state engine.State) string { return countOf(state) }

// SomeDead is how a batch of the dead letters of a filter is found.
func SomeDead(filter Filter) (text string, args []any) {
	wanted, args := filter.dead().terms()
	return someDead + wanted + orderedBatch, append(append([]any{1, 2}, args...), 3)
}

// CountCommits tells from now on how many transactions were committed.
func (s *Store) CountCommits(ctx context.Context) (*atomic.Int64, error) {
	var commits atomic.Int64
	registered := make(chan error, 1)
	err := s.writer.do(ctx, true, func(tx *transaction) error {
		registered <- tx.writer.conn.Raw(func(conn any) error {
			conn.(sqlite.HookRegisterer).RegisterCommitHook(func() int32 {
				commits.Add(1)
				return 0
			})
			return nil
		})
		return nil
	})
	return &commits, errors.Join(err, <-registered)
}
