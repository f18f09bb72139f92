package store

import (
	"context"
	"database/sql"
)

// transaction is what a write sees of the database.
type transaction struct {
	ctx    context.Context
	writer *writer
	ledger ledger
	moves  moves
}

// prepared is the statement of a text, counted as one that may change something.
func (tx *transaction) prepared(text string) (*sql.Stmt, error) {
	tx.writer.unseen++
	return tx.writer.prepared(tx.ctx, text)
}

// exec carries out a statement and tells how many rows it changed.
func (tx *transaction) exec(text string, args ...any) (int64, error) {
	result, err := tx.run(text, args)
	if err != nil {
		return 0, err
	}
	return result.RowsAffected()
}

// insert carries out a statement that makes a row, and tells its number.
func (tx *transaction) insert(text string, args ...any) (row int64, err error) {
	result, err := tx.run(text, args)
	if err != nil {
		return 0, err
	}
	return result.LastInsertId()
}

func (tx *transaction) run(text string, args []any) (sql.Result, error) {
	statement, err := tx.prepared(text)
	if err != nil {
		return nil, err
	}
	return statement.ExecContext(tx.ctx, args...)
}

// row scans the one row of a statement; sql.ErrNoRows when there is none.
func (tx *transaction) row(text string, args []any, into ...any) error {
	statement, err := tx.prepared(text)
	if err != nil {
		return err
	}
	return statement.QueryRowContext(tx.ctx, args...).Scan(into...)
}

// rows calls each for every row of a statement.
func (tx *transaction) rows(text string, args []any, each func(*sql.Rows) error) error {
	statement, err := tx.prepared(text)
	if err != nil {
		return err
	}
	return forEach(tx.ctx, statement, args, each)
}
