package storetest

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/peanuts-router/peanuts-router/engine"
	"github.com/peanuts-router/peanuts-router/store"
)

func (s suite) settles(t *testing.T) {
	db, now := s.new(t), later()
	a := event(t, 1, now, "ledger")
	accept(t, db, a)
	id := engine.NewDeliveryID(a.ID, 1)
	refused := engine.Attempt{At: now, Took: 1234 * time.Microsecond, Status: "503 Service Unavailable", Error: "answered 503", Answer: "busy"}
	steps := []struct {
		say  engine.Settlement
		want engine.Delivery
	}{
		{engine.Settlement{State: engine.Pending, NextAt: now}, // handed back untried
			engine.Delivery{State: engine.Pending, NextAt: now}},
		{engine.Settlement{State: engine.Pending, NextAt: now.Add(time.Second), Attempt: &refused},
			engine.Delivery{State: engine.Pending, NextAt: now.Add(time.Second), Attempts: 1, LastStatus: refused.Status, LastError: refused.Error}},
		{engine.Settlement{State: engine.Pending, NextAt: now.Add(2 * time.Second)},
			engine.Delivery{State: engine.Pending, NextAt: now.Add(2 * time.Second), Attempts: 1, LastStatus: refused.Status, LastError: refused.Error}},
		{engine.Settlement{State: engine.Delivered, Attempt: &engine.Attempt{At: now, Took: time.Second, Status: "200 OK", Answer: "thanks"}},
			engine.Delivery{State: engine.Delivered, Attempts: 2, LastStatus: "200 OK"}},
	}
	for i, step := range steps {
		lease := leaseOne(t, db, "ledger", now.Add(time.Minute))
		if lease.Generation != int64(i+1) || lease.Attempts != step.want.Attempts-count(step.say.Attempt) {
			t.Errorf("lease %d has generation %d and %d attempts", i+1, lease.Generation, lease.Attempts)
		}
		step.say.ID, step.say.Generation = id, lease.Generation
		settle(t, db, step.say)
		want := step.want
		want.ID, want.Event, want.Rule, want.Action, want.Kind = id, a.ID, "high-expense", "ledger", engine.KindHTTP
		want.CreatedAt, want.Message = now, a.Judgement.Owed[0].Message
		if got, _ := delivery(t, db, id); cmp.Diff(want, got) != "" {
			t.Errorf("after Settle(%+v):\n%s", step.say, cmp.Diff(want, got))
		}
	}
	_, history := delivery(t, db, id)
	refused.N = 1
	want := []engine.Attempt{refused, {N: 2, At: now, Took: time.Second, Status: "200 OK"}}
	if diff := cmp.Diff(want, history); diff != "" {
		t.Errorf("history, where the answer of the success is not kept:\n%s", diff)
	}
}

func count(a *engine.Attempt) int {
	if a == nil {
		return 0
	}
	return 1
}

func (s suite) refusesStaleResults(t *testing.T) {
	db, now := s.new(t), later()
	a := event(t, 1, now, "ledger")
	a.Judgement.Owed[0].Leased = true
	stale := accept(t, db, a).Leases[0]
	if n, err := db.ReleaseExpired(t.Context(), now.Add(time.Hour)); err != nil || n != 1 {
		t.Fatalf("ReleaseExpired() = %d, %v; want 1", n, err)
	}
	late := engine.Settlement{ID: stale.ID, State: engine.Delivered, Attempt: &engine.Attempt{At: now, Status: "200 OK"}}
	refused := func(when string, generation int64) {
		t.Helper()
		before, historyBefore := delivery(t, db, stale.ID)
		late.Generation = generation
		if recorded, err := db.Settle(t.Context(), late); err != nil || recorded.Applied {
			t.Errorf("Settle() %s = %t, %v; want false", when, recorded.Applied, err)
		}
		after, history := delivery(t, db, stale.ID)
		if diff := cmp.Diff(before, after) + cmp.Diff(historyBefore, history); diff != "" {
			t.Errorf("Settle() %s changed\n%s", when, diff)
		}
	}
	refused("of a lease that was taken back", 1)
	fresh := leaseOne(t, db, "ledger", now.Add(time.Hour))
	refused("of the lease before", 1)
	refused("of a lease that was never given", 3)
	settle(t, db, engine.Settlement{ID: fresh.ID, Generation: fresh.Generation, State: engine.Delivered, Attempt: &engine.Attempt{At: now}})
	refused("of a lease that was settled", fresh.Generation)
	late.ID = "nobody-1"
	if recorded, err := db.Settle(t.Context(), late); err != nil || recorded.Applied {
		t.Errorf("Settle() of no delivery = %t, %v; want false", recorded.Applied, err)
	}
	for _, state := range []engine.State{engine.Sending, engine.Discarded, "", "done"} {
		if recorded, err := db.Settle(t.Context(), engine.Settlement{ID: fresh.ID, Generation: fresh.Generation, State: state}); err == nil || recorded.Applied {
			t.Errorf("Settle() to %q = %t, %v; want an error", state, recorded.Applied, err)
		}
	}
}

