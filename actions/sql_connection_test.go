package actions

import (
	"context"
	"errors"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/peanuts-router/peanuts-router/engine"
	"github.com/peanuts-router/peanuts-router/internal/pgtest"
)

var fine = upsert("v1", "external_id", `"e1"`, "note", `"hunter3"`)

// sendSQL makes one attempt of a sender's own within a time, and holds what is true of every outcome.
func sendSQL(t *testing.T, settings engine.SQLSettings, within time.Duration) engine.Outcome {
	t.Helper()
	got := send(t, &settings, Config{}, fine, within)
	if told := got.Status + got.Reason + got.Answer; strings.Contains(told, "hunter") || strings.Contains(told, "://") {
		t.Errorf("a secret, value or address is told: %+v", got)
	}
	return got
}

// as is an address for another user of the same database.
func as(t *testing.T, dsn string, user *url.Userinfo) string {
	t.Helper()
	address, err := url.Parse(dsn)
	if err != nil {
		t.Fatal(err)
	}
	address.User = user
	return address.String()
}

// C11, C21: what a person or time can mend in the database is retried; refused credentials are said loudly.
func TestWhatPostgreSQLRefusesForNow(t *testing.T) {
	b := postgresBed(t)
	dsn := b.settings.Database.Reveal()
	b.exec(t, `CREATE ROLE `+pgtest.Guarded+` LOGIN PASSWORD 'hunter2'`)
	b.exec(t, `CREATE ROLE nobody_here LOGIN CONNECTION LIMIT 0`)
	b.exec(t, `CREATE ROLE may_not LOGIN`)
	b.exec(t, `CREATE ROLE only_reads LOGIN`)
	b.exec(t, `ALTER ROLE only_reads SET default_transaction_read_only = on`)
	b.exec(t, `GRANT ALL ON expenses TO `+pgtest.Guarded+`, only_reads`)
	t.Cleanup(func() {
		b.exec(t, `DROP OWNED BY `+pgtest.Guarded+`, only_reads`)
		b.exec(t, `DROP ROLE `+pgtest.Guarded+`, nobody_here, may_not, only_reads`)
	})
	for _, c := range []struct {
		user    *url.Userinfo
		status  string
		refused bool
	}{
		{url.UserPassword(pgtest.Guarded, "hunter2"), "upserted", false},
		{url.UserPassword(pgtest.Guarded, "hunter1"), "28P01 invalid_password", true},
		{url.User("unknown"), "28000 invalid_authorization_specification", true},
		{url.User("may_not"), "42501 insufficient_privilege", true},
		{url.User("only_reads"), "25006 read_only_sql_transaction", true},
		{url.User("nobody_here"), "53300 too_many_connections", false},
	} {
		settings := settingsOf(as(t, dsn, c.user))
		got := sendSQL(t, settings, 10*time.Second)
		want := engine.VerdictRetry
		if c.status == "upserted" {
			want = engine.VerdictDelivered
		}
		if got.Verdict != want || got.Status != c.status || got.Refused != c.refused || (want == engine.VerdictRetry) != (got.Reason != "") {
			t.Errorf("as %s: outcome %+v, want %s", c.user.Username(), got, c.status)
		}
	}
	settings := settingsOf(strings.Replace(dsn, "@/test", "@/untested", 1))
	if got := sendSQL(t, settings, 10*time.Second); got.Verdict != engine.VerdictRetry || got.Status != "3D000 invalid_catalog_name" {
		t.Errorf("no such database: %+v", got)
	}
}

// An attempt ends by its deadline while the table is locked. Whether or not the server still did what it asked for, the
// next one finds or makes the row.
func TestALockedTableOfPostgreSQL(t *testing.T) {
	b := postgresBed(t)
	b.exec(t, `BEGIN`)
	b.exec(t, `LOCK TABLE expenses`)
	if got := sendSQL(t, b.settings, 300*time.Millisecond); got.Verdict != engine.VerdictRetry || got.Status != "timeout" {
		t.Errorf("outcome %+v", got)
	}
	b.exec(t, `ROLLBACK`)
	if got := sendSQL(t, b.settings, 10*time.Second); got.Verdict != engine.VerdictDelivered {
		t.Errorf("outcome %+v", got)
	}
	if got := b.query(t, `SELECT external_id, updated_at FROM expenses`); got != "e1|v1" {
		t.Errorf("the row is %q", got)
	}
}

