package dispatch

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/peanuts-router/peanuts-router/engine"
)

// F44, C17: while the store is down each loop asks it at most twice a second, however many results wait; all of them are
// recorded when it is back.
func TestAStoreThatIsDownIsNotAskedByEveryResult(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := newMemory()
		answer := make(chan struct{})
		routes := new(table).set("a", engine.RetryStandard(), func(ctx context.Context, s engine.Shipment) engine.Outcome {
			<-answer
			return ok(ctx, s)
		})
		routes.change("a", func(r *Route) { r.Concurrency = 200 })
		_, stop := start(t, Config{Store: store, Routes: routes.get})
		for n := range 200 {
			store.owe(n, "a", time.Now())
		}
		time.Sleep(2 * time.Second)
		store.setDown(true)
		close(answer)
		time.Sleep(30 * time.Second)
		store.setDown(false)
		// Each result is brought once. Then there are three loops: it is looked for due work, for leases, and for whether a
		// result can be recorded.
		if most := 200 + 3*2*30; store.number(&store.refused) > most {
			t.Errorf("a store that was down for 30 s was asked %d times, want at most %d", store.number(&store.refused), most)
		}
		if loops := store.number(&store.refused) - 200; loops < 10 {
			t.Errorf("a store that was down for 30 s was asked %d times but for the results, want it asked now and then", loops)
		}
		began := time.Now()
		store.await(200)
		if took := time.Since(began); took > lastAgain {
			t.Errorf("all is recorded %v after the store is back, want at most %v", took, lastAgain)
		}
		stop()
		for id, k := range store.deliveries {
			if k.state != engine.Delivered || len(k.history) != 1 {
				t.Errorf("%s is %s after %d attempts, want delivered by one", id, k.state, len(k.history))
			}
		}
	})
}
