package store_test

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/peanuts-router/peanuts-router/engine"
	"github.com/peanuts-router/peanuts-router/store"
)

// replayInStore replays the dead letters of one rule, as a command does beside a daemon.
func replayInStore(path string) error {
	s, err := store.Open(context.Background(), store.Config{Path: path, Beside: true})
	if err != nil {
		return err
	}
	n, err := s.ReplayDead(context.Background(), replayed)
	fmt.Println("replayed", n)
	return errors.Join(err, s.Close())
}

var replayed = store.Filter{Rule: "high-expense", Reason: "404"}

func TestAReplayThatIsKilledLosesNothing(t *testing.T) { // C13, F4, F48
	const others = 10
	dead := sized(5_000, 20_000)
	path := filepath.Join(t.TempDir(), "router.db")
	s := open(t, store.Config{Path: path})
	defer shut(t, s)
	delivered := map[engine.DeliveryID]bool{}
	interrupted, buried := 0, 0
	for ; interrupted == 0; buried++ { // once more, where each kill came after the end
		if buried == 5 {
			t.Fatal("no replay was killed before it had ended")
		}
		bury(t, s, buried, dead, others)
		for left := dead; left > 0; {
			command := start(t, "replay", path)
			eventually(t, "some are replayed", func() bool { return deadNow(t, s, replayed) < left })
			command.kill(t)
			left = deadNow(t, s, replayed)
			if left > 0 {
				interrupted++
			}
			all := dead * (buried + 1)
			if counts, err := s.Counts(t.Context()); err != nil || counts[engine.Pending]+len(delivered)+left != all || counts[engine.Sending] != 0 {
				t.Fatalf("after a kill with %d dead and %d delivered: %v, %v; want each of %d in one state", left, len(delivered), counts, err, all)
			}
			deliver(t, s, delivered)
		}
	}
	if n := deadNow(t, s, store.Filter{}); n != others*buried {
		t.Errorf("%d others are dead; want the %d that no replay was for", n, others*buried)
	}
	for id := range delivered {
		if d, history, err := s.Delivery(t.Context(), id); err != nil || d.State != engine.Delivered || len(history) != 1 {
			t.Errorf("%s, which was delivered, is %s after %d attempts, %v", id, d.State, len(history), err)
		}
	}
	intact(t, path)
}

// bury stores the dead letters of an event, and some of another reason.
func bury(t *testing.T, s *store.Store, n, dead, others int) {
	t.Helper()
	a := acceptance(n, time.Now())
	a.Judge = func(engine.Known) (j engine.Judgement) {
		j.Generation = 1
		for i := range dead + others {
			owed := engine.Owed{Rule: "high-expense", Action: "ledger", Kind: engine.KindHTTP, Message: []byte(`{}`), Dead: "404 Not Found"}
			if i >= dead {
				owed.Dead = "410 Gone"
			}
			j.Owed = append(j.Owed, owed)
		}
		return j
	}
	if _, err := s.Accept(t.Context(), a); err != nil {
		t.Fatal(err)
	}
}

func deadNow(t *testing.T, s *store.Store, filter store.Filter) int {
	t.Helper()
	n, err := s.CountDead(t.Context(), filter)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// deliver leases and settles some of what is due. Nothing is given out twice.
func deliver(t *testing.T, s *store.Store, delivered map[engine.DeliveryID]bool) {
	t.Helper()
	now := time.Now()
	leases, err := s.Lease(t.Context(), "ledger", 10, now, now.Add(time.Minute))
	if err != nil || len(leases) == 0 {
		t.Fatalf("Lease() after a kill = %d, %v; want what was replayed", len(leases), err)
	}
	for _, l := range leases {
		if delivered[l.ID] {
			t.Errorf("%s, which was delivered, is leased again", l.ID)
		}
		done := engine.Settlement{ID: l.ID, Generation: l.Generation, State: engine.Delivered, Attempt: &engine.Attempt{At: now, Status: "200 OK"}}
		if recorded, err := s.Settle(t.Context(), done); err != nil || !recorded.Applied {
			t.Fatalf("Settle(%s) = %+v, %v", l.ID, recorded, err)
		}
		delivered[l.ID] = true
	}
}
