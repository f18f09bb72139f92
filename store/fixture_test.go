package store_test

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/peanuts-router/peanuts-router/engine"
	"github.com/peanuts-router/peanuts-router/peanuts"
	"github.com/peanuts-router/peanuts-router/store"
)

// acceptance is an event whose bytes tell n, with one delivery owed to each action.
func acceptance(n int, now time.Time, actions ...engine.ActionName) *engine.Acceptance {
	body := fmt.Sprintf(`{"event":"entry.created","timestamp":"2026-11-23T12:00:00Z","helper":{"id":"h1","name":"Expenses","command":"/expenses"},`+
		`"entry":{"id":"entry-%d","created_at":"2026-11-23T12:00:00Z","data":{"amount":750.5,"category":"Travel","description":"flight %d"}},"user":{"id":"u1"}}`, n, n)
	a := &engine.Acceptance{
		ID: engine.EventID(uuid.Must(uuid.NewV7()).String()), ReceivedAt: now, LeaseUntil: now.Add(time.Minute),
		Event: &peanuts.Event{Event: "entry.created", Helper: peanuts.Helper{Command: "/expenses"}, Entry: peanuts.Entry{ID: fmt.Sprint("entry-", n)}, Raw: []byte(body)},
	}
	a.Judge = func(engine.Known) (j engine.Judgement) {
		j.Generation = 1
		for _, action := range actions {
			j.Fired = []engine.RuleName{"high-expense"}
			j.Owed = append(j.Owed, engine.Owed{
				Rule: "high-expense", Action: action, Kind: engine.KindHTTP, Message: json.RawMessage(`{"json":{"amount":750.5,"category":"Travel"}}`),
			})
		}
		return j
	}
	return a
}

// leaseFirst asks for the first delivery of an event as leased.
func leaseFirst(a *engine.Acceptance) {
	judge := a.Judge
	a.Judge = func(known engine.Known) engine.Judgement {
		j := judge(known)
		j.Owed[0].Leased = true
		return j
	}
}

// shut closes a store.
func shut(t testing.TB, s *store.Store) {
	t.Helper()
	if err := s.Close(); err != nil {
		t.Errorf("Close() = %v", err)
	}
}

// eventually waits for a condition that other goroutines or processes bring about.
func eventually(t testing.TB, what string, holds func() bool) {
	t.Helper()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	end := time.NewTimer(2 * time.Minute)
	defer end.Stop()
	for !holds() {
		select {
		case <-tick.C:
		case <-end.C:
			t.Fatalf("it did not come about that %s", what)
		}
	}
}
