package dispatch

import (
	"bytes"
	"context"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/peanuts-router/peanuts-router/engine"
)

// C16: what waited behind an older version of its entry goes out as soon as that has ended; the older one is not tried
// again.
func TestWhatWaitedForAnOlderVersionIsSentAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store, log := newMemory(), &bytes.Buffer{}
		began, sentAfter := time.Now(), map[engine.DeliveryID]time.Duration{}
		var newer engine.DeliveryID
		var mu sync.Mutex
		observed := map[engine.State]int{}
		routes := new(table).set("a", engine.RetryStandard(), func(ctx context.Context, s engine.Shipment) engine.Outcome {
			mu.Lock()
			sentAfter[s.ID] = time.Since(began)
			first := len(sentAfter) == 1
			mu.Unlock()
			if first {
				newer = store.oweIn(2, "a", time.Now(), "", "entry")
				time.Sleep(2300 * time.Millisecond) // between two looks into the store
				return fails(ctx, s)
			}
			return ok(ctx, s)
		})
		_, stop := start(t, Config{
			Store: store, Routes: routes.get, Log: slog.New(slog.NewTextHandler(log, nil)),
			Observe: func(s Settled) {
				mu.Lock()
				defer mu.Unlock()
				observed[s.Settlement.State]++
			},
		})
		older := store.oweIn(1, "a", began, "", "entry")
		store.await(1)
		time.Sleep(48 * time.Hour)
		stop()
		if got := store.of(older); got.state != engine.Cancelled || len(got.history) != 1 {
			t.Errorf("the older one is %s after %d attempts, want cancelled after 1", got.state, len(got.history))
		}
		if got := store.of(newer); got.state != engine.Delivered || sentAfter[newer] != sentAfter[older]+2300*time.Millisecond {
			t.Errorf("the newer one is %s, sent %v after the start; want it sent just when the older one ended", got.state, sentAfter[newer])
		}
		if len(observed) != 2 || observed[engine.Cancelled] != 1 || observed[engine.Delivered] != 1 {
			t.Errorf("observed %v, want one cancelled and one delivered", observed)
		}
		if strings.Contains(log.String(), "next=") {
			t.Errorf("the log tells of another attempt:\n%s", log)
		}
	})
}
