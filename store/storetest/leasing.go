package storetest

import (
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/peanuts-router/peanuts-router/engine"
)

func (s suite) leasesOldestFirst(t *testing.T) {
	db, now := s.new(t), later()
	dues := []time.Duration{0, -2 * time.Second, time.Millisecond, -2 * time.Second, -time.Second}
	ids := make([]engine.DeliveryID, len(dues))
	for i, due := range dues {
		a := event(t, i, now.Add(due), "ledger", "other")
		accept(t, db, a)
		ids[i] = engine.NewDeliveryID(a.ID, 1)
	}
	until := now.Add(time.Minute)
	for _, ask := range []struct {
		n    int
		want []engine.DeliveryID
	}{{0, nil}, {-1, nil}, {3, []engine.DeliveryID{ids[1], ids[3], ids[4]}}, {9, []engine.DeliveryID{ids[0]}}, {9, nil}} {
		leases, err := db.Lease(t.Context(), "ledger", ask.n, now, until)
		var got []engine.DeliveryID
		for _, l := range leases {
			got = append(got, l.ID)
			if !l.Until.Equal(until) || l.Generation != 1 || l.State != engine.Sending || len(l.Body) == 0 || len(l.Message) == 0 {
				t.Errorf("Lease() gave %+v; want it sending, of generation 1 until %s, with body and message", l, until)
			}
		}
		if diff := cmp.Diff(ask.want, got); err != nil || diff != "" {
			t.Errorf("Lease(%d): %v\n%s", ask.n, err, diff)
		}
	}
}

func (s suite) leasesOnce(t *testing.T) {
	const deliveries, holders = 60, 6
	db, now := s.new(t), later()
	for i := range deliveries {
		accept(t, db, event(t, i, now, "ledger"))
	}
	var mu sync.Mutex
	got := map[engine.DeliveryID]int{}
	var leasing sync.WaitGroup
	for range holders {
		leasing.Go(func() {
			for {
				leases, err := db.Lease(t.Context(), "ledger", 7, now, now.Add(time.Minute))
				if err != nil {
					t.Errorf("Lease() = %v", err)
				}
				mu.Lock()
				for _, l := range leases {
					got[l.ID]++
				}
				mu.Unlock()
				if len(leases) == 0 {
					return
				}
			}
		})
	}
	leasing.Wait()
	for id, times := range got {
		if times != 1 {
			t.Errorf("%s was leased %d times", id, times)
		}
	}
	if len(got) != deliveries {
		t.Errorf("%d deliveries were leased, want %d", len(got), deliveries)
	}
}

func (s suite) takesOver(t *testing.T) {
	const expired = 300
	db, now := s.new(t), later()
	var first engine.Lease
	for i := range expired + 1 {
		a := event(t, i, now, "ledger")
		a.Judgement.Owed[0].Leased = true
		if i == expired {
			a.LeaseUntil = now.Add(2 * time.Hour)
		}
		if receipt := accept(t, db, a); i == 0 {
			first = receipt.Leases[0]
		}
	}
	end := first.Until
	for _, round := range []struct {
		at   time.Time
		want int
	}{{end.Add(-time.Second), 0}, {end, 0}, {end.Add(time.Second), expired}, {end.Add(time.Second), 0}} {
		if freed, err := db.ReleaseExpired(t.Context(), round.at); err != nil || freed != round.want {
			t.Errorf("ReleaseExpired(%s after the end) = %d, %v; want %d", round.at.Sub(end), freed, err, round.want)
		}
	}
	d, _ := delivery(t, db, first.ID)
	if d.State != engine.Pending || !d.NextAt.Equal(end.Add(time.Second)) || d.Attempts != 0 {
		t.Errorf("a delivery that was taken over is %s, due %s, with %d attempts; want pending, due now, 0", d.State, d.NextAt, d.Attempts)
	}
	again, err := db.Lease(t.Context(), "ledger", 1, end.Add(time.Second), end.Add(time.Hour))
	if err != nil || len(again) != 1 || again[0].ID != first.ID || again[0].Generation != 2 {
		t.Fatalf("Lease() after a takeover = %+v, %v; want %s of generation 2", again, err, first.ID)
	}
	want := first
	want.Generation, want.Until, want.NextAt = 2, end.Add(time.Hour), end.Add(time.Second)
	if diff := cmp.Diff(want, again[0]); diff != "" {
		t.Errorf("a lease from an acceptance, and the next from the store:\n%s", diff)
	}
}