// F25, F26: connections that break, are refused, or never say a word are retried, and Close does not wait for them.
func TestPostgreSQLThatIsNotThere(t *testing.T) {
	server := pgtest.New(t)
	settings := settingsOf(server.DSN("postgres"))
	sender, err := New(engine.Action{Settings: &settings}, Config{})
	if err != nil {
		t.Fatal(err)
	}
	defer sender.Close()
	if got := attempt(sender, fine); got.Status != "42P01 undefined_table" {
		t.Fatalf("outcome %+v", got)
	}
	server.Stop()
	for range 2 { // over the broken connection, and over a new one
		if got := attempt(sender, fine); got.Verdict != engine.VerdictRetry || got.Reason == "" {
			t.Errorf("after the server stopped: %+v", got)
		}
	}
	silent, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	address := "postgres://u:hunter2@" + silent.Addr().String() + "/db?sslmode=disable"
	if got := sendSQL(t, settingsOf(address), 200*time.Millisecond); got.Verdict != engine.VerdictRetry || got.Status != "timeout" {
		t.Errorf("a silent server: %+v", got)
	}
	silent.Close()
	if got := sendSQL(t, settingsOf(address), 10*time.Second); got.Verdict != engine.VerdictRetry || got.Status != "connection refused" {
		t.Errorf("no server: %+v", got)
	}
	if problems := CheckSQL(t.Context(), new(settingsOf(address)), nil); len(problems) != 1 || strings.Contains(problems[0].Message, "hunter") {
		t.Errorf("CheckSQL tells %q of no server", problems)
	}
}

// An attempt that begins after Close, as at a reload, is made all the same, and leaves no connection behind.
func TestAttemptsAfterClose(t *testing.T) {
	onBeds(t, func(t *testing.T, b bed) {
		sender := b.sender(t)
		sender.Close()
		if got := attempt(sender, fine); got.Status != "upserted" {
			t.Errorf("after Close: %+v", got)
		}
		if b.kind != "postgres" {
			return
		}
		// The server sees the end of a connection a moment later.
		deadline := time.Now().Add(time.Minute)
		for b.query(t, `SELECT count(*) FROM pg_stat_activity WHERE application_name = 'peanuts-router'`) != "0" {
			if time.Now().After(deadline) {
				t.Fatal("a connection was left behind")
			}
		}
	})
}

// A file that is not there is never made; once it is there, the same sender writes to it.
func TestAnSQLiteFileThatComesAndGoes(t *testing.T) {
	there := sqliteBed(t, "sqlite", inSQLite)
	file := strings.TrimPrefix(there.settings.Database.Reveal(), engine.SchemeSQLite)
	elsewhere := filepath.Join(t.TempDir(), "new.db")
	settings := settingsOf("sqlite:" + elsewhere)
	sender, err := New(engine.Action{Settings: &settings}, Config{})
	if err != nil {
		t.Fatal(err)
	}
	defer sender.Close()
	missing := func() {
		t.Helper()
		if got := attempt(sender, fine); got.Verdict != engine.VerdictRetry || got.Status != "no file" || strings.Contains(got.Reason, "new.db") {
			t.Errorf("without the file: %+v", got)
		}
		if _, err := os.Stat(elsewhere); !os.IsNotExist(err) {
			t.Error("the file was made")
		}
	}
	missing()
	if err := os.Rename(file, elsewhere); err != nil {
		t.Fatal(err)
	}
	if got := attempt(sender, fine); got.Status != "upserted" {
		t.Errorf("with the file: %+v", got)
	}
	if err := os.Rename(elsewhere, file); err != nil {
		t.Fatal(err)
	}
	missing()
	// Another file in the same place is written to, not the one that was there.
	if err := os.WriteFile(elsewhere, []byte(strings.Repeat("no database ", 100)), 0o600); err != nil {
		t.Fatal(err)
	}
	if got := attempt(sender, fine); got.Verdict != engine.VerdictRetry || got.Status != "SQLITE_NOTADB" {
		t.Errorf("with another file: %+v", got)
	}
}

