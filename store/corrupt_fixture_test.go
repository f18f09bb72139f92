package store_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/peanuts-router/peanuts-router/engine"
	"github.com/peanuts-router/peanuts-router/peanuts"
	"github.com/peanuts-router/peanuts-router/store"
)

// keepTheRest fills the books that keepBooks leaves empty: a replay, a row of a table, what a claim suppressed, a hold, an
// alert, a reminder, and rules that were kept.
func keepTheRest(t *testing.T, s *store.Store) {
	t.Helper()
	const third, fourth = "00000000-0000-7000-8000-000000000003", "00000000-0000-7000-8000-000000000004"
	follower := acceptance(50, noon)
	follower.ID, follower.Judge = third, func(engine.Known) engine.Judgement {
		return engine.Judgement{
			Generation: 1, Fired: []engine.RuleName{"mirror"}, Suppressed: []engine.Suppressed{{Rule: "tell", By: "00000000-0000-7000-8000-000000000001"}},
			Owed: []engine.Owed{
				{Rule: "mirror", Action: "mail", Kind: engine.KindSQL, Message: []byte(`{}`), Sync: engine.SyncUpsert},
				{Rule: "mirror", Step: 1, Action: "mail", Kind: engine.KindHTTP, Message: []byte(`{}`), At: noon.Add(time.Minute), Order: "x"},
			},
		}
	}
	spike, err := peanuts.Parse([]byte(`{"event":"router.failure_spike","helper":{"command":"/router"},"entry":{"id":"spike"}}`))
	if err != nil {
		t.Fatal(err)
	}
	alert := &engine.Acceptance{
		ID: fourth, Event: spike, ReceivedAt: noon, Alert: &engine.Alert{Event: "router.failure_spike", Action: "mail", About: "it", At: noon},
		Judge: func(engine.Known) engine.Judgement { return engine.Judgement{Generation: 1} },
	}
	for _, a := range []*engine.Acceptance{follower, alert} {
		if _, err := s.Accept(t.Context(), a); err != nil {
			t.Fatal(err)
		}
	}
	again := &engine.Rejudging{ID: third, Event: follower.Event, At: noon, Rules: "new.yaml", Digest: "d", Judge: func(engine.Known) engine.Judgement {
		return engine.Judgement{
			Generation: 1, Fired: []engine.RuleName{"again"},
			Owed: []engine.Owed{{Rule: "again", Action: "mail", Kind: engine.KindHTTP, Message: []byte(`{}`)}},
		}
	}}
	if _, err := s.ReplayEvent(t.Context(), again); err != nil {
		t.Fatal(err)
	}
	for _, hold := range []engine.Hold{{Action: "mail", Reason: engine.HeldPaused}, {Action: "ledger", Reason: engine.HeldBreaker, Until: noon.Add(time.Hour)}} {
		if err := s.HoldAction(t.Context(), hold); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.KeepRules(t.Context(), []engine.RulesFile{{Name: "rules.yaml", Text: "rules: []"}}); err != nil {
		t.Fatal(err)
	}
}

// whatIsKnown has an event judged that comes after others of its entry, and again bytes that came before.
func whatIsKnown(ctx context.Context, s *store.Store) (told []string, err error) {
	a := acceptance(50, noon.Add(time.Second))
	a.Event.Raw = append([]byte(" "), a.Event.Raw...)
	a.ID = "00000000-0000-7000-8000-000000000009"
	a.Event.Entry.CreatedAt = noon.Add(time.Minute)
	a.Judge = func(known engine.Known) engine.Judgement {
		told = []string{fmt.Sprint("late ", known.Late), "claimed by " + string(known.Claimed(engine.Claim{Rule: "tell", Value: "1"}))}
		if known.Synced != nil {
			told = append(told, fmt.Sprint("synced ", known.Synced(engine.StepID{Rule: "mirror"})))
		}
		if known.Before == nil {
			return engine.Judgement{Generation: 1}
		}
		if before := known.Before(); before != nil {
			told = append(told, string(before.Raw))
		}
		return engine.Judgement{Generation: 1}
	}
	if _, err := s.Accept(ctx, a); err != nil {
		return nil, err
	}
	receipt, err := s.Accept(ctx, acceptance(0, noon))
	return append(told, fmt.Sprint(receipt.ID, receipt.Duplicate)), err
}