// A reminder that was leased by a clock that was ahead waits for its instant again, by the clock as it is when the lease is
// taken over.
func (s suite) takesOverReminders(t *testing.T) {
	db, due := s.new(t), later()
	a := event(t, 1, due.Add(-time.Hour), "ledger")
	a.Judgement.Owed[0].At = due
	accept(t, db, a)
	leases, err := db.Lease(t.Context(), "ledger", 1, due, due.Add(-30*time.Minute))
	if err != nil || len(leases) != 1 {
		t.Fatalf("Lease() of a reminder that is due = %v, %v", leases, err)
	}
	if freed, err := db.ReleaseExpired(t.Context(), due.Add(-20*time.Minute)); err != nil || freed != 1 {
		t.Errorf("ReleaseExpired() = %d, %v; want 1", freed, err)
	}
	if d, _ := delivery(t, db, leases[0].ID); d.State != engine.Pending || !d.NextAt.Equal(due) {
		t.Errorf("a reminder of %s is %s, due %s; want it pending for its instant", due, d.State, d.NextAt)
	}
}

func (s suite) buriesWhatIsAlwaysLost(t *testing.T) {
	db, now := s.new(t), later()
	accept(t, db, event(t, 1, now, "ledger"))
	var lease engine.Lease
	lose := func(want engine.State) {
		t.Helper()
		lease = leaseOne(t, db, "ledger", now)
		now = now.Add(time.Hour)
		if n, err := db.ReleaseExpired(t.Context(), now); err != nil || n != 1 {
			t.Errorf("ReleaseExpired() = %d, %v; want 1", n, err)
		}
		if d, _ := delivery(t, db, lease.ID); d.State != want || d.LastError == "" || d.Attempts != 0 {
			t.Errorf("a delivery that lost a lease is %s, %q, with %d attempts; want %s with a reason and none", d.State, d.LastError, d.Attempts, want)
		}
	}
	lose(engine.Pending)
	lose(engine.Pending)
	lease = leaseOne(t, db, "ledger", now)
	settle(t, db, engine.Settlement{ID: lease.ID, Generation: lease.Generation, State: engine.Pending, NextAt: now}) // a result, so it begins anew
	lose(engine.Pending)
	lose(engine.Pending)
	lose(engine.Dead)
	if err := db.Replay(t.Context(), lease.ID); err != nil {
		t.Errorf("Replay() = %v", err)
	}
	lose(engine.Pending)
}

func (s suite) triesSuspectsAlone(t *testing.T) {
	db, now := s.new(t), later()
	accept(t, db, event(t, 1, now, "ledger", "ledger", "mail"))
	lease := func(action engine.ActionName, n, want int, suspected bool) []engine.Lease {
		t.Helper()
		leases, err := db.Lease(t.Context(), action, n, now, now.Add(time.Minute))
		if err != nil || len(leases) != want {
			t.Fatalf("Lease(%s, %d) = %d leases, %v; want %d", action, n, len(leases), err, want)
		}
		for _, l := range leases {
			if l.Suspect != (suspected && l.Event == leases[0].Event) {
				t.Errorf("Lease(%s) = %s with suspect %t", action, l.ID, l.Suspect)
			}
		}
		return leases
	}
	for range 2 { // all three are lost together, twice
		lease("ledger", 9, 2, false)
		lease("mail", 9, 1, false)
		now = now.Add(time.Hour)
		if _, err := db.ReleaseExpired(t.Context(), now); err != nil {
			t.Fatalf("ReleaseExpired() = %v", err)
		}
	}
	accept(t, db, event(t, 2, now, "ledger"))
	first := lease("ledger", 2, 2, true) // the younger delivery makes up for the suspect that waits
	lease("ledger", 9, 0, false)
	lease("mail", 9, 0, false)
	settle(t, db, engine.Settlement{ID: first[0].ID, Generation: first[0].Generation, State: engine.Delivered, Attempt: &engine.Attempt{At: now}})
	lease("mail", 9, 1, true)
	lease("ledger", 9, 0, false)
	now = now.Add(time.Hour) // whatever was leased is lost again: of the suspects only the one that was tried
	if n, err := db.ReleaseExpired(t.Context(), now); err != nil || n != 2 {
		t.Errorf("ReleaseExpired() = %d, %v; want 2", n, err)
	}
	if dead := allDeliveries(t, db, filter(engine.Dead, "", "", ""), 10); len(dead) != 1 || dead[0].Action != "mail" {
		t.Errorf("dead are %+v, want the one of mail", dead)
	}
	lease("ledger", 9, 2, true)
}

func (s suite) namesDueActions(t *testing.T) {
	db, now := s.new(t), later()
	for i := range 3 {
		accept(t, db, event(t, i, now, "a", "b"))
		accept(t, db, event(t, 10+i, now.Add(time.Minute), "c"))
		accept(t, db, event(t, 20+i, now.Add(time.Millisecond), "a"))
	}
	for _, ask := range []struct {
		at   time.Duration
		want []engine.ActionName
	}{{-time.Millisecond, nil}, {0, []engine.ActionName{"a", "b"}}, {time.Minute, []engine.ActionName{"a", "b", "c"}}} {
		got, err := db.Due(t.Context(), now.Add(ask.at))
		slices.Sort(got)
		if diff := cmp.Diff(ask.want, got); err != nil || diff != "" {
			t.Errorf("Due(%s): %v\n%s", ask.at, err, diff)
		}
	}
}
