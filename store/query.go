package store

import (
	"context"
	"database/sql"
	"errors"
	"sync"
)

// questions are the statements that only read.
type questions struct {
	db       *sql.DB
	mu       sync.Mutex
	prepared map[string]*sql.Stmt // by their text
}

func (q *questions) statement(ctx context.Context, text string) (*sql.Stmt, error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if statement, ok := q.prepared[text]; ok {
		return statement, nil
	}
	statement, err := q.db.PrepareContext(ctx, text)
	if err == nil {
		q.prepared[text] = statement
	}
	return statement, err
}

func (q *questions) close() error {
	var failed []error
	for _, statement := range q.prepared {
		failed = append(failed, statement.Close())
	}
	return errors.Join(failed...)
}

// query calls each for every row. What cannot be read breaks the store as what cannot be written does: answers from a
// file that is partly gone are not to be trusted (F12).
func (s *Store) query(ctx context.Context, doing, text string, args []any, each func(*sql.Rows) error) error {
	if err := s.Err(); err != nil {
		return wrap(doing, err)
	}
	return s.writer.sorted(doing, s.ask(ctx, text, args, each))
}

func (s *Store) ask(ctx context.Context, text string, args []any, each func(*sql.Rows) error) error {
	statement, err := s.asked.statement(ctx, text)
	if err != nil {
		return err
	}
	return forEach(ctx, statement, args, each)
}

// forEach calls each for every row of a statement.
func forEach(ctx context.Context, statement *sql.Stmt, args []any, each func(*sql.Rows) error) error {
	rows, err := statement.QueryContext(ctx, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		if err := each(rows); err != nil {
			return err
		}
	}
	return rows.Err()
}

// one scans the one value of a question.
func (s *Store) one(ctx context.Context, doing, text string, args []any, into any) error {
	return s.query(ctx, doing, text, args, func(rows *sql.Rows) error { return rows.Scan(into) })
}
