// Package pgtest starts a real PostgreSQL for tests, from the distribution's own binaries: in a temporary directory, on
// a Unix socket of its own, never on a TCP port.
//
// It promises:
//
//   - Where there are no binaries, or the system cannot start them for us, a test is skipped, and says why.
//   - A test has a database of its own, in a server that the tests of one binary share.
//   - No server outlives the test binary, however that ends. Stop, called at the end of TestMain, also removes its files.
package pgtest

import (
	"context"
	"fmt"
	"net/url"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// Guarded is the name of a role that has to give its password to every server; tests create it. All others are trusted.
const Guarded = "guarded"

// patience is how long a server may take to start, or a statement of this package to run.
const patience = time.Minute

// shared is the server that the tests of one binary use together. It is made when the first of them asks.
var shared struct {
	sync.Mutex
	server    *Server
	databases int
}

// Start returns the address of an empty database for this test alone. It is dropped when the test ends.
func Start(t testing.TB) (dsn string) {
	t.Helper()
	shared.Lock()
	defer shared.Unlock()
	if shared.server == nil {
		shared.server = start(t)
	}
	shared.databases++
	server, name := shared.server, fmt.Sprintf("test%d", shared.databases)
	server.exec(t, "CREATE DATABASE "+name)
	t.Cleanup(func() { server.exec(t, "DROP DATABASE "+name+" WITH (FORCE)") })
	return server.DSN(name)
}

// New starts a server for this test alone, which may stop it. It ends with the test.
func New(t testing.TB) *Server {
	t.Helper()
	server := start(t)
	t.Cleanup(server.remove)
	return server
}

// Stop ends the server of Start and removes its files. It belongs at the end of TestMain.
func Stop() {
	shared.Lock()
	defer shared.Unlock()
	if shared.server != nil {
		shared.server.remove()
		shared.server = nil
	}
}

// DSN is the address of a database of the server: "postgres" is there from the start.
func (s *Server) DSN(database string) string {
	return "postgres://postgres@/" + database + "?host=" + url.QueryEscape(s.dir)
}

// exec runs a statement outside of the tests' databases.
func (s *Server) exec(t testing.TB, statement string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	conn, err := pgx.Connect(ctx, s.DSN("postgres"))
	if err != nil {
		t.Fatalf("connecting to PostgreSQL: %v", err)
	}
	defer conn.Close(ctx)
	if _, err := conn.Exec(ctx, statement); err != nil {
		t.Fatalf("%s: %v", statement, err)
	}
}
