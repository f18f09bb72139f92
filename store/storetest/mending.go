package storetest

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

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
