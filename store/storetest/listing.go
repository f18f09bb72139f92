package storetest

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/peanuts-router/peanuts-router/engine"
	"github.com/peanuts-router/peanuts-router/store"
)

func page(limit int) store.Page { return store.Page{Limit: limit} }

func filter(state engine.State, action, rule string, event engine.EventID) store.Filter {
	return store.Filter{State: state, Action: engine.ActionName(action), Rule: engine.RuleName(rule), Event: event}
}

func (s suite) walksLists(t *testing.T) {
	const events = 53
	db, now := s.new(t), later()
	var ids []engine.EventID           // the newest first
	var deliveries []engine.DeliveryID // likewise
	for i := range events {
		a := event(t, i, now, "ledger", "mail")
		accept(t, db, a)
		ids = append([]engine.EventID{a.ID}, ids...)
		deliveries = append([]engine.DeliveryID{engine.NewDeliveryID(a.ID, 2), engine.NewDeliveryID(a.ID, 1)}, deliveries...)
	}
	for _, limit := range []int{1, 7, events - 1, events, events + 1, 1000, 5000} {
		var got []engine.EventID
		for p := page(limit); ; {
			some, next, err := db.Events(t.Context(), p)
			if err != nil || len(some) > limit || (len(some) == 0 && p.Cursor != "") {
				t.Fatalf("Events(%+v) = %d, %v", p, len(some), err)
			}
			for _, e := range some {
				got = append(got, e.ID)
				if len(e.Deliveries) != 2 || e.Deliveries[0].ID != engine.NewDeliveryID(e.ID, 1) || e.Payload != "" {
					t.Errorf("event %s is listed with %d deliveries; want its own two, and no payload", e.ID, len(e.Deliveries))
				}
			}
			if p.Cursor = next; next == "" {
				break
			}
		}
		if diff := cmp.Diff(ids, got); diff != "" {
			t.Errorf("events by %d:\n%s", limit, diff)
		}
	}
	var walked []engine.DeliveryID
	for _, d := range allDeliveries(t, db, store.Filter{}, 10) {
		walked = append(walked, d.ID)
	}
	if diff := cmp.Diff(deliveries, walked); diff != "" {
		t.Errorf("deliveries by 10:\n%s", diff)
	}
	if some, next, err := db.Events(t.Context(), store.Page{}); err != nil || len(some) != 50 || next == "" {
		t.Errorf("Events() without a limit = %d, next %q, %v; want 50 and a next", len(some), next, err)
	}
	for _, want := range []struct {
		filter store.Filter
		n      int
	}{
		{filter(engine.Pending, "", "", ""), 2 * events}, {filter(engine.Dead, "", "", ""), 0}, {filter(engine.Delivered, "", "", ""), 0},
		{filter(engine.Pending, "mail", "high-expense", ""), events}, {filter("", "mail", "", ids[0]), 1}, {filter("", "", "other", ""), 0},
		{filter("", "", "", ids[3]), 2}, {filter("no such state", "", "", ""), 0},
	} {
		if got := allDeliveries(t, db, want.filter, 100); len(got) != want.n {
			t.Errorf("Deliveries(%+v) = %d, want %d", want.filter, len(got), want.n)
		}
	}
	for _, cursor := range []string{"!", "0", "AAAA", "' OR 1=1", "MTI=", "OTk5OTk5OTk5OTk5OTk5OTk5OTk5OTk5"} {
		if _, _, err := db.Events(t.Context(), store.Page{Cursor: cursor}); !errors.Is(err, store.ErrBadCursor) {
			t.Errorf("Events() with the cursor %q = %v; want ErrBadCursor", cursor, err)
		}
		if _, _, err := db.Deliveries(t.Context(), store.Filter{}, store.Page{Cursor: cursor}); !errors.Is(err, store.ErrBadCursor) {
			t.Errorf("Deliveries() with the cursor %q = %v; want ErrBadCursor", cursor, err)
		}
	}
}

func (s suite) findsEvents(t *testing.T) {
	db, now := s.new(t), later()
	for i, id := range []engine.EventID{"01aa-1", "01aa-12", "01ab-1", "02%"} {
		a := event(t, i, now.Add(time.Duration(i)), "ledger")
		a.ID = id
		accept(t, db, a)
	}
	for _, find := range []struct {
		prefix string
		want   engine.EventID
		err    error
	}{
		{"01ab", "01ab-1", nil}, {"01aa-1", "01aa-1", nil}, {"01aa-12", "01aa-12", nil}, {"02", "02%", nil},
		{"01a", "", store.ErrAmbiguous}, {"03", "", store.ErrNotFound}, {"%", "", store.ErrNotFound}, {"", "", store.ErrNotFound},
	} {
		if got, err := db.FindEvent(t.Context(), find.prefix); got != find.want || !errors.Is(err, find.err) {
			t.Errorf("FindEvent(%q) = %q, %v; want %q, %v", find.prefix, got, err, find.want, find.err)
		}
	}
	if _, err := db.Event(t.Context(), "01"); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("Event() of the beginning of an id = %v; want ErrNotFound", err)
	}
	if _, _, err := db.Delivery(t.Context(), "01ab-1-2"); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("Delivery() of no delivery = %v; want ErrNotFound", err)
	}
}
