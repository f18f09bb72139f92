package main

import (
	"context"
	"database/sql"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// F10, C17: another program that holds the store for a second is waited for. One that holds it for long makes events be
// refused with 503 after a while, none of them left hanging, and the router takes them again as soon as it lets go.
func TestAnotherWriterIsWaitedForAndThenEventsAreRefused(t *testing.T) {
	dir := t.TempDir()
	ledgerRules(t, dir, "http://127.0.0.1:9", "standard", "500")
	d := startDaemon(t, dir, nil, "--rules", "rules.yaml")
	answers := loadOn(t, d, 4)
	eventually(t, longEnough, "events are taken", func() bool { return answers.taken.Load() > 100 })

	release := lockStore(t, dir)
	<-time.After(time.Second)
	release()
	if n := answers.refused.Load(); n > 0 {
		t.Errorf("%d events were refused while another program held the store for a second, want them to wait", n)
	}

	release = lockStore(t, dir)
	held := time.Now()
	eventually(t, longEnough, "events are refused", func() bool { return answers.refused.Load() > 0 })
	<-time.After(time.Until(held.Add(time.Duration(sized(0, 30)) * time.Second)))
	release()
	taken := answers.taken.Load()
	recovery := eventually(t, 20*time.Second, "events are taken again", func() bool { return answers.taken.Load() > taken })
	answers.end()
	if n := countEvents(t, beside(t, dir)); n != int(answers.taken.Load()) {
		t.Errorf("%d events were answered with 200, and %d are stored", answers.taken.Load(), n)
	}
	if slowest := time.Duration(answers.slowest.Load()); slowest > 20*time.Second { // half of it for what else a busy machine does
		t.Errorf("an event was answered after %s, want 5 s of waiting for the other program and as much for the events before", slowest)
	}
	t.Logf("%d events taken, %d refused with 503, none hung: the slowest answer took %s; taken again %s after",
		answers.taken.Load(), answers.refused.Load(), time.Duration(answers.slowest.Load()).Round(time.Millisecond), recovery)
}

// F11: a program that reads an old state of the store for long holds up no event. The log grows by what is written meanwhile,
// and no further once it has gone.
func TestALongReaderHoldsUpNoEventAndTheLogEndsWithIt(t *testing.T) {
	dir := t.TempDir()
	ledgerRules(t, dir, "http://127.0.0.1:9", "standard", "500")
	d := startDaemon(t, dir, nil, "--rules", "rules.yaml")
	answers := loadOn(t, d, 4)
	more := func(n int64) {
		t.Helper()
		from := answers.taken.Load()
		eventually(t, 5*time.Minute, fmt.Sprintf("%d events are taken", n), func() bool { return answers.taken.Load() >= from+n })
	}
	log := func() int64 {
		info, err := os.Stat(filepath.Join(dir, "router.db-wal"))
		if err != nil {
			t.Fatal(err)
		}
		return info.Size()
	}
	events := int64(sized(1_000, 20_000))
	more(events)
	calm, alone := log(), answers.restart()
	conn := otherProgram(t, dir)
	execute(t, conn, `BEGIN`)
	execute(t, conn, `SELECT count(*) FROM events`)
	more(events)
	beside, peak := answers.restart(), log()
	execute(t, conn, `COMMIT`)
	// What copies the log may be long in coming on a busy machine, but no log that ends growing has grown after each of these.
	more(events)
	for size, rounds := log(), 1; ; rounds++ {
		more(events)
		before := size
		if size = log(); size <= before {
			break
		}
		if rounds == 10 {
			t.Errorf("the log had %d bytes with the reader there, and %d after it had gone and %d times as many events; want it to end growing", peak, size, rounds)
			break
		}
	}
	answers.end()
	if answers.refused.Load() > 0 {
		t.Errorf("%d events were refused", answers.refused.Load())
	}
	if beside > 20*alone+4*time.Second { // who waits for another program waits for 5 s
		t.Errorf("the slowest answer took %s beside the reader and %s without", beside, alone)
	}
	t.Logf("the log had %d KiB without a reader, and %d KiB after %d events beside it; the slowest answers took %s and %s", calm>>10, peak>>10, events, alone, beside)
}

// steadyLoad is events that keep coming, and what is answered.
type steadyLoad struct {
	taken, refused, slowest atomic.Int64
	ending                  atomic.Bool
	senders                 sync.WaitGroup
}

// loadOn sends a daemon one event after the other by several connections. An answer that is neither 200 nor 503 fails.
func loadOn(t *testing.T, d *daemon, connections int) *steadyLoad {
	l := &steadyLoad{}
	send := d.sender(30 * time.Second)
	for connection := range connections {
		l.senders.Go(func() {
			for n := 0; !l.ending.Load(); n++ {
				began := time.Now()
				_, err := send(expense(fmt.Sprintf("load-%d-%d", connection, n), "100"))
				for took := int64(time.Since(began)); ; {
					if slowest := l.slowest.Load(); took <= slowest || l.slowest.CompareAndSwap(slowest, took) {
						break
					}
				}
				switch {
				case err == nil:
					l.taken.Add(1)
				case refusedWith(err) == http.StatusServiceUnavailable:
					l.refused.Add(1)
				default:
					t.Errorf("an event was answered %v; the log:\n%s", err, d.logged())
					return
				}
			}
		})
	}
	t.Cleanup(l.end)
	return l
}

// restart begins anew to look for the slowest answer, and tells the one so far.
func (l *steadyLoad) restart() time.Duration { return time.Duration(l.slowest.Swap(0)) }

func (l *steadyLoad) end() {
	l.ending.Store(true)
	l.senders.Wait()
}

// lockStore has another program write to a store, until it is released.
func lockStore(t *testing.T, dir string) (release func()) {
	t.Helper()
	conn := otherProgram(t, dir)
	execute(t, conn, `BEGIN IMMEDIATE`)
	return func() {
		t.Helper()
		execute(t, conn, `ROLLBACK`)
	}
}

// otherProgram is a connection to a store that is not the daemon's.
func otherProgram(t *testing.T, dir string) *sql.Conn {
	t.Helper()
	db, err := sql.Open("sqlite", "file:"+filepath.Join(dir, "router.db")+"?_busy_timeout=60000")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	conn, err := db.Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return conn
}

func execute(t *testing.T, conn *sql.Conn, statement string) {
	t.Helper()
	if _, err := conn.ExecContext(context.Background(), statement); err != nil {
		t.Fatalf("%s: %v", statement, err)
	}
}
