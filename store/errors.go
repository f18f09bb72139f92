package store

import (
	"errors"
	"fmt"
	"strings"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"github.com/peanuts-router/peanuts-router/engine"
)

var (
	// ErrUnavailable says that the store cannot commit now; trying again later can help.
	ErrUnavailable = errors.New("the store cannot commit now")
	// ErrBroken says that the store can never be relied upon again by this process.
	ErrBroken = errors.New("the store is broken")
	// ErrNotFound says that there is no event or delivery of that id.
	ErrNotFound = errors.New("not found")
	// ErrNotDead says that a delivery is not dead, so it can be neither replayed nor discarded.
	ErrNotDead = errors.New("not a dead letter")
	// ErrNotOpen says that a delivery is neither pending nor dead, so it cannot be discarded.
	ErrNotOpen = errors.New("neither pending nor dead")
	// ErrSending says that a delivery is under way, so it cannot be discarded now.
	ErrSending = errors.New("it is being sent; try again once the attempt has ended, within a minute")
	// ErrAmbiguous says that several events have an id that begins like this.
	ErrAmbiguous = errors.New("several ids begin like this")
	// ErrBadCursor says that a cursor was not made by this store.
	ErrBadCursor = errors.New("not a cursor of this list")
	// ErrLocked says that another daemon holds the store.
	ErrLocked = errors.New("another peanuts-router holds the store")
)

// sorted tells what an error of the database means: ErrUnavailable, ErrBroken, or a mistake of this program.
func sorted(doing string, err error) error {
	var theirs *sqlite.Error
	switch {
	case err == nil || errors.Is(err, ErrBroken):
		return wrap(doing, err)
	case unscannable(err):
		return fmt.Errorf("%s: %w: %w", doing, ErrBroken, err)
	case !errors.As(err, &theirs):
		return wrap(doing, err)
	}
	switch theirs.Code() {
	case sqlite3.SQLITE_IOERR_SHMSIZE, sqlite3.SQLITE_IOERR_NOMEM:
		// There was no room for the index of the log, on the disk or in memory; the log itself was not touched.
		return fmt.Errorf("%s: %w: %w", doing, ErrUnavailable, err)
	case sqlite3.SQLITE_CONSTRAINT_DATATYPE:
		// No value of another type than its column's is ever handed over: the one that is not was there before (F12).
		return fmt.Errorf("%s: %w: %w", doing, ErrBroken, err)
	case sqlite3.SQLITE_CONSTRAINT_UNIQUE, sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY, sqlite3.SQLITE_CONSTRAINT_ROWID:
		// Who makes a row has looked whether there is one: the one that is there was not found (F12).
		return fmt.Errorf("%s: %w: %w", doing, ErrBroken, err)
	case sqlite3.SQLITE_READONLY_DBMOVED:
		return fmt.Errorf("%s: %w: its file was moved or replaced: %w", doing, ErrBroken, err)
	}
	switch theirs.Code() & 0xff {
	case sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB:
		return fmt.Errorf("%s: %w: %w", doing, ErrBroken, err)
	case sqlite3.SQLITE_FULL, sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_NOMEM, sqlite3.SQLITE_READONLY,
		sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_INTERRUPT, sqlite3.SQLITE_PROTOCOL:
		return fmt.Errorf("%s: %w: %w", doing, ErrUnavailable, err)
	}
	return wrap(doing, err)
}

// unscannable tells whether a value was not of its column's type. All tables are strict, so it was never stored like that
// (F12). database/sql has no other name for it.
func unscannable(err error) bool { return strings.HasPrefix(err.Error(), "sql: Scan error") }

// unreadable says of what stands in the store that it is not what the store once took.
func unreadable(what string, err error) error {
	return fmt.Errorf("%w: %s cannot be read: %w", ErrBroken, what, err)
}

func damagedDelivery(id engine.DeliveryID) error { return damaged("delivery " + string(id)) }

func damagedEvent(id engine.EventID) error { return damaged("event " + string(id)) }

func damagedStat(name engine.StatName) error { return damaged("stat " + string(name)) }

// damaged says of a row that it is not as it was written.
func damaged(row string) error {
	return fmt.Errorf("%w: %s is not as it was written; check tells what else is damaged, restore a backup", ErrBroken, row)
}

func wrap(doing string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s: %w", doing, err)
}

// outage tells whether an error is the store's own, so that no other write would do better.
func outage(err error) bool { return errors.Is(err, ErrUnavailable) || errors.Is(err, ErrBroken) }
