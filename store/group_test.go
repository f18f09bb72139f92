package store_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/peanuts-router/peanuts-router/engine"
	"github.com/peanuts-router/peanuts-router/store"
)

// held is a store whose writer is busy until release is called, and whose commits are counted.
type held struct {
	*store.Store
	release func()
	commits func() int64
}

func hold(t *testing.T, c store.Config) held {
	t.Helper()
	s := open(t, c)
	commits, err := s.CountCommits(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	inside, release, done := make(chan struct{}), make(chan struct{}), make(chan error, 1)
	go func() { done <- s.Hold(inside, release) }()
	<-inside
	return held{s, func() {
		close(release)
		if err := <-done; err != nil {
			t.Errorf("Hold() = %v", err)
		}
	}, commits.Load}
}

// queue has events accepted, and returns when all of them wait for the writer.
func (h held) queue(t *testing.T, ctx context.Context, events ...*engine.Acceptance) (results []chan error) {
	t.Helper()
	for i, a := range events {
		result := make(chan error, 1)
		results = append(results, result)
		go func() {
			_, err := h.Accept(ctx, a)
			result <- err
		}()
		eventually(t, "an event waits", func() bool { return h.Waiting() == i+1 })
	}
	return results
}

func TestWhatWaitsTogetherIsCommittedTogether(t *testing.T) {
	const events = 50
	s := hold(t, store.Config{})
	defer shut(t, s.Store)
	var waiting []*engine.Acceptance
	for i := range events {
		waiting = append(waiting, acceptance(i, time.Now(), "ledger"))
	}
	before := s.commits()
	results := s.queue(t, t.Context(), waiting...)
	s.release()
	for i, result := range results {
		if err := <-result; err != nil {
			t.Errorf("Accept(%d) = %v", i, err)
		}
	}
	// One is that of the write that held the writer.
	if got := s.commits() - before; got != 2 {
		t.Errorf("%d events that waited were stored with %d commits, want 1", events, got-1)
	}
}

func TestAWriteThatFailsDoesNotFailItsNeighbours(t *testing.T) { // C8
	s := hold(t, store.Config{})
	defer shut(t, s.Store)
	first, wrong, last := acceptance(1, time.Now(), "ledger"), acceptance(2, time.Now(), "ledger"), acceptance(3, time.Now(), "ledger")
	judge := wrong.Judge
	wrong.Judge = func(known engine.Known) engine.Judgement {
		j := judge(known)
		j.Owed[0].Sync = "neither" // a mistake of the program, which the database refuses
		return j
	}
	results := s.queue(t, t.Context(), first, wrong, last)
	s.release()
	if err := <-results[0]; err != nil {
		t.Errorf("Accept() before the one that fails = %v", err)
	}
	if err := <-results[1]; err == nil || errors.Is(err, store.ErrUnavailable) || errors.Is(err, store.ErrBroken) {
		t.Errorf("Accept() of what no row can hold = %v; want an error of its own", err)
	}
	if err := <-results[2]; err != nil {
		t.Errorf("Accept() after the one that fails = %v", err)
	}
	if events, _, err := s.Events(t.Context(), store.Page{}); err != nil || len(events) != 2 {
		t.Errorf("Events() = %d, %v; want 2", len(events), err)
	}
}

func TestAFullQueueRefusesEventsAtOnce(t *testing.T) { // C17, R12
	s := hold(t, store.Config{Queue: 1})
	defer shut(t, s.Store)
	results := s.queue(t, t.Context(), acceptance(1, time.Now()))
	if _, err := s.Accept(t.Context(), acceptance(2, time.Now())); !errors.Is(err, store.ErrUnavailable) {
		t.Errorf("Accept() with a full queue = %v; want ErrUnavailable", err)
	}
	s.release()
	if err := <-results[0]; err != nil {
		t.Errorf("Accept() of the event that waited = %v", err)
	}
	if _, err := s.Accept(t.Context(), acceptance(2, time.Now())); err != nil {
		t.Errorf("Accept() with room again = %v", err)
	}
}

func TestAWriteThatStillWaitsEndsWithItsContext(t *testing.T) { // F19
	s := hold(t, store.Config{})
	defer shut(t, s.Store)
	ctx, cancel := context.WithCancel(t.Context())
	abandoned := acceptance(1, time.Now())
	results := s.queue(t, ctx, abandoned)
	cancel()
	if err := <-results[0]; !errors.Is(err, store.ErrUnavailable) || !errors.Is(err, context.Canceled) {
		t.Errorf("Accept() whose context ended in the queue = %v; want ErrUnavailable", err)
	}
	s.release()
	if _, err := s.Accept(t.Context(), acceptance(2, time.Now())); err != nil {
		t.Errorf("Accept() after it = %v", err)
	}
	if _, err := s.Event(t.Context(), abandoned.ID); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("Event() of what was taken back = %v; want ErrNotFound", err)
	}
}

func TestClosingStoresWhatWaits(t *testing.T) { // C22
	s := hold(t, store.Config{})
	waiting := acceptance(1, time.Now())
	results := s.queue(t, t.Context(), waiting)
	closed := make(chan error, 1)
	go func() { closed <- s.Close() }()
	eventually(t, "the store takes no more writes", func() bool {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		err := s.Writable(ctx)
		return errors.Is(err, store.ErrUnavailable) && !errors.Is(err, context.Canceled)
	})
	s.release()
	if err := <-results[0]; err != nil {
		t.Errorf("Accept() of an event that waited while the store was closed = %v", err)
	}
	if err := <-closed; err != nil {
		t.Errorf("Close() = %v", err)
	}
}
