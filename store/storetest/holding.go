package storetest

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/peanuts-router/peanuts-router/engine"
)

func (s suite) keepsHolds(t *testing.T) {
	db, now := s.new(t), later()
	const paused, open = engine.HeldPaused, engine.HeldBreaker
	for i, action := range []engine.ActionName{"told", "once", "free", "failing", "mended", "both"} {
		accept(t, db, event(t, i, time.Now().Truncate(time.Millisecond), action))
	}
	for _, hold := range []engine.Hold{
		pause("told", now), pause("told", now.Add(time.Minute)), pause("told", now.Add(time.Second)), pause("once", now.Add(-2*time.Hour)),
		trip("failing"), trip("failing"), trip("mended"), pause("both", now), trip("both"),
	} {
		if err := db.HoldAction(t.Context(), hold); err != nil {
			t.Fatalf("HoldAction(%v) = %v", hold, err)
		}
	}
	for _, lift := range []engine.Hold{trip("mended"), trip("told"), pause("nobody", now)} {
		if err := db.LiftHold(t.Context(), lift.Action, lift.Reason); err != nil {
			t.Fatalf("LiftHold(%v) = %v", lift, err)
		}
	}
	want := []engine.Hold{
		trip("both"), pause("both", now), trip("failing"), pause("told", now.Add(time.Minute)),
	}
	got, err := db.Holds(t.Context())
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("Holds(): %v\n%s", err, diff)
	}
	shows(t, db, map[engine.ActionName]engine.Held{"told": paused, "once": "", "free": "", "failing": open, "mended": "", "both": open})
	leaseOne(t, db, "told", now)
	shows(t, db, map[engine.ActionName]engine.Held{"told": "", "once": "", "free": "", "failing": open, "mended": "", "both": open})
}

// What is due after a pause has ended, or is not due yet while a breaker is open, waits for its time and for nothing else.
func (s suite) holdsOnlyWhatWaitsLonger(t *testing.T) {
	db, past, now := s.new(t), time.Now().Add(-time.Minute).Truncate(time.Millisecond).UTC(), later()
	for i, due := range []time.Time{past, now.Add(time.Hour)} {
		a := event(t, i, past, "told", "failing", "rated")
		a.Judgement.Owed[0].At, a.Judgement.Owed[1].At, a.Judgement.Owed[2].At = due, due, due
		accept(t, db, a)
	}
	for _, hold := range []engine.Hold{
		pause("told", now.Add(time.Minute)), trip("failing"),
		{Action: "told", Reason: engine.HeldRate, Until: now}, {Action: "rated", Reason: engine.HeldRate, Until: now.Add(2 * time.Hour)},
	} {
		if err := db.HoldAction(t.Context(), hold); err != nil {
			t.Fatalf("HoldAction(%v) = %v", hold, err)
		}
	}
	held := map[time.Time]map[engine.ActionName]engine.Held{}
	for _, d := range allDeliveries(t, db, filter("", "", "", ""), 10) {
		if held[d.NextAt] == nil {
			held[d.NextAt] = map[engine.ActionName]engine.Held{}
		}
		held[d.NextAt][d.Action] = d.Held
		if ends := d.Held == engine.HeldPaused; ends != d.HeldUntil.Equal(now.Add(time.Minute)) {
			t.Errorf("a delivery of %s, held by %q, is held until %s; only of a pause the end is known", d.Action, d.Held, d.HeldUntil)
		}
	}
	want := map[time.Time]map[engine.ActionName]engine.Held{
		past:               {"told": engine.HeldPaused, "failing": engine.HeldBreaker, "rated": engine.HeldRate},
		now.Add(time.Hour): {"told": "", "failing": "", "rated": ""},
	}
	if diff := cmp.Diff(want, held); diff != "" {
		t.Errorf("what holds the deliveries, by when they are due:\n%s", diff)
	}
}

func pause(action engine.ActionName, until time.Time) engine.Hold {
	return engine.Hold{Action: action, Reason: engine.HeldPaused, Until: until}
}

func trip(action engine.ActionName) engine.Hold {
	return engine.Hold{Action: action, Reason: engine.HeldBreaker}
}

// shows holds what the deliveries of actions are said to be held by against what is wanted.
func shows(t *testing.T, db Store, want map[engine.ActionName]engine.Held) {
	t.Helper()
	held := map[engine.ActionName]engine.Held{}
	for _, d := range allDeliveries(t, db, filter("", "", "", ""), 10) {
		held[d.Action] = d.Held
	}
	if diff := cmp.Diff(want, held); diff != "" {
		t.Errorf("what holds the deliveries:\n%s", diff)
	}
}
