package storetest

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/peanuts-router/peanuts-router/engine"
	"github.com/peanuts-router/peanuts-router/peanuts"
)

// named is an acceptance of an event of another name, with one delivery owed to each action.
func named(t *testing.T, n int, name string, now time.Time, actions ...engine.ActionName) *judged {
	t.Helper()
	a := event(t, n, now, actions...)
	parsed, err := peanuts.Parse(fmt.Appendf(nil, `{"event":%q,"helper":{"command":"/router"},"entry":{"data":{"n":%d}}}`, name, n))
	if err != nil {
		t.Fatal(err)
	}
	a.Event = parsed
	return a
}

// alert is an acceptance of one of the router's own events.
func alert(t *testing.T, n int, remember engine.Alert, actions ...engine.ActionName) *judged {
	t.Helper()
	a := named(t, n, remember.Event, remember.At, actions...)
	a.Alert = &remember
	return a
}

// untold is how many dead letters of each action were not told.
func untold(t *testing.T, s Store) map[engine.ActionName]int {
	t.Helper()
	found, err := s.Untold(t.Context())
	if err != nil {
		t.Fatalf("Untold() = %v", err)
	}
	counts := map[engine.ActionName]int{}
	for _, u := range found {
		counts[u.Action] = u.Count
	}
	return counts
}

// loseLeases has the deliveries to an action lose three leases in a row.
func loseLeases(t *testing.T, s Store, action engine.ActionName, now time.Time) {
	t.Helper()
	for range 3 {
		leaseOne(t, s, action, now)
		now = now.Add(2 * time.Minute)
		if _, err := s.ReleaseExpired(t.Context(), now); err != nil {
			t.Fatal(err)
		}
	}
}

func (s suite) countsDeaths(t *testing.T) {
	db, now := s.new(t), later()
	first := kill(t, db, 1, "ledger", now)
	born := event(t, 2, now, "ledger", "ledger", "table", "fine")
	born.Judgement.Owed[0].Dead, born.Judgement.Owed[1].Dead, born.Judgement.Owed[2].Dead = "no value", "no value", "no value"
	accept(t, db, born)
	shadowed := event(t, 3, now, "table")
	shadowed.Judgement.Owed[0].Dead, shadowed.Judgement.Owed[0].Shadow = "no value", true
	accept(t, db, shadowed)
	accept(t, db, event(t, 4, now, "crash"))
	loseLeases(t, db, "crash", now)
	if err := db.Replay(t.Context(), first); err != nil {
		t.Fatal(err)
	}
	lease := leaseOne(t, db, "ledger", later().Add(time.Hour))
	again := engine.Attempt{At: now, Status: "404 Not Found", Error: "no such page"}
	settle(t, db, engine.Settlement{ID: first, Generation: lease.Generation, State: engine.Dead, Reason: "dead again", Attempt: &again})
	stale := engine.Settlement{ID: first, Generation: lease.Generation, State: engine.Dead, Reason: "stale"}
	if recorded, err := db.Settle(t.Context(), stale); err != nil || recorded.Applied {
		t.Fatalf("Settle(stale) = %+v, %v; want nothing changed", recorded, err)
	}
	if got, want := untold(t, db), (map[engine.ActionName]int{"ledger": 4, "table": 1, "crash": 1}); !cmp.Equal(got, want) {
		t.Errorf("died, and not told: %v, want %v", got, want)
	}
	dead, err := db.DeadLetters(t.Context())
	if want := (map[engine.ActionName]int{"ledger": 3, "table": 1, "crash": 1}); err != nil || !cmp.Equal(dead, want) {
		t.Errorf("DeadLetters() = %v, %v; want %v", dead, err, want)
	}
	found, err := db.Untold(t.Context())
	if err != nil || len(found) != 3 {
		t.Fatalf("Untold() = %+v, %v; want three actions", found, err)
	}
	newest := engine.Delivery{
		ID: first, Event: engine.EventID(first[:len(first)-2]), Rule: "high-expense", Action: "ledger", Attempts: 2, LastStatus: "404 Not Found", LastError: "dead again",
	}
	if diff := cmp.Diff(newest, found[1].Newest); diff != "" {
		t.Errorf("the ledger's newest (-want +got):\n%s", diff)
	}
}

func (s suite) remembersAlerts(t *testing.T) {
	db, now := s.new(t), later()
	for n := range 5 {
		kill(t, db, n, "ledger", now)
	}
	raised := alert(t, 10, engine.Alert{Event: engine.EventDeadLetter, Action: "ledger", Told: 3, At: now}, "ops", "ops")
	raised.Judgement.Owed[1].Dead = "no value"
	accept(t, db, raised)
	repeat := alert(t, 10, *raised.Alert, "ops")
	if receipt, err := db.Accept(t.Context(), repeat.Acceptance); err != nil || !receipt.Duplicate {
		t.Fatalf("Accept(the same bytes) = %+v, %v; want a duplicate", receipt, err)
	}
	if got, want := untold(t, db), (map[engine.ActionName]int{"ledger": 2}); !cmp.Equal(got, want) {
		t.Errorf("after 3 of 5 were told once, and a dead alert, %v are untold, want %v", got, want)
	}
	if lease := leaseOne(t, db, "ops", now); !lease.Own {
		t.Error("the lease of an alert does not say that it is one")
	}
	record, err := db.Event(t.Context(), raised.ID)
	if err != nil || !record.Own {
		t.Errorf("Event() = %+v, %v; want the router's own", record, err)
	}
	accept(t, db, alert(t, 11, engine.Alert{Event: engine.EventDeadLetter, Action: "ledger", Told: 2, At: now.Add(time.Minute)}, "ops"))
	accept(t, db, alert(t, 12, engine.Alert{Event: engine.EventReloadFailed, About: "which", At: now}, "ops"))
	want := []engine.Alert{
		{Event: engine.EventDeadLetter, Action: "ledger", At: now.Add(time.Minute)},
		{Event: engine.EventReloadFailed, About: "which", At: now},
	}
	if got, err := db.Alerts(t.Context()); err != nil || !cmp.Equal(got, want) {
		t.Errorf("Alerts() = %+v, %v; want %+v", got, err, want)
	}
	if got := untold(t, db); len(got) != 0 {
		t.Errorf("after all were told %v are untold", got)
	}
	accept(t, db, named(t, 13, engine.EventDeadLetter, now, "other"))
	if lease := leaseOne(t, db, "other", now); lease.Own {
		t.Error("an event from outside passes as the router's own by its name")
	}
}
