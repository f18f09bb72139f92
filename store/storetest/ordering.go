package storetest

import (
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/peanuts-router/peanuts-router/engine"
)

// inLine stores the nth event with one delivery to an action, in a line, that is asked for as leased.
func inLine(t testing.TB, db Store, n int, now time.Time, action engine.ActionName, line string) (id engine.DeliveryID, leased []engine.Lease) {
	t.Helper()
	a := event(t, n, now, action)
	a.Judgement.Owed[0].Order, a.Judgement.Owed[0].Leased = line, true
	return engine.NewDeliveryID(a.ID, 1), accept(t, db, a).Leases
}

// due are the deliveries of an action that can be leased now, in their order.
func due(t testing.TB, db Store, action engine.ActionName, now time.Time) (leases []engine.Lease) {
	t.Helper()
	leases, err := db.Lease(t.Context(), action, 100, now, now.Add(time.Minute))
	if err != nil {
		t.Fatal(err)
	}
	return leases
}

func ids(leases []engine.Lease) (ids []engine.DeliveryID) {
	for _, lease := range leases {
		ids = append(ids, lease.ID)
	}
	return ids
}

func wantDue(t testing.TB, db Store, why string, now time.Time, want ...engine.DeliveryID) []engine.Lease {
	t.Helper()
	leases := due(t, db, "a", now)
	if diff := cmp.Diff(want, ids(leases)); diff != "" {
		t.Fatalf("%s: leased (-want +got):\n%s", why, diff)
	}
	return leases
}

func (s suite) sendsInLine(t *testing.T) {
	db, now := s.new(t), later()
	first, leased := inLine(t, db, 1, now, "a", "x")
	head := leased[0]
	second, none := inLine(t, db, 2, now, "a", "x")
	third, none3 := inLine(t, db, 3, now, "a", "x")
	if !head.Ordered || len(none)+len(none3) > 0 {
		t.Fatalf("the first of a line is leased as %+v, those behind it as %d leases; want it alone, as one of a line", head, len(none)+len(none3))
	}
	for i, free := range []struct {
		action engine.ActionName
		line   string
	}{{"a", "y"}, {"a", ""}, {"a", ""}, {"b", "x"}} {
		if _, leased := inLine(t, db, 4+i, now, free.action, free.line); len(leased) != 1 || leased[0].Ordered != (free.line != "") {
			t.Errorf("a delivery of %s in the line %q is leased as %+v, want it leased beside the others", free.action, free.line, leased)
		}
	}
	for id, want := range map[engine.DeliveryID]engine.Held{first: "", second: engine.HeldOrder, third: engine.HeldOrder} {
		if d, _ := delivery(t, db, id); d.Held != want {
			t.Errorf("%s is held by %q, want %q", id, d.Held, want)
		}
	}
	wantDue(t, db, "while the first is being sent", now.Add(time.Hour))
	if actions, err := db.Due(t.Context(), now.Add(time.Hour)); err != nil || len(actions) > 0 {
		t.Errorf("Due() = %v, %v; want no action: whatever is due waits in a line", actions, err)
	}

	retry := head.Settle(engine.Pending)
	retry.NextAt, retry.Attempt = now.Add(time.Minute), &engine.Attempt{At: now, Status: "503"}
	if recorded, err := db.Settle(t.Context(), retry); err != nil || recorded.Freed {
		t.Errorf("Settle(%+v) = %+v, %v; want nobody freed: it is tried again before the others", retry, recorded, err)
	}
	wantDue(t, db, "while the first waits for its next attempt", now.Add(time.Second))
	head = wantDue(t, db, "once that is due", now.Add(time.Minute), first)[0]
	if recorded := finish(t, db, head, engine.Delivered, now); !recorded.Freed {
		t.Error("the end of the first frees nobody, want the second")
	}
	head = wantDue(t, db, "after the first", now, second)[0]
	finish(t, db, head, engine.Dead, now)
	last := wantDue(t, db, "after the second", now, third)[0]
	if recorded := finish(t, db, last, engine.Delivered, now); recorded.Freed {
		t.Error("the end of the last one frees somebody")
	}
	if _, leased := inLine(t, db, 9, now, "a", "x"); len(leased) != 1 {
		t.Error("nothing is leased in a line that is empty again")
	}
}

