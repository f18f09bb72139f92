package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
)

// Audit is what a check of a store looked at, and what it found that should not be.
type Audit struct {
	Balance       Balance       `json:"balance"`
	Looked        []Looked      `json:"looked_at"`
	Discrepancies []Discrepancy `json:"discrepancies"`
}

// Looked is how many rows of a kind were looked at.
type Looked struct {
	What  string `json:"what"`
	Count int    `json:"count"`
}

// Discrepancy is something that holds in every sound store and does not hold in this one.
type Discrepancy struct {
	Broken string   `json:"broken"` // what should hold
	Count  int      `json:"count"`
	Found  []string `json:"found"` // where it does not, by ids; the first 100
}

// foundAtMost is how many places of a discrepancy are named.
const foundAtMost = 100

// What holds of the file itself.
const (
	fileIsWhole   = "the file is whole"
	rowsAreLinked = "a row that names another finds it"
)

// Check tells whether the file is whole and its books balance: each event is what was received, each delivery is in one
// state with what goes with it, each entry's newest version and each claim has its event, and each total is what the
// contributions add up to. It looks at one moment of the store, beside a daemon or not, and changes nothing. The error
// says only that it could not look.
func (s *Store) Check(ctx context.Context) (Audit, error) {
	tx, err := s.reading.BeginTx(ctx, nil)
	if err != nil {
		return Audit{}, sorted("checking the store", err)
	}
	defer func() { _ = tx.Rollback() }() // it has only read
	a := &audit{ctx: ctx, tx: tx, Audit: Audit{Looked: []Looked{}, Discrepancies: []Discrepancy{}}}
	steps := []func() error{a.file, a.links, a.balance, a.events}
	for _, b := range books {
		steps = append(steps, func() error { return a.keep(b) })
	}
	for _, step := range append(steps, a.claims, a.totals, a.deaths, a.sums) {
		err := sorted("checking the store", step())
		if errors.Is(err, ErrBroken) {
			a.unreadable(err)
			continue
		}
		if err != nil {
			return Audit{}, err
		}
	}
	return a.Audit, nil
}

// audit is a check under way.
type audit struct {
	Audit
	ctx context.Context
	tx  *sql.Tx
}

// looked adds to what was looked at.
func (a *audit) looked(what string, n int) {
	a.Looked = append(a.Looked, Looked{what, n})
}

// found notes a place where something does not hold that should.
func (a *audit) found(broken, where string) {
	for i := range a.Discrepancies {
		if d := &a.Discrepancies[i]; d.Broken == broken {
			if d.Count++; len(d.Found) < foundAtMost {
				d.Found = append(d.Found, where)
			}
			return
		}
	}
	a.Discrepancies = append(a.Discrepancies, Discrepancy{broken, 1, []string{where}})
}

// unreadable notes that a step met what cannot be read, once for each of its kind: most steps meet the same.
func (a *audit) unreadable(err error) {
	for _, d := range a.Discrepancies {
		if d.Broken == fileIsWhole && slices.Contains(d.Found, err.Error()) {
			return
		}
	}
	a.found(fileIsWhole, err.Error())
}

// file asks SQLite whether its pages, indexes and constraints are as they should be.
func (a *audit) file() error {
	return a.rows(`PRAGMA integrity_check`, func(rows *sql.Rows) error {
		var says string
		err := rows.Scan(&says)
		if err == nil && says != "ok" {
			a.found(fileIsWhole, says)
		}
		return err
	})
}

func (a *audit) links() error {
	return a.rows(`PRAGMA foreign_key_check`, func(rows *sql.Rows) error {
		var table, parent string
		var row sql.NullInt64 // null in a table that has no row numbers
		var key int
		err := rows.Scan(&table, &row, &parent, &key)
		where := "a row of " + table
		if row.Valid {
			where = fmt.Sprintf("row %d of %s", row.Int64, table)
		}
		if err == nil {
			a.found(rowsAreLinked, where+" names what is not in "+parent)
		}
		return err
	})
}

// rows calls each for every row of a question.
func (a *audit) rows(text string, each func(*sql.Rows) error, args ...any) error {
	rows, err := a.tx.QueryContext(a.ctx, text, args...)
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

func (a *audit) number(text string) (n int, err error) {
	err = a.tx.QueryRowContext(a.ctx, text).Scan(&n)
	return n, err
}
