package storetest

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/peanuts-router/peanuts-router/engine"
	"github.com/peanuts-router/peanuts-router/store"
)

func (s suite) mendsByFilter(t *testing.T) {
	now := later()
	day := 24 * time.Hour
	for _, c := range []struct {
		name   string
		filter func(first engine.EventID) store.Filter
		want   []int // the numbers of the deliveries that it is for
	}{
		{"everything", func(engine.EventID) store.Filter { return store.Filter{} }, []int{1, 2, 3, 5, 6, 7}},
		{"a state, which does not matter", func(engine.EventID) store.Filter { return store.Filter{State: engine.Pending} }, []int{1, 2, 3, 5, 6, 7}},
		{"a rule", func(engine.EventID) store.Filter { return store.Filter{Rule: "high"} }, []int{1, 2, 5, 6}},
		{"an action", func(engine.EventID) store.Filter { return store.Filter{Action: "mail"} }, []int{2, 6}},
		{"an event", func(first engine.EventID) store.Filter { return store.Filter{Event: first} }, []int{1, 2, 3}},
		{"since a moment", func(engine.EventID) store.Filter { return store.Filter{Since: now} }, []int{5, 6, 7}},
		{"since just after", func(engine.EventID) store.Filter { return store.Filter{Since: now.Add(time.Millisecond)} }, nil},
		{"a part of the reason", func(engine.EventID) store.Filter { return store.Filter{Reason: "100%_"} }, []int{3, 7}},
		{"a reason that none has", func(engine.EventID) store.Filter { return store.Filter{Reason: "100.*"} }, nil},
		{"several, which all must hold", func(first engine.EventID) store.Filter {
			return store.Filter{Rule: "high", Action: "ledger", Event: first, Since: now.Add(-2 * day), Reason: "404"}
		}, []int{1}},
		{"a rule that is not there", func(engine.EventID) store.Filter { return store.Filter{Rule: "hig"} }, nil},
	} {
		for _, state := range []engine.State{engine.Pending, engine.Discarded} {
			db := s.new(t)
			ids := someDead(t, db, now.Add(-day), now)
			filter := c.filter(ids[0].event)
			mend := db.ReplayDead
			if state == engine.Discarded {
				mend = db.DiscardDead
			}
			if n, err := db.CountDead(t.Context(), filter); err != nil || n != len(c.want) {
				t.Errorf("%s: CountDead() = %d, %v; want %d", c.name, n, err, len(c.want))
			}
			for _, want := range []int{len(c.want), 0} {
				if n, err := mend(t.Context(), filter); err != nil || n != want {
					t.Errorf("%s: mended to %s %d, %v; want %d", c.name, state, n, err, want)
				}
			}
			var mended []int
			for i, one := range ids {
				d, _ := delivery(t, db, one.id)
				if d.State != one.was {
					mended = append(mended, i+1)
				}
				if d.State != one.was && d.State != state {
					t.Errorf("%s: delivery %d is %s; want %s", c.name, i+1, d.State, state)
				}
			}
			if diff := cmp.Diff(c.want, mended); diff != "" {
				t.Errorf("%s, mended to %s:\n%s", c.name, state, diff)
			}
		}
	}
}

func (s suite) discardsWhatWaits(t *testing.T) {
	db, now := s.new(t), later()
	a := event(t, 1, now, "ledger", "ledger", "ledger", "ledger")
	a.Judgement.Owed[1].Leased, a.Judgement.Owed[2].Leased, a.Judgement.Owed[3].Dead = true, true, "no"
	leases := accept(t, db, a).Leases
	pending, sending, delivered, dead := engine.NewDeliveryID(a.ID, 1), leases[0].ID, leases[1].ID, engine.NewDeliveryID(a.ID, 4)
	settle(t, db, engine.Settlement{ID: delivered, Generation: 1, State: engine.Delivered, Attempt: &engine.Attempt{At: now}})
	for _, c := range []struct {
		id    engine.DeliveryID
		want  error
		after engine.State
	}{
		{pending, nil, engine.Discarded},
		{pending, store.ErrNotOpen, engine.Discarded},
		{sending, store.ErrSending, engine.Sending},
		{delivered, store.ErrNotOpen, engine.Delivered},
		{dead, nil, engine.Discarded},
	} {
		if err := db.DiscardOpen(t.Context(), c.id); !cmp.Equal(err, c.want, cmpopts.EquateErrors()) {
			t.Errorf("DiscardOpen(%s) = %v, want %v", c.id, err, c.want)
		}
		if d, _ := delivery(t, db, c.id); d.State != c.after {
			t.Errorf("%s is %s after DiscardOpen(), want %s", c.id, d.State, c.after)
		}
	}
	if err := db.DiscardOpen(t.Context(), "nobody-1"); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("DiscardOpen(nobody-1) = %v, want ErrNotFound", err)
	}
	if leases, err := db.Lease(t.Context(), "ledger", 4, now.Add(time.Hour), now.Add(2*time.Hour)); err != nil || len(leases) != 0 {
		t.Errorf("Lease() of what was discarded = %d, %v; want nothing", len(leases), err)
	}
	// A lease that was taken back leaves a delivery that waits; the result of whoever had it comes too late then.
	if n, err := db.ReleaseExpired(t.Context(), now.Add(time.Hour)); err != nil || n != 1 {
		t.Fatalf("ReleaseExpired() = %d, %v; want 1", n, err)
	}
	if err := db.DiscardOpen(t.Context(), sending); err != nil {
		t.Errorf("DiscardOpen() of what waits again = %v", err)
	}
	late := engine.Settlement{ID: sending, Generation: 1, State: engine.Delivered, Attempt: &engine.Attempt{At: now}}
	if recorded, err := db.Settle(t.Context(), late); err != nil || recorded.Applied {
		t.Errorf("Settle() of what was discarded = %+v, %v; want nothing changed", recorded, err)
	}
}

// aged is a delivery with the state that it was left in.
type aged struct {
	id    engine.DeliveryID
	event engine.EventID
	was   engine.State
}

// someDead stores two events with three dead letters and a delivery that waits each.
func someDead(t *testing.T, db Store, times ...time.Time) (owed []aged) {
	t.Helper()
	for n, at := range times {
		a := event(t, n, at)
		a.Judgement.Fired = []engine.RuleName{"high", "low"}
		for _, o := range []engine.Owed{
			{Rule: "high", Action: "ledger", Dead: "gave up: 404 Not Found"},
			{Rule: "high", Action: "mail", Dead: "gave up: 550"},
			{Rule: "low", Action: "ledger", Dead: "refused: 100%_ sure"},
			{Rule: "high", Action: "ledger"},
		} {
			o.Kind, o.Message = engine.KindHTTP, []byte(`{}`)
			a.Judgement.Owed = append(a.Judgement.Owed, o)
		}
		accept(t, db, a)
		for i, state := range []engine.State{engine.Dead, engine.Dead, engine.Dead, engine.Pending} {
			owed = append(owed, aged{engine.NewDeliveryID(a.ID, i+1), a.ID, state})
		}
	}
	return owed
}