func (s suite) movesUp(t *testing.T) {
	for how, leave := range map[string]func(*testing.T, Store, engine.Lease, time.Time){
		"delivered": func(t *testing.T, db Store, head engine.Lease, now time.Time) {
			finish(t, db, head, engine.Delivered, now)
		},
		"dead": func(t *testing.T, db Store, head engine.Lease, now time.Time) { finish(t, db, head, engine.Dead, now) },
		"discarded": func(t *testing.T, db Store, head engine.Lease, now time.Time) {
			back := head.Settle(engine.Pending)
			back.NextAt = now
			settle(t, db, back)
			if err := db.DiscardOpen(t.Context(), head.ID); err != nil {
				t.Fatal(err)
			}
		},
		"lost three times": func(t *testing.T, db Store, _ engine.Lease, now time.Time) {
			for i := range 3 {
				now = now.Add(2 * time.Minute)
				if _, err := db.ReleaseExpired(t.Context(), now); err != nil {
					t.Fatal(err)
				}
				if i < 2 {
					due(t, db, "a", now)
				}
			}
		},
	} {
		db, now := s.new(t), later()
		_, leased := inLine(t, db, 1, now, "a", "x")
		second, _ := inLine(t, db, 2, now, "a", "x")
		third, _ := inLine(t, db, 3, now, "a", "x")
		if err := db.DiscardOpen(t.Context(), second); err != nil { // from the midst of the line
			t.Fatal(err)
		}
		wantDue(t, db, "while the first is being sent", now)
		leave(t, db, leased[0], now)
		wantDue(t, db, "after the first was "+how, now.Add(time.Hour), third)
	}
}

func (s suite) joinsWhenDue(t *testing.T) {
	db, now := s.new(t), later()
	remind := func(n int, at time.Time) engine.DeliveryID {
		a := event(t, n, now, "a")
		a.Judgement.Owed[0].Order, a.Judgement.Owed[0].At = "x", at
		accept(t, db, a)
		return engine.NewDeliveryID(a.ID, 1)
	}
	early, late := remind(1, now.Add(time.Hour)), remind(2, now.Add(2*time.Hour))
	first, leased := inLine(t, db, 3, now, "a", "x")
	if len(leased) != 1 {
		t.Fatalf("what is due at once waits for %d reminders that are not", 2)
	}
	second, _ := inLine(t, db, 4, now, "a", "x")
	wantDue(t, db, "when a reminder comes due while another is sent", now.Add(time.Hour))
	if d, _ := delivery(t, db, early); d.Held != engine.HeldOrder {
		t.Errorf("a reminder that has come due is held by %q, want the order", d.Held)
	}
	finish(t, db, leased[0], engine.Dead, now)
	head := wantDue(t, db, "after the first", now.Add(time.Hour), early)[0]
	if err := db.Replay(t.Context(), first); err != nil {
		t.Fatal(err)
	}
	wantDue(t, db, "when a dead letter is replayed while another is sent", now.Add(time.Hour))
	finish(t, db, head, engine.Delivered, now)
	head = wantDue(t, db, "after the reminder", now.Add(time.Hour), first)[0]
	finish(t, db, head, engine.Delivered, now)
	head = wantDue(t, db, "after the replay", now.Add(time.Hour), second)[0]
	finish(t, db, head, engine.Delivered, now)
	wantDue(t, db, "before the last reminder is due", now.Add(time.Hour))
	wantDue(t, db, "once it is due", now.Add(2*time.Hour), late)
}

// F43: what may not be leased now hides nothing behind it, however much of it there is.
func (s suite) hidesNothing(t *testing.T) {
	db, now := s.new(t), later()
	const waiting = 20_000
	a := event(t, 1, now, slices.Repeat([]engine.ActionName{"a"}, waiting)...)
	for i := range a.Judgement.Owed {
		a.Judgement.Owed[i].Order = "x"
	}
	accept(t, db, a)
	head := wantDue(t, db, "of a line", now, engine.NewDeliveryID(a.ID, 1))[0]
	accept(t, db, event(t, 2, now.Add(time.Second), slices.Repeat([]engine.ActionName{"a"}, 10)...))
	leases, err := db.Lease(t.Context(), "a", 10, now.Add(time.Minute), now.Add(2*time.Minute))
	if err != nil || len(leases) != 10 {
		t.Errorf("Lease(10) behind %d that wait in a line = %d, %v; want the 10 that stand in none", waiting-1, len(leases), err)
	}
	if freed, err := db.ReleaseExpired(t.Context(), now.Add(3*time.Minute)); err != nil || freed != 11 {
		t.Errorf("ReleaseExpired() = %d, %v; want all 11 that have expired at once", freed, err)
	}
	wantStands(t, db, head.ID, engine.Pending)
}

func wantStands(t testing.TB, db Store, id engine.DeliveryID, want engine.State) {
	t.Helper()
	if d, _ := delivery(t, db, id); d.State != want {
		t.Errorf("%s is %s, want %s", id, d.State, want)
	}
}
