package actions

import (
	"context"
	"database/sql"
	"fmt"
	"net/url"
	"sync"
	"testing"
	"time"

	"github.com/peanuts-router/peanuts-router/engine"
)

// Changes that come while another one is carried out are carried out together. One that is refused makes none of the others
// suffer, and one whose attempt is over by then is left out.
func TestRowsThatComeTogetherAreWrittenTogether(t *testing.T) {
	for name, refused := range map[string]bool{"all can be written": false, "one is refused": true} {
		t.Run(name, func(t *testing.T) {
			b := sqliteBed(t, "sqlite", inSQLite)
			sender, file := grouping(t, b)
			file.group.turn <- struct{}{} // somebody has the turn
			outcomes := make([]engine.Outcome, 20)
			var attempts sync.WaitGroup
			for i := range outcomes {
				positive := 1
				if refused && i == 7 {
					positive = -1
				}
				message := fmt.Sprintf(`{"version":"1","columns":[{"name":"external_id","value":"e%d"},{"name":"positive","value":%d}]}`, i, positive)
				attempts.Go(func() { outcomes[i] = sender.Send(t.Context(), shipment(message)) })
			}
			until(t, "all changes wait", func() bool { return file.group.size() == len(outcomes) })
			over, end := context.WithCancel(t.Context())
			end()
			late := sender.Send(over, shipment(`{"version":"1","columns":[{"name":"external_id","value":"late"}]}`))
			if late.Verdict != engine.VerdictRetry || file.group.size() != len(outcomes) {
				t.Errorf("a change whose attempt is over: %+v, and %d wait; want a retry, and %d", late, file.group.size(), len(outcomes))
			}
			<-file.group.turn
			attempts.Wait()
			for i, got := range outcomes {
				want := engine.VerdictDelivered
				if refused && i == 7 {
					want = engine.VerdictDead
				}
				if got.Verdict != want {
					t.Errorf("change %d: %+v, want %s", i, got, want)
				}
			}
			want := fmt.Sprint(len(outcomes))
			if refused {
				want = fmt.Sprint(len(outcomes) - 1)
			}
			if got := b.query(t, "SELECT count(*) FROM expenses"); got != want {
				t.Errorf("the table has %s rows, want %s", got, want)
			}
		})
	}
}

