package storetest

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/peanuts-router/peanuts-router/engine"
	"github.com/peanuts-router/peanuts-router/peanuts"
	"github.com/peanuts-router/peanuts-router/store"
)

// later is a moment by which whatever a store has dated itself is due, in the precision that every store keeps.
func later() time.Time { return time.Now().Add(time.Hour).Truncate(time.Millisecond).UTC() }

// judged is an acceptance whose judgement is known beforehand.
type judged struct {
	*engine.Acceptance
	Judgement engine.Judgement
}

func newJudged(a *engine.Acceptance, j engine.Judgement) *judged {
	known := &judged{Acceptance: a, Judgement: j}
	a.Judge = func(engine.Known) engine.Judgement { return known.Judgement }
	return known
}

// event is an acceptance of an event whose bytes tell n, with one delivery owed to each action.
func event(t testing.TB, n int, now time.Time, actions ...engine.ActionName) *judged {
	t.Helper()
	body := fmt.Sprintf(`{"event":"entry.created","helper":{"command":"/expenses"},"entry":{"id":"e%d","data":{"n":%d}}}`, n, n)
	parsed, err := peanuts.Parse([]byte(body))
	if err != nil {
		t.Fatalf("Parse(%s) = %v", body, err)
	}
	a := newJudged(&engine.Acceptance{ID: newID(t), ReceivedAt: now, Event: parsed, LeaseUntil: now.Add(time.Minute)}, engine.Judgement{Generation: 1})
	for _, action := range actions {
		a.Judgement.Fired = []engine.RuleName{"high-expense"}
		a.Judgement.Owed = append(a.Judgement.Owed, engine.Owed{
			Rule: "high-expense", Action: action, Kind: engine.KindHTTP, Message: json.RawMessage(fmt.Sprintf(`{"json":{"n":%d}}`, n)),
		})
	}
	return a
}

func newID(t testing.TB) engine.EventID {
	t.Helper()
	id, err := uuid.NewV7()
	if err != nil {
		t.Fatal(err)
	}
	return engine.EventID(id.String())
}

// accept stores an event that is new.
func accept(t testing.TB, s Store, a *judged) engine.Receipt {
	t.Helper()
	receipt, err := s.Accept(t.Context(), a.Acceptance)
	if err != nil || receipt.Duplicate || receipt.ID != a.ID {
		t.Fatalf("Accept(%s) = %+v, %v; want it stored", a.ID, receipt, err)
	}
	return receipt
}

// leaseOne leases the one delivery that is due.
func leaseOne(t testing.TB, s Store, action engine.ActionName, now time.Time) engine.Lease {
	t.Helper()
	leases, err := s.Lease(t.Context(), action, 2, now, now.Add(time.Minute))
	if err != nil || len(leases) != 1 {
		t.Fatalf("Lease(%s) = %d leases, %v; want 1", action, len(leases), err)
	}
	return leases[0]
}

// settle records a result that counts.
func settle(t testing.TB, s Store, settlement engine.Settlement) {
	t.Helper()
	if recorded, err := s.Settle(t.Context(), settlement); err != nil || !recorded.Applied {
		t.Fatalf("Settle(%+v) = %+v, %v; want it applied", settlement, recorded, err)
	}
}

// kill stores an event and lets its delivery to an action die after one attempt.
func kill(t testing.TB, s Store, n int, action engine.ActionName, now time.Time) engine.DeliveryID {
	t.Helper()
	a := event(t, n, now, action)
	a.Judgement.Owed[0].Leased = true
	lease := accept(t, s, a).Leases[0]
	settle(t, s, engine.Settlement{
		ID: lease.ID, Generation: lease.Generation, State: engine.Dead, Reason: "404",
		Attempt: &engine.Attempt{At: now, Took: 1500 * time.Microsecond, Status: "404 Not Found", Error: "no such page", Answer: "<h1>no</h1>"},
	})
	return lease.ID
}

// delivery reads a delivery that is there.
func delivery(t testing.TB, s Store, id engine.DeliveryID) (engine.Delivery, []engine.Attempt) {
	t.Helper()
	d, history, err := s.Delivery(t.Context(), id)
	if err != nil {
		t.Fatalf("Delivery(%s) = %v", id, err)
	}
	return d, history
}

// allDeliveries walks a list in small pages.
func allDeliveries(t testing.TB, s Store, filter store.Filter, limit int) []engine.Delivery {
	t.Helper()
	var all []engine.Delivery
	for page := (store.Page{Limit: limit}); ; {
		some, next, err := s.Deliveries(t.Context(), filter, page)
		if err != nil || len(some) > limit {
			t.Fatalf("Deliveries(%+v, %+v) = %d, %v; want up to %d", filter, page, len(some), err, limit)
		}
		all = append(all, some...)
		if next == "" {
			return all
		}
		page.Cursor = next
	}
}
