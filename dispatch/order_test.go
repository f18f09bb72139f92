package dispatch

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/peanuts-router/peanuts-router/engine"
)

// CONTRACT 3: deliveries of one value go one after the other, the next just when the one before has ended; other values go
// beside them; one that is tried again holds up its own value and no other.
func TestWhatIsInOrderGoesOneAfterTheOther(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store, began := newMemory(), time.Now()
		var mu sync.Mutex
		sentAfter := map[engine.EventID][]time.Duration{}
		routes := new(table).set("a", engine.RetryPlan{Waits: []time.Duration{10 * time.Second}}, func(ctx context.Context, s engine.Shipment) engine.Outcome {
			mu.Lock()
			sentAfter[s.Event] = append(sentAfter[s.Event], time.Since(began))
			mu.Unlock()
			time.Sleep(300 * time.Millisecond)
			if s.Event == "event000004" && s.N == 1 {
				return fails(ctx, s)
			}
			return ok(ctx, s)
		})
		routes.change("a", func(r *Route) { r.Concurrency = 8 })
		d, stop := start(t, Config{Store: store, Routes: routes.get})
		d.Wake("a")
		synctest.Wait()
		for n, order := range []string{1: "x", "x", "x", "y", "y", "", ""} {
			if n > 0 {
				store.oweIn(n, "a", time.Now(), order, "")
			}
		}
		d.Wake("a")
		store.await(7)
		stop()
		const ms = time.Millisecond
		want := map[engine.EventID][]time.Duration{
			"event000001": {0}, "event000002": {300 * ms}, "event000003": {600 * ms},
			"event000004": {0, 10300 * ms}, "event000005": {10600 * ms},
			"event000006": {0}, "event000007": {0},
		}
		if diff := cmp.Diff(want, sentAfter); diff != "" {
			t.Errorf("when each was sent (-want +got):\n%s", diff)
		}
	})
}
