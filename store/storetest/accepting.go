package storetest

import (
	"encoding/json"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/peanuts-router/peanuts-router/engine"
	"github.com/peanuts-router/peanuts-router/peanuts"
)

func (s suite) readsBack(t *testing.T) {
	db, now := s.new(t), later()
	a := event(t, 1, now, "ledger")
	a.Judgement.Fired = []engine.RuleName{"high-expense"}
	a.Judgement.Suppressed = []engine.Suppressed{{Rule: "once", By: newID(t)}}
	a.Judgement.Disabled = []engine.RuleName{"off"}
	a.Judgement.Errors = []engine.RuleError{{Rule: "broken", Message: "overflow"}}
	a.Judgement.Mismatches = []engine.Mismatch{{Rule: "typed", Expr: "entry.data.n > 5", Value: int64(9007199254740993), Place: "rules.yaml:3:4"}}
	accept(t, db, a)
	want := engine.EventRecord{
		ID: a.ID, ReceivedAt: now, Name: "entry.created", Helper: "/expenses", EntryID: "e1", Payload: string(a.Event.Raw),
		Verdicts: engine.Verdicts{
			Fired: a.Judgement.Fired, Suppressed: a.Judgement.Suppressed, Disabled: a.Judgement.Disabled, Errors: a.Judgement.Errors,
			Mismatches: []engine.Mismatch{{Rule: "typed", Expr: "entry.data.n > 5", Value: json.Number("9007199254740993"), Place: "rules.yaml:3:4"}},
		},
		Deliveries: []engine.Delivery{{
			ID: engine.NewDeliveryID(a.ID, 1), Event: a.ID, Rule: "high-expense", Action: "ledger", Kind: engine.KindHTTP,
			State: engine.Pending, CreatedAt: now, NextAt: now,
		}},
	}
	got, err := db.Event(t.Context(), a.ID)
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("Event(%s): %v\n%s", a.ID, err, diff)
	}
	want.Payload = ""
	listed, next, err := db.Events(t.Context(), page(10))
	if diff := cmp.Diff([]engine.EventRecord{want}, listed); err != nil || next != "" || diff != "" {
		t.Errorf("Events() next %q, %v\n%s", next, err, diff)
	}
	d, history := delivery(t, db, engine.NewDeliveryID(a.ID, 1))
	want.Deliveries[0].Message = a.Judgement.Owed[0].Message
	if diff := cmp.Diff(want.Deliveries[0], d); diff != "" || len(history) != 0 {
		t.Errorf("Delivery(), history %v\n%s", history, diff)
	}
	if err := db.Writable(t.Context()); err != nil {
		t.Errorf("Writable() = %v, want nil", err)
	}
}

