package dispatch

import (
	"context"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/peanuts-router/peanuts-router/engine"
)

// An action's concurrency bounds what is under way at its target, not the results that wait to be flushed; the rooms bound
// both.
func TestAHandIsFreeWhileItsResultIsRecorded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := newMemory()
		store.flushed = make(chan struct{})
		var sent atomic.Int32
		d, stop := start(t, Config{Store: store, Routes: new(table).set("a", engine.RetryStandard(), func(ctx context.Context, s engine.Shipment) engine.Outcome {
			sent.Add(1)
			return ok(ctx, s)
		}).get})
		d.Wake("a") // makes the lane, which looks into the store first
		synctest.Wait()
		n := 0
		for ; d.Reserve("a"); n++ {
			d.Hand(store.accept(n, "a", time.Now()))
			synctest.Wait()
		}
		if n != mostRooms || int(sent.Load()) != n {
			t.Errorf("%d sent of %d while no result is flushed, want all of %d", sent.Load(), n, mostRooms)
		}
		close(store.flushed)
		store.await(n)
		synctest.Wait()
		store.owe(n, "a", time.Now())
		d.Wake("a")
		store.await(1)
		if !d.Reserve("a") {
			t.Error("there is no room when all results are flushed")
		}
		d.Release("a")
		stop()
	})
}

// What was sent is recorded even when the dispatcher is being stopped, and Run waits for it.
func TestAnEndWaitsForTheResults(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := newMemory()
		store.flushed = make(chan struct{})
		_, stop := start(t, Config{Store: store, Routes: new(table).set("a", engine.RetryStandard(), ok).get})
		for n := range 20 {
			store.owe(n, "a", time.Now())
		}
		time.Sleep(2 * time.Second)
		time.AfterFunc(5*time.Second, func() { close(store.flushed) })
		stop()
		for id, k := range store.deliveries {
			if k.state != engine.Delivered {
				t.Errorf("%s is %s when the dispatcher has ended, want delivered", id, k.state)
			}
		}
	})
}

// A lane that overflowed into the store takes what is fresh in memory again as soon as the store holds less than there is
// room for, though more of it comes all the time.
func TestALaneComesBackToHandingOverInMemory(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := newMemory()
		store.flush = time.Millisecond
		d, stop := start(t, Config{Store: store, Routes: new(table).set("a", engine.RetryStandard(), func(ctx context.Context, s engine.Shipment) engine.Outcome {
			time.Sleep(time.Millisecond)
			return ok(ctx, s)
		}).get})
		n, refused := 0, 0
		come := func() {
			if d.Reserve("a") {
				d.Hand(store.accept(n, "a", time.Now()))
			} else {
				refused++
				store.owe(n, "a", time.Now())
				d.Wake("a")
			}
			n++
		}
		d.Wake("a")
		synctest.Wait()
		for range 1000 { // at once
			come()
		}
		if refused == 0 {
			t.Fatal("a burst of 1000 overflows nothing")
		}
		for range 1000 { // half as fast as they are sent
			time.Sleep(500 * time.Microsecond)
			come()
		}
		refused = 0
		for range 1000 {
			time.Sleep(500 * time.Microsecond)
			come()
		}
		if refused > 0 {
			t.Errorf("%d of the last 1000 overflow into the store, want none", refused)
		}
		store.await(n)
		if most := n / 20; store.number(&store.asked) > most {
			t.Errorf("leases were asked for %d times for %d deliveries, want at most %d", store.number(&store.asked), n, most)
		}
		stop()
	})
}

// C18: a lane holds no more than it gets through while the leases last.
func TestLeasesDoNotRunOutInTheQueue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := newMemory()
		var sent atomic.Int32
		routes := new(table).set("a", engine.RetryStandard(), func(ctx context.Context, s engine.Shipment) engine.Outcome {
			sent.Add(1)
			time.Sleep(9 * time.Second)
			return ok(ctx, s)
		})
		_, stop := start(t, Config{Store: store, Routes: routes.get})
		const deliveries = 1000
		for n := range deliveries {
			store.owe(n, "a", time.Now())
		}
		store.await(deliveries)
		stop()
		if sent.Load() != deliveries || store.number(&store.leased) > deliveries+mostRooms {
			t.Errorf("%d attempts with %d leases at %d deliveries; want leases to run out only until it is known how slow the action is",
				sent.Load(), store.number(&store.leased), deliveries)
		}
	})
}

func TestRoomsFollowHowLongAttemptsTake(t *testing.T) {
	for _, c := range []struct {
		hands          int
		timeout, usual time.Duration
		want           int
	}{
		{8, 10 * time.Second, 0, 256},
		{8, 10 * time.Second, 5 * time.Millisecond, 256},
		{100, 10 * time.Second, 5 * time.Millisecond, 400},
		{8, 10 * time.Second, 10 * time.Second, 24},
		{8, 45 * time.Second, 45 * time.Second, 8},
		{1, 45 * time.Second, 2 * time.Second, 4},
	} {
		r := rooms{usual: c.usual}
		if r.follow(c.hands, c.timeout); r.all != c.want {
			t.Errorf("%d hands, attempts of %v that end by %v: %d rooms, want %d", c.hands, c.usual, c.timeout, r.all, c.want)
		}
	}
}

// F40: however large the events are, a lane holds but a few MiB of them, and still sends them all.
func TestALaneHoldsFewLargeEvents(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := newMemory()
		large := make([]byte, 1<<20)
		for n := range 500 {
			store.deliveries[store.owe(n, "a", time.Now())].Body = large
		}
		_, stop := start(t, Config{Store: store, Routes: new(table).set("a", engine.RetryStandard(), func(ctx context.Context, s engine.Shipment) engine.Outcome {
			time.Sleep(time.Millisecond)
			store.mu.Lock()
			held := len(store.sending)
			store.mu.Unlock()
			if len(store.settled) > firstLook && held*len(large) > mostBytes {
				t.Errorf("%d events of 1 MiB are held, want at most %d MiB", held, mostBytes>>20)
			}
			return ok(ctx, s)
		}).get})
		store.await(500)
		stop()
	})
}

// A delivery that takes up more than a lane may hold is sent all the same, alone.
func TestWhatIsTooLargeIsSentAlone(t *testing.T) {
	r := rooms{}
	r.follow(8, 10*time.Second)
	huge := &engine.Lease{Body: make([]byte, 2*mostBytes)}
	for range 3 {
		if got := r.enough(0); got < 1 {
			t.Fatalf("an empty lane has %d rooms, want one at least", got)
		}
		r.taken++
		r.enter(huge)
		if got := r.enough(1); got != 0 {
			t.Fatalf("beside what takes up all there are %d rooms, want none", got)
		}
		r.leave(huge)
	}
	if r.taken != 0 || r.bytes != 0 {
		t.Errorf("an empty lane holds %d deliveries of %d bytes", r.taken, r.bytes)
	}
}