// grouping is a sender of a bed of SQLite, with what carries its changes out.
func grouping(t *testing.T, b bed) (Sender, *sqlite) {
	t.Helper()
	sender, err := New(engine.Action{Name: "table", Concurrency: 8, Settings: &b.settings}, Config{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(sender.Close)
	return sender, sender.(*sqlSender).database.(*sqlite)
}

// An attempt ends in its time, also when it has the turn and others wait that have more (C8).
func TestAnAttemptDoesNotOutlastItsTimeForOthers(t *testing.T) {
	b := sqliteBed(t, "sqlite", inSQLite)
	sender, file := grouping(t, b)
	b.exec(t, "PRAGMA journal_mode = DELETE")
	unlock := locked(t, file.path)
	file.group.turn <- struct{}{} // somebody has the turn
	send := func(id string, within time.Duration) <-chan engine.Outcome {
		waiting, outcome := file.group.size(), make(chan engine.Outcome, 1)
		go func() {
			ctx, cancel := context.WithTimeout(t.Context(), within)
			defer cancel()
			outcome <- sender.Send(ctx, shipment(fmt.Sprintf(`{"version":"1","columns":[{"name":"external_id","value":%q}]}`, id)))
		}()
		until(t, "the change waits", func() bool { return file.group.size() > waiting })
		return outcome
	}
	first := send("first", 300*time.Millisecond)
	second := send("second", 10*time.Second)
	<-file.group.turn
	select {
	case got := <-first:
		if got.Verdict != engine.VerdictRetry {
			t.Errorf("the first attempt at a file that is locked: %+v, want a retry", got)
		}
	case <-time.After(5 * time.Second):
		t.Error("the first attempt goes on after its time, for the second that has more")
	}
	unlock()
	if got := <-second; got.Verdict != engine.VerdictDelivered {
		t.Errorf("the second attempt once the file is free: %+v, want it delivered", got)
	}
	if waiting := file.group.size(); waiting != 0 {
		t.Errorf("%d changes wait for ever, want none", waiting)
	}
}

// locked is a database that another program writes to, until it is unlocked.
func locked(t *testing.T, path string) (unlock func()) {
	t.Helper()
	db, err := sql.Open("sqlite", (&url.URL{Scheme: "file", OmitHost: true, Path: path}).String())
	if err != nil {
		t.Fatal(err)
	}
	db.SetMaxOpenConns(1)
	if _, err := db.Exec("BEGIN IMMEDIATE"); err != nil {
		t.Fatal(err)
	}
	return func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	}
}

// countedWork counts what it carries out. In groups of more than three one is refused.
type countedWork struct {
	t      *testing.T
	mu     sync.Mutex
	seen   []*sqlChange
	groups int
}

func (w *countedWork) together(_ context.Context, jobs []*sqliteJob) error {
	if len(jobs) > 3 {
		return errNotTogether
	}
	w.carryOut(jobs...)
	return nil
}

func (w *countedWork) alone(_ context.Context, job *sqliteJob) { w.carryOut(job) }

func (w *countedWork) carryOut(jobs ...*sqliteJob) {
	if !w.mu.TryLock() {
		w.t.Error("two carry out changes at the same time")
		w.mu.Lock()
	}
	defer w.mu.Unlock()
	w.groups++
	for _, job := range jobs {
		w.seen = append(w.seen, job.change)
		job.rows = 1
	}
}

// Each change is carried out once, by one at a time, in however many groups.
func TestEachChangeIsCarriedOutOnce(t *testing.T) {
	g, work := newSQLiteGroup(), &countedWork{t: t}
	var all sync.WaitGroup
	for range 500 {
		all.Go(func() {
			if job, err := g.do(t.Context(), &sqlChange{}, work); err != nil || job.rows != 1 {
				t.Errorf("do() = %+v, %v", job, err)
			}
		})
	}
	all.Wait()
	once := map[*sqlChange]bool{}
	for _, change := range work.seen {
		once[change] = true
	}
	if len(work.seen) != 500 || len(once) != 500 || work.groups > 500 {
		t.Errorf("%d changes were carried out, %d different ones, in %d groups; want 500, each once", len(work.seen), len(once), work.groups)
	}
}

// panickyWork panics over the first group.
type panickyWork struct {
	countedWork
	panicked bool
}

func (w *panickyWork) together(ctx context.Context, jobs []*sqliteJob) error {
	if !w.panicked {
		w.panicked = true
		panic("over a group")
	}
	return w.countedWork.together(ctx, jobs)
}

// Whoever panics over a group leaves nobody waiting, and lets nobody believe that his change was carried out (F42).
func TestAPanicOverAGroupIsNobodyElses(t *testing.T) {
	g, work := newSQLiteGroup(), &panickyWork{countedWork: countedWork{t: t}}
	g.turn <- struct{}{} // somebody has the turn
	var all sync.WaitGroup
	for range 20 {
		all.Go(func() {
			defer func() { _ = recover() }() // as the courier does
			if job, err := g.do(t.Context(), &sqlChange{}, work); err != nil || job.rows != 1 {
				t.Errorf("do() = %+v, %v after another panicked, want the change carried out", job, err)
			}
		})
	}
	until(t, "all changes wait", func() bool { return g.size() == 20 })
	<-g.turn
	all.Wait()
	if waiting := g.size(); waiting != 0 || len(work.seen) != 19 {
		t.Errorf("%d changes were carried out and %d wait for ever, want all but the one that panicked", len(work.seen), waiting)
	}
}

func (g *sqliteGroup) size() int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return len(g.waiting)
}

// until waits for a condition that others bring about.
func until(t *testing.T, what string, holds func() bool) {
	t.Helper()
	deadline := time.Now().Add(time.Minute)
	for !holds() {
		if time.Now().After(deadline) {
			t.Fatalf("waited in vain for this: %s", what)
		}
		<-time.After(time.Millisecond)
	}
}