// hostile texts try to leave the place they are put in.
var hostile = []string{
	`'; DROP TABLE deliveries; --`, `" OR 1=1 --`, "\x00after", "a\x00b", `%_\`, "${HOME}", "{{ 1 }}", "\u202e\ufeff", "\r\nX: y",
	`?1 :a @b $c`, "𝕏🚨\u0301", `{"$ref":"#"}`, "x';\nATTACH DATABASE '/tmp/x' AS x;--", " ",
}

func (s suite) keepsHostileText(t *testing.T) {
	db, now := s.unaudited(t), later() // such bodies get past no door, so that an audit would complain
	for i, text := range hostile {
		message, err := json.Marshal(text) // a store that holds a message of another kind is broken
		if err != nil {
			t.Fatal(err)
		}
		a := event(t, i, now, engine.ActionName(text))
		a.Event = &peanuts.Event{Event: text, Helper: peanuts.Helper{Command: text}, Entry: peanuts.Entry{ID: text}, Raw: []byte("body " + text)}
		a.Judgement.Fired = []engine.RuleName{engine.RuleName(text)}
		a.Judgement.Owed[0].Rule, a.Judgement.Owed[0].Kind = engine.RuleName(text), engine.Kind(text)
		a.Judgement.Owed[0].Message = message
		accept(t, db, a)
		lease := leaseOne(t, db, engine.ActionName(text), now)
		settle(t, db, engine.Settlement{
			ID: lease.ID, Generation: lease.Generation, State: engine.Dead, Reason: text,
			Attempt: &engine.Attempt{At: now, Status: text, Error: text, Answer: text},
		})
		wantDelivery := engine.Delivery{
			ID: lease.ID, Event: a.ID, Rule: engine.RuleName(text), Action: engine.ActionName(text), Kind: engine.Kind(text), State: engine.Dead,
			Attempts: 1, CreatedAt: now, LastStatus: text, LastError: text,
		}
		wantEvent := engine.EventRecord{
			ID: a.ID, ReceivedAt: now, Name: text, Helper: text, EntryID: text, Payload: "body " + text,
			Verdicts:   engine.Verdicts{Fired: a.Judgement.Fired, Suppressed: []engine.Suppressed{}, Errors: []engine.RuleError{}, Mismatches: []engine.Mismatch{}},
			Deliveries: []engine.Delivery{wantDelivery},
		}
		got, err := db.Event(t.Context(), a.ID)
		if diff := cmp.Diff(wantEvent, got); err != nil || diff != "" {
			t.Errorf("Event() with %q: %v\n%s", text, err, diff)
		}
		d, history := delivery(t, db, lease.ID)
		wantDelivery.Message = message
		wantHistory := []engine.Attempt{{N: 1, At: now, Status: text, Error: text, Answer: text}}
		if diff := cmp.Diff(wantDelivery, d) + cmp.Diff(wantHistory, history); diff != "" {
			t.Errorf("Delivery() with %q:\n%s", text, diff)
		}
		found, _, err := db.Deliveries(t.Context(), filter("", text, text, a.ID), page(0))
		if err != nil || len(found) != 1 {
			t.Errorf("Deliveries() by %q = %d, %v, want 1", text, len(found), err)
		}
	}
}

func (s suite) knowsDuplicates(t *testing.T) {
	const copies = 50
	db, now := s.new(t), later()
	receipts := make([]engine.Receipt, copies)
	var sending sync.WaitGroup
	for i := range copies {
		a := event(t, 1, now, "ledger")
		a.Judgement.Owed[0].Leased = true
		sending.Go(func() {
			var err error
			if receipts[i], err = db.Accept(t.Context(), a.Acceptance); err != nil {
				t.Errorf("Accept() = %v", err)
			}
		})
	}
	sending.Wait()
	fresh, leases := 0, 0
	for _, r := range receipts {
		leases += len(r.Leases)
		if !r.Duplicate {
			fresh++
		}
		if r.ID != receipts[0].ID {
			t.Errorf("Accept() gave the ids %s and %s to the same bytes", r.ID, receipts[0].ID)
		}
	}
	if fresh != 1 || leases != 1 {
		t.Errorf("%d of %d equal bodies were new with %d leases, want 1 with 1", fresh, copies, leases)
	}
	got, err := db.Event(t.Context(), receipts[0].ID)
	if err != nil || got.Duplicates != copies-1 || len(got.Deliveries) != 1 {
		t.Errorf("Event() = %d duplicates, %d deliveries, %v; want %d, 1", got.Duplicates, len(got.Deliveries), err, copies-1)
	}
}

func (s suite) tellsEventsApart(t *testing.T) {
	db, now := s.new(t), later()
	a, b := event(t, 1, now), event(t, 1, now)
	b.Event = &peanuts.Event{Event: a.Event.Event, Helper: a.Event.Helper, Entry: a.Event.Entry, Raw: append([]byte(" "), a.Event.Raw...)}
	accept(t, db, a)
	accept(t, db, b)
}

func (s suite) owes(t *testing.T) {
	db, now := s.new(t), later()
	a := event(t, 1, now, "waits", "goes", "fails")
	a.Judgement.Owed[1].Leased = true
	a.Judgement.Owed[2].Dead = "cannot be rendered"
	a.Judgement.Owed[2].Leased = true // what is dead is leased to nobody
	receipt := accept(t, db, a)
	record, err := db.Event(t.Context(), a.ID)
	if err != nil {
		t.Fatalf("Event() = %v", err)
	}
	base := engine.Delivery{Event: a.ID, Rule: "high-expense", Kind: engine.KindHTTP, CreatedAt: now}
	waits, goes, fails := base, base, base
	waits.ID, waits.Action, waits.State, waits.NextAt = engine.NewDeliveryID(a.ID, 1), "waits", engine.Pending, now
	goes.ID, goes.Action, goes.State = engine.NewDeliveryID(a.ID, 2), "goes", engine.Sending
	fails.ID, fails.Action, fails.State, fails.LastError = engine.NewDeliveryID(a.ID, 3), "fails", engine.Dead, "cannot be rendered"
	if diff := cmp.Diff([]engine.Delivery{waits, goes, fails}, record.Deliveries); diff != "" {
		t.Errorf("deliveries of an accepted event:\n%s", diff)
	}
	goes.Message, goes.NextAt = a.Judgement.Owed[1].Message, now
	want := []engine.Lease{{Delivery: goes, Generation: 1, Until: a.LeaseUntil, Body: a.Event.Raw, ReceivedAt: now}}
	if diff := cmp.Diff(want, receipt.Leases, cmpopts.IgnoreFields(engine.Lease{}, "Row")); diff != "" {
		t.Errorf("leases of an accepted event:\n%s", diff)
	}
	counts, err := db.Counts(t.Context())
	if diff := cmp.Diff(map[engine.State]int{engine.Pending: 1, engine.Sending: 1, engine.Dead: 1}, counts); err != nil || diff != "" {
		t.Errorf("Counts(): %v\n%s", err, diff)
	}
}
