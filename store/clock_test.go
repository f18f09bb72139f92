package store_test

import (
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/peanuts-router/peanuts-router/engine"
	"github.com/peanuts-router/peanuts-router/internal/clock"
	"github.com/peanuts-router/peanuts-router/internal/clock/clocktest"
	"github.com/peanuts-router/peanuts-router/store"
)

// A reading that was taken before the clock jumped, and is written after the store has followed it, means the same moment
// (F24): a lease lasts, a retry waits, a pause ends, and what came is due, each as if the clock had not jumped.
func TestAReadingThatIsWrittenAfterAJumpMeansTheSameMoment(t *testing.T) {
	for _, jump := range []time.Duration{24 * time.Hour, -time.Hour} {
		t.Run(jump.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				machine := clocktest.New()
				c := clock.New(machine.Now)
				s := open(t, store.Config{Now: c.Now})
				defer shut(t, s)
				accept := func(n int, read time.Time, leased bool, actions ...engine.ActionName) engine.Receipt {
					a := acceptance(n, read.Truncate(time.Millisecond), actions...)
					a.LeaseUntil = read.Add(time.Minute)
					if leased {
						leaseFirst(a)
					}
					receipt, err := s.Accept(t.Context(), a)
					if err != nil {
						t.Fatal(err)
					}
					return receipt
				}
				lease := func(action engine.ActionName, read time.Time, want int) []engine.Lease {
					leases, err := s.Lease(t.Context(), action, 9, read, read.Add(time.Minute))
					if err != nil || len(leases) != want {
						t.Errorf("Lease(%s) = %d leases, %v; want %d", action, len(leases), err, want)
					}
					return leases
				}
				accept(1, c.Now(), false, "retry", "leased")
				retry := lease("retry", c.Now(), 1)[0]
				read := c.Now()
				machine.Jump(jump)
				if by, err := c.Round(t.Context(), s); by != jump || err != nil {
					t.Fatalf("Round() = %v, %v; want %v", by, err, jump)
				}
				again := retry.Settle(engine.Pending)
				again.NextAt, again.Attempt = read.Add(10*time.Minute), &engine.Attempt{At: read, Status: "503"}
				if recorded, err := s.Settle(t.Context(), again); err != nil || !recorded.Applied {
					t.Fatalf("Settle() = %+v, %v", recorded, err)
				}
				lease("leased", read, 1)
				accept(2, read, false, "fresh")
				lease("fresh", c.Now(), 1)
				accept(3, read, true, "handed")
				if err := s.HoldAction(t.Context(), engine.Hold{Action: "paused", Reason: engine.HeldPaused, Until: read.Add(10 * time.Minute)}); err != nil {
					t.Fatal(err)
				}
				time.Sleep(59 * time.Second)
				wantFreed(t, s, c.Now(), 0)
				time.Sleep(2 * time.Second)
				wantFreed(t, s, c.Now(), 3)
				time.Sleep(8 * time.Minute)
				lease("retry", c.Now(), 0)
				wantHolds(t, s, 1)
				time.Sleep(time.Minute)
				lease("retry", read, 0) // a reading of then, not of now
				lease("retry", c.Now(), 1)
				wantHolds(t, s, 0)
			})
		})
	}
}

func wantFreed(t *testing.T, s *store.Store, now time.Time, want int) {
	t.Helper()
	if freed, err := s.ReleaseExpired(t.Context(), now); err != nil || freed != want {
		t.Errorf("ReleaseExpired() = %d, %v; want %d", freed, err, want)
	}
}

func wantHolds(t *testing.T, s *store.Store, want int) {
	t.Helper()
	if holds, err := s.Holds(t.Context()); err != nil || len(holds) != want {
		t.Errorf("Holds() = %v, %v; want %d", holds, err, want)
	}
}

// What comes after a jump is written by the clock that has followed, even when it has queued up together with the jump (F24).
func TestNothingIsWrittenBetweenAJumpAndWhatFollows(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := open(t, store.Config{})
		defer shut(t, s)
		var writes sync.WaitGroup
		var followed, early atomic.Bool
		queue := func(write func() error) {
			writes.Go(func() {
				if err := write(); err != nil {
					t.Error(err)
				}
			})
		}
		event := acceptance(1, time.Now())
		judge := event.Judge
		event.Judge = func(known engine.Known) engine.Judgement {
			early.Store(!followed.Load())
			return judge(known)
		}
		queue(func() error {
			return s.FollowClock(t.Context(), time.Second, func() { // while the writer is here, the others queue up
				queue(func() error { return s.FollowClock(t.Context(), time.Second, func() { followed.Store(true) }) })
				synctest.Wait()
				queue(func() error { _, err := s.Accept(t.Context(), event); return err })
				synctest.Wait()
			})
		})
		writes.Wait()
		if !followed.Load() || early.Load() {
			t.Errorf("it followed: %t, an event was written before: %t; want it written after", followed.Load(), early.Load())
		}
	})
}