// A file that another program writes to is waited for, until shortly before the attempt has to end.
func TestALockedSQLiteFile(t *testing.T) {
	t.Parallel()
	for _, journal := range []string{"DELETE", "WAL"} {
		t.Run(journal, func(t *testing.T) {
			t.Parallel()
			b := sqliteBed(t, "sqlite", inSQLite)
			b.exec(t, `PRAGMA journal_mode = `+journal)
			b.exec(t, `BEGIN EXCLUSIVE`)
			// A tenth of its time is left to tell what it was. SQLite counts how long it meant to sleep: where a busy machine has it
			// sleep longer, that may be used up.
			for try := 1; ; try++ {
				var got engine.Outcome
				longer := oversleeping(func() { got = sendSQL(t, b.settings, 10*time.Second) })
				if got.Verdict == engine.VerdictRetry && got.Status == "timeout" && longer > 1.05 {
					if t.Logf("who sleeps here sleeps %.2f times as long", longer); try < 3 {
						continue
					}
				} else if got.Verdict != engine.VerdictRetry || got.Status != "SQLITE_BUSY" {
					t.Errorf("locked: %+v", got)
				}
				break
			}
			sender, outcome := b.sender(t), make(chan engine.Outcome)
			go func() { outcome <- attempt(sender, fine) }()
			b.exec(t, `COMMIT`)
			if got := <-outcome; got.Status != "upserted" {
				t.Errorf("after the lock: %+v", got)
			}
			if got := b.query(t, `PRAGMA journal_mode`); !strings.EqualFold(got, journal) {
				t.Errorf("the journal mode became %s, want %s", got, journal)
			}
		})
	}
}

// oversleeping does something, and tells how many times as long as he means to somebody sleeps meanwhile.
func oversleeping(do func()) float64 {
	const nap = 50 * time.Millisecond
	done, slept := make(chan struct{}), make(chan float64)
	go func() {
		naps, began := 0, time.Now()
		for {
			select {
			case <-done:
				slept <- float64(time.Since(began)) / float64(time.Duration(max(naps, 1))*nap)
				return
			default:
			}
			time.Sleep(nap)
			naps++
		}
	}()
	do()
	close(done)
	return <-slept
}

// A file or folder without permission to write is retried, and said loudly.
func TestAReadOnlySQLiteFile(t *testing.T) {
	if os.Getuid() == 0 && !becomeNobody(t) {
		return
	}
	b := sqliteBed(t, "sqlite", inSQLite)
	if err := os.Chmod(strings.TrimPrefix(b.settings.Database.Reveal(), engine.SchemeSQLite), 0o400); err != nil {
		t.Fatal(err)
	}
	if got := sendSQL(t, b.settings, 5*time.Second); got.Verdict != engine.VerdictRetry || !got.Refused || got.Status != "SQLITE_READONLY" {
		t.Errorf("outcome %+v", got)
	}
	if got := CheckSQL(context.Background(), &b.settings, nil); len(got) != 1 || !strings.Contains(got[0].Message, "may not be written") {
		t.Errorf("CheckSQL = %q", got)
	}
}

// nobody is a user without rights; root may write to every file.
const nobody, asNobody = 65534, "TEST_AS_NOBODY"

// becomeNobody runs the test once more in a process that gives root's rights away. It tells whether this is that process.
func becomeNobody(t *testing.T) bool {
	t.Helper()
	if os.Getenv(asNobody) != "" {
		if err := errors.Join(syscall.Setgroups(nil), syscall.Setgid(nobody), syscall.Setuid(nobody)); err != nil {
			t.Fatal(err)
		}
		return true
	}
	cmd := exec.Command(os.Args[0], "-test.run=^"+t.Name()+"$", "-test.v")
	cmd.Env = append(os.Environ(), asNobody+"=1")
	if out, err := cmd.CombinedOutput(); err != nil || !strings.Contains(string(out), "--- PASS: "+t.Name()) {
		t.Errorf("as nobody: %v\n%s", err, out)
	}
	return false
}
