package dispatch

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/peanuts-router/peanuts-router/engine"
)

// F33: a target that was dead for a day meets no stampede when it is back, though 100,000 deliveries wait: at first one
// attempt at a time, and twice as many each second. Meanwhile it was only probed, and no other action waited.
func TestABacklogDrainsWithoutAStampede(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const backlog, outage = 100_000, 24 * time.Hour
		store := newMemory()
		target := &target{answers: fails}
		routes := new(table).set("a", engine.RetryStandard(), target.Send).set("fine", engine.RetryStandard(), ok)
		routes.guard("a", tenFailures())
		routes.change("a", func(r *Route) { r.Concurrency = 8 })
		for n := range backlog {
			store.owe(n, "a", time.Now())
		}
		d, stop := start(t, Config{Store: store, Routes: routes.get})
		time.Sleep(outage)
		if calls, _ := target.count(); calls > 10+7+int(outage/(30*time.Second))+1 {
			t.Errorf("%d calls in %v, want no more than probes every 30 s", calls, outage)
		}
		began := time.Now()
		store.owe(backlog, "fine", began)
		d.Wake("fine")
		for s := (engine.Settlement{}); s.ID != "event100000-1"; {
			s = <-store.settled
		}
		if took := time.Since(began); took > 0 {
			t.Errorf("another action's delivery takes %v, want no time", took)
		}
		target.becomes(after(20*time.Millisecond, ok))
		for before, _ := target.count(); ; time.Sleep(time.Millisecond) {
			if calls, _ := target.count(); calls > before {
				break
			}
		}
		for second, want := range []int{1, 2, 4, 8, 8, 8} {
			target.count()
			time.Sleep(time.Second)
			if _, most := target.count(); second > 0 && most > want || most < want/2 {
				t.Errorf("up to %d attempts at once in second %d after the target is back, want at most %d", most, second+1, want)
			}
		}
		began = time.Now()
		time.Sleep(10 * time.Second)
		calls := 0
		for _, call := range target.all() {
			if !call.Before(began) {
				calls++
			}
		}
		if calls < 3990 || calls > 4010 {
			t.Errorf("%d attempts in 10 s by 8 hands of 20 ms, want 4000: the lane is not at its full pace again", calls)
		}
		stop()
	})
}

// A pause that a target asked for ends in the same way; a target that asks again is asked less, not more.
func TestAPauseEndsSlowly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := newMemory()
		target := &target{answers: after(20*time.Millisecond, func(context.Context, engine.Shipment) engine.Outcome {
			return engine.Outcome{Verdict: engine.VerdictRetry, Status: "429", RetryAfter: 10 * time.Second}
		})}
		for n := range 10_000 {
			store.owe(n, "a", time.Now())
		}
		_, stop := start(t, Config{Store: store, Routes: new(table).set("a", engine.RetryStandard(), target.Send).get})
		time.Sleep(5 * time.Second)
		if calls, _ := target.count(); calls != 4 {
			t.Errorf("%d calls before the target was heard, want one for each hand", calls)
		}
		time.Sleep(31 * time.Second)
		if calls, _ := target.count(); calls != 4+3 {
			t.Errorf("%d calls in three pauses of 10 s, want one each", calls-4)
		}
		if leased := store.number(&store.leased); leased > mostRooms+4*4 {
			t.Errorf("%d leases for 7 attempts, want few that are handed back", leased)
		}
		target.becomes(after(20*time.Millisecond, ok))
		time.Sleep(4 * time.Second) // until the last pause is about to end
		target.count()
		for _, want := range []int{1, 2, 4, 4} {
			time.Sleep(time.Second)
			if _, most := target.count(); most != want {
				t.Errorf("%d attempts at once, want %d", most, want)
			}
		}
		stop()
	})
}

// What comes fresh while a lane is slow on purpose is not lost, and the lane takes it in memory again in the end.
func TestAfterASlowStartTheLaneIsAsItWas(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := newMemory()
		target := &target{answers: fails}
		routes := new(table).set("a", engine.RetryStandard(), target.Send)
		routes.guard("a", tenFailures())
		for n := range 20 {
			store.owe(n, "a", time.Now())
		}
		d, stop := start(t, Config{Store: store, Routes: routes.get})
		time.Sleep(10 * time.Second)
		target.becomes(after(time.Millisecond, ok))
		n := 20
		for range 10_000 {
			time.Sleep(5 * time.Millisecond)
			if d.Reserve("a") {
				d.Hand(store.accept(n, "a", time.Now()))
			} else {
				store.owe(n, "a", time.Now())
				d.Wake("a")
			}
			n++
		}
		if !d.Reserve("a") {
			t.Error("no room half a minute after the target is back")
		}
		d.Release("a")
		store.await(n)
		stop()
	})
}
