package pgtest

import (
	"context"
	"os"
	"testing"

	"github.com/jackc/pgx/v5"
	"go.uber.org/goleak"
)

// stopping runs the tests and stops the server after them.
type stopping struct{ *testing.M }

func (s stopping) Run() int {
	defer Stop()
	return s.M.Run()
}

func TestMain(m *testing.M) { goleak.VerifyTestMain(stopping{m}) }

func connect(t *testing.T, dsn string) *pgx.Conn {
	t.Helper()
	conn, err := pgx.Connect(context.Background(), dsn)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close(context.Background()) })
	return conn
}

// Each test has a database of its own, which is gone after it.
func TestDatabasesAreApart(t *testing.T) {
	var address string
	for range 2 {
		t.Run("one", func(t *testing.T) {
			address = Start(t)
			if _, err := connect(t, address).Exec(context.Background(), "CREATE TABLE only_one (a int)"); err != nil {
				t.Fatal(err)
			}
		})
	}
	if _, err := pgx.Connect(context.Background(), address); err == nil {
		t.Error("a database is still there after its test")
	}
}

// A server of a test's own can be stopped; its connections break and its files go with the test.
func TestAServerOfItsOwn(t *testing.T) {
	var server *Server
	t.Run("one", func(t *testing.T) {
		server = New(t)
		conn := connect(t, server.DSN("postgres"))
		server.Stop()
		if err := conn.Ping(context.Background()); err == nil {
			t.Error("a connection outlived its server")
		}
	})
	if _, err := os.Stat(server.dir); !os.IsNotExist(err) {
		t.Errorf("the files of a server are still there: %v", err)
	}
}
