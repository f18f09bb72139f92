package store_test

import (
	"testing"
	"time"

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
