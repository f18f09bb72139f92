package actions

import (
	"context"
	"fmt"
	"strings"
	"sync"

	"github.com/peanuts-router/peanuts-router/engine"
)

// maxSQLConnections is how many connections to a database one action uses at most.
const maxSQLConnections = 4

// sqlSender keeps the rows of a table as the entries are.
type sqlSender struct {
	database sqlDatabase
	open     sync.Mutex
	underway int  // attempts
	closed   bool // connections are let go of when no attempt is under way
}

// sqlDatabase is what differs from one kind of database to another.
type sqlDatabase interface {
	// newChange reads and checks a stored message. Its errors are for people and hold no value.
	newChange(message []byte) (*sqlChange, error)
	// apply carries a change out, whole or not at all, and tells how many rows it touched; or what came of it instead.
	apply(ctx context.Context, c *sqlChange) (rows int64, refused *engine.Outcome)
	// check tells what stands in the way of changes with these columns.
	check(ctx context.Context, columns []string) []SQLProblem
	// close lets go of all connections. No other method runs meanwhile; the next one may connect again.
	close()
}

func newSQL(settings *engine.SQLSettings, action engine.Action, config Config) (*sqlSender, error) {
	connections := min(maxSQLConnections, max(action.Concurrency, 1))
	if config.Divert != nil {
		database, err := newDivertedSQL(settings, config.Divert.SQL, connections)
		if err != nil {
			return nil, err
		}
		return &sqlSender{database: database}, nil
	}
	database, err := newSQLDatabase(settings, connections)
	if err != nil {
		return nil, err
	}
	return &sqlSender{database: database}, nil
}

// newSQLDatabase connects nothing yet. Its errors hold nothing of the address, which may hold a password.
func newSQLDatabase(settings *engine.SQLSettings, connections int) (sqlDatabase, error) {
	address := settings.Database.Reveal()
	switch {
	case strings.HasPrefix(address, engine.SchemeSQLite):
		return newSQLite(settings, strings.TrimPrefix(address, engine.SchemeSQLite), connections)
	case strings.HasPrefix(address, engine.SchemePostgres), strings.HasPrefix(address, engine.SchemePostgreSQL):
		return newPostgres(settings, address, connections)
	}
	return nil, fmt.Errorf("the database has to begin with %s, %s or %s", engine.SchemeSQLite, engine.SchemePostgres, engine.SchemePostgreSQL)
}

func (s *sqlSender) Send(ctx context.Context, shipment engine.Shipment) engine.Outcome {
	s.begin()
	defer s.end()
	change, err := s.database.newChange(shipment.Message)
	if err != nil {
		return dead("not sendable", err.Error())
	}
	rows, refused := s.database.apply(ctx, change)
	if refused != nil {
		return *refused
	}
	status := change.done
	if rows == 0 {
		status = "unchanged" // a replay, an older version, or nothing to remove (R54, R56)
	}
	return engine.Outcome{Verdict: engine.VerdictDelivered, Status: status}
}

// Close lets go of the connections, or has the last attempt under way do so.
func (s *sqlSender) Close() {
	s.open.Lock()
	defer s.open.Unlock()
	s.closed = true
	if s.underway == 0 {
		s.database.close()
	}
}

func (s *sqlSender) begin() {
	s.open.Lock()
	defer s.open.Unlock()
	s.underway++
}

func (s *sqlSender) end() {
	s.open.Lock()
	defer s.open.Unlock()
	s.underway--
	if s.closed && s.underway == 0 {
		s.database.close()
	}
}
