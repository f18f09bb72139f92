package storetest

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/peanuts-router/peanuts-router/engine"
	"github.com/peanuts-router/peanuts-router/store"
)

func (s suite) exports(t *testing.T) {
	const dead = 230 // more than two batches
	db, now := s.new(t), later()
	var want []engine.DeliveryID
	bodies := map[engine.DeliveryID]string{}
	for n := range 3 {
		a := event(t, n, now)
		a.Judgement.Fired = []engine.RuleName{"r"}
		for range dead / 2 {
			a.Judgement.Owed = append(a.Judgement.Owed, engine.Owed{Rule: "r", Action: "ledger", Kind: engine.KindHTTP, Message: []byte(`{"body":"x"}`), Dead: "no"})
		}
		a.Judgement.Owed[0].Dead = ""
		accept(t, db, a)
		for i := range a.Judgement.Owed[1:] {
			id := engine.NewDeliveryID(a.ID, i+2)
			want, bodies[id] = append(want, id), string(a.Event.Raw)
		}
	}
	tried := kill(t, db, 9, "mail", now)
	var told []engine.DeliveryID
	err := db.EachDead(t.Context(), store.Filter{}, func(d engine.Delivery, body []byte) error {
		told = append(told, d.ID)
		if d.ID == tried {
			whole, history := delivery(t, db, tried)
			whole.History = history
			if diff := cmp.Diff(whole, d); diff != "" || len(history) != 1 {
				t.Errorf("a dead letter with %d attempts is told otherwise than it is shown:\n%s", len(history), diff)
			}
			return nil
		}
		if string(body) != bodies[d.ID] || string(d.Message) != `{"body":"x"}` || d.LastError != "no" || d.State != engine.Dead {
			t.Errorf("%s is told as %+v with the event %s", d.ID, d, body)
		}
		return nil
	})
	if diff := cmp.Diff(append(want, tried), told); err != nil || diff != "" {
		t.Errorf("EachDead() = %v:\n%s", err, diff)
	}
	enough, n := errors.New("enough"), 0
	err = db.EachDead(t.Context(), store.Filter{Action: "ledger"}, func(d engine.Delivery, _ []byte) error {
		if n++; n == 150 {
			return enough
		}
		return db.Replay(t.Context(), d.ID) // whoever listens may mend at once
	})
	if !errors.Is(err, enough) || n != 150 {
		t.Errorf("EachDead() told %d and ended with %v; want 150 and what ended it", n, err)
	}
}
