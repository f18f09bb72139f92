package actions

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"

	driver "modernc.org/sqlite"
	lib "modernc.org/sqlite/lib"

	"github.com/peanuts-router/peanuts-router/engine"
)

// sqliteCode is what a primary result code of SQLite means (https://sqlite.org/rescode.html).
type sqliteCode struct {
	name    string
	verdict engine.Verdict
	reason  string
}

var sqliteCodes = map[int]sqliteCode{
	lib.SQLITE_ERROR:      {"SQLITE_ERROR", engine.VerdictDead, "the table cannot take the row as the rules describe it"},
	lib.SQLITE_TOOBIG:     {"SQLITE_TOOBIG", engine.VerdictDead, "the row is too large"},
	lib.SQLITE_CONSTRAINT: {"SQLITE_CONSTRAINT", engine.VerdictDead, "a constraint of the table refuses the row"},
	lib.SQLITE_MISMATCH:   {"SQLITE_MISMATCH", engine.VerdictDead, "the value is not of the column's type"},
	lib.SQLITE_RANGE:      {"SQLITE_RANGE", engine.VerdictDead, "there are more columns than SQLite takes"},
	lib.SQLITE_BUSY:       {"SQLITE_BUSY", engine.VerdictRetry, "the database file is locked by another program"},
	lib.SQLITE_LOCKED:     {"SQLITE_LOCKED", engine.VerdictRetry, "the table is locked"},
	lib.SQLITE_CANTOPEN:   {"SQLITE_CANTOPEN", engine.VerdictRetry, "the database file cannot be opened"},
	lib.SQLITE_FULL:       {"SQLITE_FULL", engine.VerdictRetry, "the disk is full"},
	lib.SQLITE_IOERR:      {"SQLITE_IOERR", engine.VerdictRetry, "the disk failed"},
	lib.SQLITE_NOMEM:      {"SQLITE_NOMEM", engine.VerdictRetry, "there is not enough memory"},
	lib.SQLITE_INTERRUPT:  {"SQLITE_INTERRUPT", engine.VerdictRetry, "the attempt was cut short"},
	lib.SQLITE_READONLY:   {"SQLITE_READONLY", engine.VerdictRetry, "the database file may not be written to; check its permissions"},
	lib.SQLITE_PERM:       {"SQLITE_PERM", engine.VerdictRetry, "the database file may not be written to; check its permissions"},
	lib.SQLITE_CORRUPT:    {"SQLITE_CORRUPT", engine.VerdictRetry, "the database file is damaged"},
	lib.SQLITE_NOTADB:     {"SQLITE_NOTADB", engine.VerdictRetry, "the file is not an SQLite database"},
}

// sqliteConstraints tell the constraints apart, by extended result codes.
var sqliteConstraints = map[int]string{
	lib.SQLITE_CONSTRAINT_NOTNULL:    "the column needs a value",
	lib.SQLITE_CONSTRAINT_UNIQUE:     "another row has this value already",
	lib.SQLITE_CONSTRAINT_PRIMARYKEY: "another row has this value already",
	lib.SQLITE_CONSTRAINT_FOREIGNKEY: "the row that a value points to is not there",
	lib.SQLITE_CONSTRAINT_DATATYPE:   "the value is not of the column's type",
}

// outcome tells what an error means. SQLite's own words are in the answer alone.
func (s *sqlite) outcome(ctx context.Context, err error) *engine.Outcome {
	var refused *driver.Error
	switch {
	case errors.As(err, &refused) && ctx.Err() == nil:
		return s.refusal(refused)
	case errors.Is(err, fs.ErrNotExist):
		outcome := retry("no file", "the database file is not there; it is never made by the router")
		return &outcome
	case errors.Is(err, fs.ErrPermission):
		outcome := retry("no access", "the database file may not be reached; check its permissions")
		outcome.Refused = true
		return &outcome
	}
	if ctx.Err() != nil {
		err = ctx.Err()
	}
	outcome := ofError(err)
	return &outcome
}

func (s *sqlite) refusal(refused *driver.Error) *engine.Outcome {
	code := refused.Code()
	known, ok := sqliteCodes[code&0xff]
	if !ok {
		known = sqliteCode{fmt.Sprintf("SQLite %d", code), engine.VerdictRetry, "the database cannot do it now"}
	}
	outcome := &engine.Outcome{Verdict: known.verdict, Status: known.name, Reason: known.reason, Answer: keep(refused.Error())}
	outcome.Refused = code&0xff == lib.SQLITE_READONLY || code&0xff == lib.SQLITE_PERM
	if outcome.Verdict == engine.VerdictDead {
		outcome.Reason = s.place(refused) + s.reason(known, refused)
	}
	return outcome
}

func (s *sqlite) reason(known sqliteCode, refused *driver.Error) string {
	if reason, ok := sqliteConstraints[refused.Code()]; ok {
		return reason
	}
	if noConflictTarget(refused) {
		return sqlStates["42P10"][1]
	}
	return known.reason
}

// noConflictTarget tells that the key is not unique.
func noConflictTarget(refused *driver.Error) bool {
	return strings.Contains(refused.Error(), "ON CONFLICT clause does not match")
}

// place names what an error is about, with a colon: SQLite names a column as TABLE.COLUMN at the end of its words.
func (s *sqlite) place(refused *driver.Error) string {
	if noConflictTarget(refused) {
		return fmt.Sprintf("column %q: ", s.key)
	}
	words, _, _ := strings.Cut(refused.Error(), fmt.Sprintf(" (%d)", refused.Code()))
	switch refused.Code() {
	case lib.SQLITE_CONSTRAINT_NOTNULL, lib.SQLITE_CONSTRAINT_UNIQUE, lib.SQLITE_CONSTRAINT_PRIMARYKEY, lib.SQLITE_CONSTRAINT_DATATYPE:
		if _, names, ok := strings.Cut(words, s.sqlNames.table[0]+"."); ok {
			name, _, _ := strings.Cut(names, ", ")
			return fmt.Sprintf("column %q: ", name)
		}
	case lib.SQLITE_CONSTRAINT_CHECK:
		if _, name, ok := strings.Cut(words, "CHECK constraint failed: "); ok {
			return fmt.Sprintf("constraint %q: ", name)
		}
	}
	return fmt.Sprintf("table %q: ", s.sqlNames.table[0])
}
