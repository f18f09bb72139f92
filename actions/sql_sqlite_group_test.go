package actions

import (
	"context"
	"fmt"
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
			sender, err := New(engine.Action{Name: "table", Concurrency: 8, Settings: &b.settings}, Config{})
			if err != nil {
				t.Fatal(err)
			}
			defer sender.Close()
			file := sender.(*sqlSender).database.(*sqlite)
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

// Each change is carried out once, by one at a time, in however many groups.
func TestEachChangeIsCarriedOutOnce(t *testing.T) {
	g := newSQLiteGroup()
	var mu sync.Mutex
	var seen []*sqlChange
	var groups int
	carryOut := func(jobs []*sqliteJob) {
		if !mu.TryLock() {
			t.Error("two carry out changes at the same time")
			mu.Lock()
		}
		defer mu.Unlock()
		groups++
		for _, job := range jobs {
			seen = append(seen, job.change)
			job.rows = 1
		}
	}
	var all sync.WaitGroup
	for range 500 {
		all.Go(func() {
			if job, err := g.do(t.Context(), &sqlChange{}, carryOut); err != nil || job.rows != 1 {
				t.Errorf("do() = %+v, %v", job, err)
			}
		})
	}
	all.Wait()
	once := map[*sqlChange]bool{}
	for _, change := range seen {
		once[change] = true
	}
	if len(seen) != 500 || len(once) != 500 || groups > 500 {
		t.Errorf("%d changes were carried out, %d different ones, in %d groups; want 500, each once", len(seen), len(once), groups)
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
