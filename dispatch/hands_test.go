package dispatch

import (
	"context"
	"runtime"
	"testing"
	"testing/synctest"
	"time"

	"github.com/peanuts-router/peanuts-router/engine"
)

// C14: an edit that leaves an action fewer hands leaves no delivery lying: of the workers that are too many none goes with
// what it was woken for.
func TestFewerHandsLeaveNothingLying(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := newMemory()
		routes := new(table).set("a", engine.RetryStandard(), func(ctx context.Context, s engine.Shipment) engine.Outcome {
			time.Sleep(time.Millisecond)
			return ok(ctx, s)
		})
		routes.change("a", func(r *Route) { r.Concurrency = 8 })
		d, stop := start(t, Config{Store: store, Routes: routes.get})
		for n := range 8 {
			store.owe(n, "a", time.Now())
		}
		store.await(8)
		routes.change("a", func(r *Route) { r.Concurrency = 1 })
		began := time.Now()
		if !d.Reserve("a") {
			t.Fatal("an idle lane has no room")
		}
		d.Hand(store.accept(8, "a", began))
		for store.of("event000008-1").state != engine.Delivered && time.Since(began) < time.Minute {
			time.Sleep(time.Millisecond)
		}
		if took := time.Since(began); took > 5*time.Millisecond {
			t.Errorf("with fewer hands a delivery takes %v, want 1 ms", took)
		}
		stop()
	})
}

// F50: those who recorded the results of a burst do not stay for ever.
func TestWhoRecordedABurstGoes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := newMemory()
		routes := new(table).set("a", engine.RetryStandard(), ok)
		_, stop := start(t, Config{Store: store, Routes: routes.get})
		for n := range 200 {
			store.owe(n, "a", time.Now())
		}
		store.await(200)
		synctest.Wait()
		busy := runtime.NumGoroutine()
		time.Sleep(helpFor + time.Second)
		synctest.Wait()
		if calm := runtime.NumGoroutine(); calm >= busy {
			t.Errorf("%d goroutines right after a burst, %d when all is calm; want fewer", busy, calm)
		}
		stop()
	})
}
