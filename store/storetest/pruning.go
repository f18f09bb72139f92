package storetest

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/peanuts-router/peanuts-router/engine"
	"github.com/peanuts-router/peanuts-router/peanuts"
	"github.com/peanuts-router/peanuts-router/store"
)

func (s suite) prunes(t *testing.T) {
	db, rules := s.new(t), loadRules(t, once)
	say := func(entry string, minute int, data string) engine.EventID {
		t.Helper()
		return tell(t, db, rules, entry, version{peanuts.EntryUpdated, minute, data}).ID
	}
	const silent = `{"key":"none","done":true}`
	far := time.Date(2060, 1, 1, 0, 0, 0, 0, time.UTC)
	// Each entry has a second version, so that the first is not the newest. The courier makes of the first what is to be.
	first := map[string]engine.EventID{}
	for _, name := range []string{"delivered", "discarded", "dead", "sending"} {
		first[name] = say(name, 1, fmt.Sprintf(`{"key":%q,"done":true}`, name))
		lease := leaseOf(t, db, "tell", noon())
		switch name {
		case "delivered":
			finish(t, db, lease, engine.Delivered, noon())
		case "discarded", "dead":
			finish(t, db, lease, engine.Dead, noon())
		}
		say(name, 2, silent)
	}
	if err := db.Discard(t.Context(), engine.NewDeliveryID(first["discarded"], 1)); err != nil {
		t.Fatal(err)
	}
	first["cancelled"] = say("cancelled", 1, `{"key":"none","reminder":"c","due":"2050-11-25"}`)
	say("cancelled", 2, silent)
	first["reminded"] = say("reminded", 1, `{"key":"none","reminder":"r","due":"2050-11-25"}`)
	finish(t, db, leaseOf(t, db, "remind", far), engine.Delivered, far)
	say("reminded", 2, silent)
	first["pending"] = say("pending", 1, `{"key":"pending","done":true}`)
	say("pending", 2, silent)
	first["silent"] = say("silent", 1, silent)
	first["newest"] = say("silent", 2, silent)
	first["last"] = tell(t, db, rules, "silent", version{"entry.archived", 3, silent}).ID

	if n, err := db.Prune(t.Context(), noon()); err != nil || n != 0 {
		t.Errorf("Prune() of what came before noon = %d, %v; want nothing, all came at noon", n, err)
	}
	gone := []string{"cancelled", "delivered", "discarded", "silent"}
	for _, want := range []int{len(gone), 0} {
		if n, err := db.Prune(t.Context(), noon().Add(time.Millisecond)); err != nil || n != want {
			t.Errorf("Prune() = %d, %v; want %d", n, err, want)
		}
	}
	for name, id := range first {
		_, err := db.Event(t.Context(), id)
		if wantGone := slices.Contains(gone, name); errors.Is(err, store.ErrNotFound) != wantGone {
			t.Errorf("the event that is %s: Event() = %v; want it gone: %t", name, err, wantGone)
		}
	}
	if _, _, err := db.Delivery(t.Context(), engine.NewDeliveryID(first["delivered"], 1)); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("Delivery() of an event that was pruned = %v; want ErrNotFound", err)
	}
	// Its claim holds on; what is said of it is its id.
	wantVerdict(t, db, tell(t, db, rules, "another", version{peanuts.EntryCreated, 1, `{"key":"delivered","done":true}`}), "tell", "by "+string(first["delivered"]))
	// Its bytes are another event now, and are judged as late ones.
	if again := tell(t, db, rules, "silent", version{peanuts.EntryUpdated, 1, silent}); again.Duplicate || again.ID == first["silent"] {
		t.Errorf("the bytes of an event that was pruned: %+v, want another event", again)
	}
}
