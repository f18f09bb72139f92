package actions

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/peanuts-router/peanuts-router/engine"
	"github.com/peanuts-router/peanuts-router/internal/pgtest"
)

// bed is a real database with a table expenses.
type bed struct {
	kind     string // postgres, sqlite or strict
	settings engine.SQLSettings
	exec     func(t *testing.T, statement string)
	query    func(t *testing.T, query string) string // rows in lines, columns parted by |, NULL as null
}

// The same columns everywhere, as each database has them.
const (
	inPostgres = `CREATE TABLE expenses (external_id text PRIMARY KEY, source text, amount numeric, count bigint, ratio double precision,
		paid boolean, tags text[], meta jsonb, doc json, note text, short varchar(8), logged_at timestamptz, deleted_at timestamptz,
		synced_at timestamptz, updated_at text, must text NOT NULL DEFAULT 'd', positive int CHECK (positive > 0), other text UNIQUE)`
	inSQLite = `CREATE TABLE expenses (external_id VARCHAR(40) PRIMARY KEY, source TEXT, amount NUMERIC(10,2), count BIGINT, ratio DOUBLE,
		paid BOOLEAN, tags JSON, meta, doc JSON, note TEXT, short TEXT CHECK (length(short) <= 8), logged_at DATETIME, deleted_at TIMESTAMP,
		synced_at DATETIME, updated_at TEXT COLLATE NOCASE, must TEXT NOT NULL DEFAULT 'd', positive INT CHECK (positive > 0), other TEXT UNIQUE)`
	inStrict = `CREATE TABLE expenses (external_id TEXT PRIMARY KEY, source TEXT, amount ANY, count INTEGER, ratio REAL,
		paid INT, tags TEXT, meta TEXT, doc ANY, note TEXT, short TEXT CHECK (length(short) <= 8), logged_at TEXT, deleted_at TEXT,
		synced_at TEXT, updated_at TEXT, must TEXT NOT NULL DEFAULT 'd', positive INT CHECK (positive > 0), other TEXT UNIQUE) STRICT`
)

// onBeds runs a test on each kind of database.
func onBeds(t *testing.T, test func(t *testing.T, b bed)) {
	t.Run("sqlite", func(t *testing.T) { test(t, sqliteBed(t, "sqlite", inSQLite)) })
	t.Run("strict", func(t *testing.T) { test(t, sqliteBed(t, "strict", inStrict)) })
	t.Run("postgres", func(t *testing.T) { test(t, postgresBed(t)) })
}

func settingsOf(database string) engine.SQLSettings {
	return engine.SQLSettings{Database: engine.NewSecret(database), Table: "expenses", Key: "external_id", Version: "updated_at"}
}

func sqliteBed(t *testing.T, kind, schema string) bed {
	t.Helper()
	file := filepath.Join(t.TempDir(), "led ger?%20#.db")
	db, err := sql.Open("sqlite", "file:"+strings.NewReplacer("%", "%25", "?", "%3f", "#", "%23").Replace(file))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	b := bed{kind: kind, settings: settingsOf("sqlite:" + file)}
	b.exec = func(t *testing.T, statement string) {
		t.Helper()
		if _, err := db.Exec(statement); err != nil {
			t.Fatalf("%s: %v", statement, err)
		}
	}
	b.query = func(t *testing.T, query string) string {
		t.Helper()
		rows, err := db.Query(query)
		if err != nil {
			t.Fatalf("%s: %v", query, err)
		}
		defer rows.Close()
		names, _ := rows.Columns()
		var lines []string
		for rows.Next() {
			cells, into := make([]sql.NullString, len(names)), make([]any, len(names))
			for i := range cells {
				into[i] = &cells[i]
			}
			if err := rows.Scan(into...); err != nil {
				t.Fatal(err)
			}
			lines = append(lines, line(cells))
		}
		return strings.Join(lines, "\n")
	}
	b.exec(t, schema)
	return b
}

func postgresBed(t *testing.T) bed {
	t.Helper()
	dsn := pgtest.Start(t)
	conn, err := pgx.Connect(context.Background(), dsn)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close(context.Background()) })
	b := bed{kind: "postgres", settings: settingsOf(dsn)}
	b.exec = func(t *testing.T, statement string) {
		t.Helper()
		if _, err := conn.Exec(context.Background(), statement); err != nil {
			t.Fatalf("%s: %v", statement, err)
		}
	}
	b.query = func(t *testing.T, query string) string {
		t.Helper()
		results, err := conn.PgConn().Exec(context.Background(), query).ReadAll()
		if err != nil {
			t.Fatalf("%s: %v", query, err)
		}
		var lines []string
		for _, row := range results[0].Rows {
			cells := make([]sql.NullString, len(row))
			for i, cell := range row {
				cells[i] = sql.NullString{String: string(cell), Valid: cell != nil}
			}
			lines = append(lines, line(cells))
		}
		return strings.Join(lines, "\n")
	}
	b.exec(t, inPostgres)
	return b
}

func line(cells []sql.NullString) string {
	var words []string
	for _, cell := range cells {
		if !cell.Valid {
			cell.String = "null"
		}
		words = append(words, cell.String)
	}
	return strings.Join(words, "|")
}

// sender is one of the bed's settings, closed with the test.
func (b bed) sender(t *testing.T) Sender {
	t.Helper()
	sender, err := New(engine.Action{Name: "table", Concurrency: 8, Settings: &b.settings}, Config{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(sender.Close)
	return sender
}

// attempt sends a message within seconds.
func attempt(sender Sender, message string) engine.Outcome {
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	return sender.Send(ctx, shipment(message))
}

// upsert is a message; columns are names with JSON values, a name with a ~ before it is volatile.
func upsert(version string, columns ...string) string {
	m := engine.SQLMessage{Version: version}
	for i := 0; i < len(columns); i += 2 {
		name, volatile := strings.CutPrefix(columns[i], "~")
		m.Columns = append(m.Columns, engine.SQLColumn{Name: name, Value: json.RawMessage(columns[i+1]), Volatile: volatile})
	}
	return inJSON(m)
}

func removal(version, key, mark string) string {
	at := time.Date(2026, 11, 23, 15, 0, 0, 999, time.FixedZone("CET", 3600))
	return inJSON(engine.SQLMessage{Version: version, Remove: &engine.SQLRemoval{Key: json.RawMessage(key), Mark: mark, At: at}})
}

func inJSON(message engine.SQLMessage) string {
	text, err := json.Marshal(message)
	if err != nil {
		panic(fmt.Sprintf("%+v: %v", message, err))
	}
	return string(text)
}
