package actions

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	_ "modernc.org/sqlite" // the driver "sqlite"

	"github.com/peanuts-router/peanuts-router/engine"
)

// sqlite writes to a table in a file. SQLite takes any value in nearly any column, so values are turned into the
// declared types here.
type sqlite struct {
	sqlDialect
	path    string
	address string // of path, with the settings of a connection
	limit   int    // of connections
	group   *sqliteGroup

	mu      sync.Mutex
	db      *sql.DB     // nil until something is sent
	file    os.FileInfo // what db is about
	columns []sqlColumn // of the table, as last looked up; nil before
}

func newSQLite(settings *engine.SQLSettings, file string, connections int) (*sqlite, error) {
	s := &sqlite{limit: connections, group: newSQLiteGroup()}
	s.sqlNames = sqlNames{table: []string{settings.Table}, key: settings.Key, version: settings.Version, fold: foldASCII}
	if err := s.sqlNames.check(); err != nil {
		return nil, err
	}
	if file == "" || strings.ContainsRune(file, 0) {
		return nil, errors.New("the database has to be sqlite:FILE")
	}
	if file = filepath.Clean(file); !filepath.IsAbs(file) {
		file = "./" + file // so that :memory: is a file as any other
	}
	s.path = file
	// The file is never made here, and its journal stays as its owner has it.
	s.address = fmt.Sprintf("file:%s?mode=rw&_dqs=0&_foreign_keys=on", (&url.URL{Path: filepath.ToSlash(file)}).EscapedPath())
	s.quote = func(name ...string) string { return `"` + strings.ReplaceAll(name[0], `"`, `""`) + `"` }
	s.value = func(i int, _ string) string { return fmt.Sprintf("?%d", i+1) }
	s.bytes = func(expression string) string { return expression + " COLLATE BINARY" }
	s.differ = func(column, other string) string { return column + " COLLATE BINARY IS NOT " + other }
	return s, nil
}

// foldASCII is how SQLite tells names apart: by all but the case of A to Z.
func foldASCII(name string) string {
	if strings.IndexFunc(name, isUpper) < 0 {
		return name
	}
	return strings.Map(func(c rune) rune {
		if isUpper(c) {
			return c + ('a' - 'A')
		}
		return c
	}, name)
}

func isUpper(c rune) bool { return 'A' <= c && c <= 'Z' }

// connections opens the file, and anew when another one has taken its place: what is written to a file that has no name
// any more is lost.
func (s *sqlite) connections() (*sql.DB, error) {
	file, err := os.Stat(s.path)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.db != nil && (err != nil || !os.SameFile(file, s.file)) {
		s.release()
	}
	if err != nil || s.db != nil {
		return s.db, err
	}
	db, err := sql.Open("sqlite", s.address)
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(s.limit)
	db.SetConnMaxIdleTime(idleSQL)
	s.db, s.file = db, file
	return db, nil
}

// release lets go of the file; attempts under way finish on it.
func (s *sqlite) release() {
	if s.db != nil {
		_ = s.db.Close() // what was written is committed
		s.db, s.columns = nil, nil
	}
}

func (s *sqlite) close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.release()
}

// connect takes a connection, which waits for locks nearly as long as the attempt may take: then it still can tell that
// it was a lock.
func (s *sqlite) connect(ctx context.Context) (*sql.Conn, error) {
	db, err := s.connections()
	if err != nil {
		return nil, err
	}
	conn, err := db.Conn(ctx)
	if err != nil {
		return nil, err
	}
	wait := engine.MaxTimeout
	if deadline, ok := ctx.Deadline(); ok {
		wait = min(wait, time.Until(deadline)*9/10)
	}
	if _, err = conn.ExecContext(ctx, fmt.Sprintf("PRAGMA busy_timeout = %d", max(wait.Milliseconds(), 1))); err != nil {
		_ = conn.Close()
		return nil, err
	}
	return conn, nil
}
