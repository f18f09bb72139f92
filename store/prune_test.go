package store_test

import (
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/peanuts-router/peanuts-router/engine"
	"github.com/peanuts-router/peanuts-router/peanuts"
	"github.com/peanuts-router/peanuts-router/store"
)

// What is removed makes no event wait for longer than a batch takes (F49).
func TestOldEventsAreRemovedInSmallBatches(t *testing.T) {
	s := open(t, store.Config{})
	defer shut(t, s)
	now := time.Now()
	const events = 2*store.PruneLook + 150
	accepted := make(chan error, events)
	for n := range events {
		a := acceptance(n, now)
		a.Event = &peanuts.Event{Event: "note", Raw: a.Event.Raw} // of no entry
		go func() {
			_, err := s.Accept(t.Context(), a)
			accepted <- err
		}()
	}
	for range events {
		if err := <-accepted; err != nil {
			t.Fatal(err)
		}
	}
	commits, err := s.CountCommits(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	before := commits.Load()
	if n, err := s.Prune(t.Context(), now.Add(time.Second)); err != nil || n != events-1 {
		t.Errorf("Prune() = %d, %v; want all but the last of %d", n, err, events)
	}
	if made, want := commits.Load()-before, int64(events/store.PruneBatch); made < want {
		t.Errorf("%d events are removed in %d transactions; want %d", events, made, want)
	}
	if n, err := s.EventCount(t.Context()); err != nil || n != 1 {
		t.Errorf("EventCount() = %d, %v; want the newest to stay", n, err)
	}
}

func TestNoStatementOfPruningScansATable(t *testing.T) {
	s := open(t, store.Config{})
	defer shut(t, s)
	for text, args := range map[string][]any{
		store.LookForPrunable: {1, 1, 1}, store.IsPrunable: {1, 1}, store.EntriesOf: {1},
		store.DropAttempts: {1}, store.DropDeliveries: {1}, store.DropEvent: {1},
	} {
		plan, err := s.Plan(t.Context(), text, args...)
		if err != nil {
			t.Errorf("the plan of %q: %v", text, err)
		}
		for _, line := range strings.Split(plan, "\n") {
			harmless := strings.HasPrefix(line, "SCAN CONSTANT ROW")
			if strings.Contains(line, "TEMP B-TREE") || (strings.HasPrefix(line, "SCAN") && !harmless) {
				t.Errorf("%q takes more the more there is:\n%s", text, plan)
			}
		}
	}
}

// A store of before there was pruning is brought up to date, and keeps what it holds (F14).
func TestAStoreOfBeforePruningIsBroughtUpToDate(t *testing.T) {
	path := filepath.Join(t.TempDir(), "router.db")
	s := open(t, store.Config{Path: path})
	a := acceptance(1, time.Now(), "ledger")
	if _, err := s.Accept(t.Context(), a); err != nil {
		t.Fatal(err)
	}
	shut(t, s)
	other := raw(t, path)
	must(t, other, `DROP INDEX entries_by_event`)
	must(t, other, `DELETE FROM goose_db_version WHERE version_id = 2`)
	s = open(t, store.Config{Path: path})
	defer shut(t, s)
	if e, err := s.Event(t.Context(), a.ID); err != nil || len(e.Deliveries) != 1 || e.Deliveries[0].State != engine.Pending {
		t.Errorf("Event() of a store that was brought up to date = %+v, %v", e, err)
	}
	if plan, err := s.Plan(t.Context(), store.EntriesOf, 1); err != nil || !strings.Contains(plan, "entries_by_event") {
		t.Errorf("an event's entries are looked for by\n%s%v; want the index", plan, err)
	}
}
