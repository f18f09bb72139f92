package dispatch

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/peanuts-router/peanuts-router/engine"
)

// F32, C14: attempts begin at the action's rate, whether they are fresh or a backlog; what was saved up in a quiet minute is
// not spent in one second; an edit of the rate reaches what waits.
func TestAttemptsBeginAtTheActionsRate(t *testing.T) {
	for name, c := range map[string]struct {
		rate       engine.Rate
		deliveries int
		took       time.Duration // from the first attempt to the last
	}{
		"one a second":     {engine.Rate{N: 1, Per: time.Second}, 10, 9 * time.Second},
		"30 a minute":      {engine.Rate{N: 30, Per: time.Minute}, 10, 18 * time.Second},
		"100 a second":     {engine.Rate{N: 100, Per: time.Second}, 1000, 10 * time.Second},
		"3,600 in an hour": {engine.Rate{N: 3600, Per: time.Hour}, 5, 4 * time.Second},
		"any":              {engine.Rate{}, 1000, 0},
	} {
		synctest.Test(t, func(t *testing.T) {
			store, routes := newMemory(), new(table)
			var mu sync.Mutex
			var calls []time.Time
			routes.set("a", engine.RetryStandard(), func(ctx context.Context, s engine.Shipment) engine.Outcome {
				mu.Lock()
				defer mu.Unlock()
				calls = append(calls, time.Now())
				return ok(ctx, s)
			}).pace("a", c.rate)
			d, stop := start(t, Config{Store: store, Routes: routes.get})
			time.Sleep(time.Minute) // quiet
			for n := range c.deliveries {
				store.owe(n, "a", time.Now())
			}
			d.Wake("a")
			store.await(c.deliveries)
			stop()
			took := calls[len(calls)-1].Sub(calls[0])
			if slack := c.took/10 + 50*time.Millisecond; took < c.took-slack || took > c.took+slack {
				t.Errorf("%s: %d attempts took %v, want %v", name, c.deliveries, took, c.took)
			}
		})
	}
}

func TestFreshWorkKeepsToTheRate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store, routes := newMemory(), new(table)
		routes.set("a", engine.RetryStandard(), ok).pace("a", engine.Rate{N: 1, Per: time.Second})
		d, stop := start(t, Config{Store: store, Routes: routes.get})
		d.Wake("a") // it looks into the store, which is empty
		time.Sleep(time.Minute)
		if !d.Reserve("a") {
			t.Error("a lane that has sent nothing keeps no room")
		}
		if d.Reserve("a") {
			t.Error("a second attempt may begin at once")
		}
		d.Hand(store.accept(1, "a", time.Now()))
		store.await(1)
		time.Sleep(1100 * time.Millisecond)
		if !d.Reserve("a") {
			t.Error("a second later no attempt may begin")
		}
		d.Release("a")
		routes.pace("a", engine.Rate{}) // an edit
		for range 5 {
			if !d.Reserve("a") {
				t.Error("without a rate no attempt may begin")
			}
			d.Release("a")
		}
		stop()
	})
}

// What waits for the rate is said to be held by it while it waits, and the store is told so every other second, not by each
// delivery. No attempt is used up.
func TestWhatWaitsForTheRateIsHeldByIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store, routes := newMemory(), new(table)
		routes.set("a", engine.RetryStandard(), ok).pace("a", engine.Rate{N: 10, Per: time.Second})
		d, stop := start(t, Config{Store: store, Routes: routes.get})
		for n := range 200 {
			store.owe(n, "a", time.Now())
		}
		d.Wake("a")
		for range 19 {
			time.Sleep(time.Second)
			if until := store.heldUntil("a", engine.HeldRate); until.Before(time.Now()) {
				t.Fatalf("after %d deliveries of 200 the others are held until %v ago, want to now", len(store.settled), time.Since(until))
			}
		}
		store.await(200)
		time.Sleep(time.Minute)
		if store.number(&store.notes) < 5 || store.number(&store.notes) > 11 {
			t.Errorf("the hold was noted %d times in 20 s, want every other second", store.number(&store.notes))
		}
		if until := store.heldUntil("a", engine.HeldRate); until.After(time.Now()) {
			t.Error("what comes a minute later is held still")
		}
		stop()
	})
}