func (s suite) replays(t *testing.T) {
	db, now := s.new(t), later()
	id := kill(t, db, 1, "ledger", now)
	before, history := delivery(t, db, id)
	if err := db.Replay(t.Context(), id); err != nil {
		t.Fatalf("Replay(%s) = %v", id, err)
	}
	after, historyAfter := delivery(t, db, id)
	if after.State != engine.Pending || after.NextAt.IsZero() || after.NextAt.After(now) {
		t.Errorf("a replayed delivery is %s, due %s; want pending, due at once", after.State, after.NextAt)
	}
	before.State, before.NextAt = after.State, after.NextAt
	if diff := cmp.Diff(before, after) + cmp.Diff(history, historyAfter); diff != "" {
		t.Errorf("Replay() changed more than the state:\n%s", diff)
	}
	lease := leaseOne(t, db, "ledger", now)
	if lease.PlanFrom != 1 || lease.Attempts != 1 || lease.Generation != 3 || lease.ID.Key() != id.Key() {
		t.Errorf("lease of a replayed delivery: plan from %d, %d attempts, generation %d; want 1, 1, 3", lease.PlanFrom, lease.Attempts, lease.Generation)
	}
	settle(t, db, engine.Settlement{ID: id, Generation: lease.Generation, State: engine.Delivered, Attempt: &engine.Attempt{At: now, Status: "200 OK"}})
	if _, history := delivery(t, db, id); len(history) != 2 || history[1].N != 2 {
		t.Errorf("history after a replay: %+v; want attempts 1 and 2", history)
	}
}

func (s suite) mendsOnlyTheDead(t *testing.T) {
	db, now := s.new(t), later()
	a := event(t, 1, now, "pending", "sending", "delivered")
	a.Judgement.Owed[1].Leased, a.Judgement.Owed[2].Leased = true, true
	leases := accept(t, db, a).Leases
	settle(t, db, engine.Settlement{ID: leases[1].ID, Generation: 1, State: engine.Delivered, Attempt: &engine.Attempt{At: now}})
	discarded := kill(t, db, 2, "discarded", now)
	if err := db.Discard(t.Context(), discarded); err != nil {
		t.Fatalf("Discard() = %v", err)
	}
	for name, mend := range map[string]func(engine.DeliveryID) error{
		"Replay":  func(id engine.DeliveryID) error { return db.Replay(t.Context(), id) },
		"Discard": func(id engine.DeliveryID) error { return db.Discard(t.Context(), id) },
	} {
		for i, state := range []engine.State{engine.Pending, engine.Sending, engine.Delivered} {
			if err := mend(engine.NewDeliveryID(a.ID, i+1)); !errors.Is(err, store.ErrNotDead) || !strings.Contains(err.Error(), string(state)) {
				t.Errorf("%s of one that is %s = %v; want ErrNotDead and the state", name, state, err)
			}
		}
		if err := mend(discarded); !errors.Is(err, store.ErrNotDead) || !strings.Contains(err.Error(), "discarded") {
			t.Errorf("%s of a discarded one = %v; want ErrNotDead and the state", name, err)
		}
		for _, id := range []engine.DeliveryID{"", "-", "x", "x-1", engine.DeliveryID(a.ID), discarded + "0", engine.DeliveryID(a.ID) + "-01", engine.DeliveryID(a.ID) + "-+1"} {
			if err := mend(id); !errors.Is(err, store.ErrNotFound) {
				t.Errorf("%s(%q) = %v; want ErrNotFound", name, id, err)
			}
		}
	}
}

func (s suite) replaysAll(t *testing.T) {
	const dead = 1100 // more than two batches
	db, now := s.new(t), later()
	a := event(t, 1, now, "alive")
	for range dead {
		a.Judgement.Owed = append(a.Judgement.Owed, engine.Owed{Rule: "high-expense", Action: "ledger", Kind: engine.KindHTTP, Message: []byte(`{}`), Dead: "no"})
	}
	accept(t, db, a)
	for _, want := range []int{dead, 0} {
		if n, err := db.ReplayDead(t.Context(), store.Filter{}); err != nil || n != want {
			t.Fatalf("ReplayDead() = %d, %v; want %d", n, err, want)
		}
	}
	leases, err := db.Lease(t.Context(), "ledger", dead+1, now, now.Add(time.Minute))
	if err != nil || len(leases) != dead {
		t.Errorf("Lease() after ReplayDead() = %d, %v; want %d", len(leases), err, dead)
	}
}
