package storetest

import (
	"context"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/peanuts-router/peanuts-router/engine"
)

// Of what has a time only that moves with the clock which means a wait: what is tried again, a lease and a pause. A reminder
// that was not tried keeps its instant, and what is due stays so.
func (s suite) followsTheClock(t *testing.T) {
	for _, jump := range []time.Duration{24 * time.Hour, -30 * time.Minute, time.Second, -time.Second} {
		t.Run(jump.String(), func(t *testing.T) {
			db, now := s.new(t), later()
			past := now.Add(-2 * time.Hour)
			due := accept(t, db, event(t, 1, past, "due")).ID
			accept(t, db, event(t, 6, now.Add(-70*time.Minute), "just due"))
			for i := range 2 {
				ordered := event(t, 7+i, now.Add(-70*time.Minute), "in line")
				ordered.Judgement.Owed[0].Order = "x"
				accept(t, db, ordered)
			}
			remind := event(t, 2, past, "reminder")
			remind.Judgement.Owed[0].At = now.Add(time.Hour)
			accept(t, db, remind)
			tried := event(t, 3, past, "tried")
			tried.Judgement.Owed[0].At = past
			accept(t, db, tried)
			for i, action := range []engine.ActionName{"again", "leased"} {
				accept(t, db, event(t, 4+i, past, action))
			}
			for _, action := range []engine.ActionName{"again", "tried"} {
				lease := leaseOne(t, db, action, now)
				failed := lease.Settle(engine.Pending)
				failed.NextAt, failed.Attempt = now.Add(time.Minute), &engine.Attempt{At: now, Status: "503"}
				settle(t, db, failed)
			}
			lease := leaseOne(t, db, "leased", now)
			for _, hold := range []engine.Hold{pause("again", now.Add(time.Minute)), trip("due")} {
				if err := db.HoldAction(t.Context(), hold); err != nil {
					t.Fatal(err)
				}
			}
			followed := 0
			if err := db.FollowClock(t.Context(), jump, func() { followed++ }); err != nil || followed != 1 {
				t.Fatalf("FollowClock(%v) = %v, and it followed %d times; want once", jump, err, followed)
			}
			next := map[engine.ActionName]time.Duration{}
			for _, d := range allDeliveries(t, db, filter("", "", "", ""), 10) {
				switch {
				case d.Held == engine.HeldOrder:
					next["behind it"] = d.NextAt.Sub(now)
				case d.State == engine.Pending:
					next[d.Action] = d.NextAt.Sub(now)
				}
			}
			want := map[engine.ActionName]time.Duration{
				"due": -2 * time.Hour, "reminder": time.Hour, "tried": time.Minute + jump, "again": time.Minute + jump,
			}
			for _, action := range []engine.ActionName{"just due", "in line", "behind it"} {
				want[action] = -70 * time.Minute
				if jump < -10*time.Minute { // the clock is back before it was due
					want[action] += jump
				}
			}
			if diff := cmp.Diff(want, next); diff != "" {
				t.Errorf("when what waits is due, after now:\n%s", diff)
			}
			holds, err := db.Holds(t.Context())
			if diff := cmp.Diff([]engine.Hold{pause("again", now.Add(time.Minute+jump)), trip("due")}, holds); err != nil || diff != "" {
				t.Errorf("Holds(): %v\n%s", err, diff)
			}
			for _, round := range []struct {
				at   time.Time
				want int
			}{{lease.Until.Add(jump - time.Second), 0}, {lease.Until.Add(jump + time.Second), 1}} {
				if freed, err := db.ReleaseExpired(t.Context(), round.at); err != nil || freed != round.want {
					t.Errorf("ReleaseExpired(%v after the old end) = %d, %v; want %d", round.at.Sub(lease.Until), freed, err, round.want)
				}
			}
			if got := leaseOne(t, db, "due", now.Add(jump)); got.Event != due {
				t.Errorf("leased %s, want %s, which was due", got.Event, due)
			}
		})
	}
}

// What cannot be committed is not followed.
func (s suite) followsNothingInVain(t *testing.T) {
	db := s.new(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for range 20 { // a write that was taken before its caller went is carried out
		followed := false
		if err := db.FollowClock(ctx, time.Second, func() { followed = true }); (err == nil) != followed {
			t.Fatalf("FollowClock() = %v, and followed is %t", err, followed)
		}
	}
}
