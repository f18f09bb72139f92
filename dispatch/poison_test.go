package dispatch

import (
	"context"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/peanuts-router/peanuts-router/engine"
)

// F42: a panic is caught and counted; its delivery is dead after one attempt, and all others are delivered, those of the same action
// and those of others.
func TestAPanicIsCountedAndDiesAfterOneAttempt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const deliveries = 40
		store, registry := newMemory(), prometheus.NewRegistry()
		panics := func(ctx context.Context, s engine.Shipment) engine.Outcome {
			switch s.Event {
			case "event000003":
				panic("poison")
			case "event000013":
				_ = s.Message[len(s.Message)] // a fault of the runtime's
			}
			return ok(ctx, s)
		}
		routes := new(table).set("poisoned", engine.RetryStandard(), panics).set("fine", engine.RetryStandard(), ok)
		_, stop := start(t, Config{Store: store, Routes: routes.get, Metrics: registry})
		for n := range deliveries {
			store.owe(n, []engine.ActionName{"fine", "poisoned"}[n%2], time.Now())
		}
		store.await(deliveries)
		stop()
		dead := 0
		for id, k := range store.deliveries {
			switch {
			case k.state == engine.Dead && len(k.history) == 1 && k.history[0].Status == "panic":
				dead++
			case k.state != engine.Delivered:
				t.Errorf("%s is %s after %d attempts", id, k.state, len(k.history))
			}
		}
		want := `
			# HELP peanuts_router_delivery_panics_total Attempts in which the action panicked, by action.
			# TYPE peanuts_router_delivery_panics_total counter
			peanuts_router_delivery_panics_total{action="poisoned"} 2
		`
		if err := testutil.GatherAndCompare(registry, strings.NewReader(want), "peanuts_router_delivery_panics_total"); err != nil || dead != 2 {
			t.Errorf("%d are dead, want 2; the counter: %v", dead, err)
		}
	})
}

// guarded is a store with suspects, which it gives out one at a time.
type guarded struct {
	*memory
	leasing *sync.Mutex // what it looks at first holds until it has leased
}

func (g guarded) Lease(ctx context.Context, action engine.ActionName, n int, now, until time.Time) ([]engine.Lease, error) {
	g.leasing.Lock()
	defer g.leasing.Unlock()
	g.mu.Lock()
	for _, k := range g.deliveries {
		if k.state == engine.Sending {
			n = 0
		}
	}
	g.mu.Unlock()
	leases, err := g.memory.Lease(ctx, action, min(n, 1), now, until)
	for i := range leases {
		leases[i].Suspect = true
	}
	return leases, err
}

// F42: what may have taken the router down is tried one at a time, whatever its action, and the next one as soon as one is settled.
func TestSuspectsFollowOneAnotherAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const deliveries = 12
		store := guarded{newMemory(), new(sync.Mutex)}
		slowly := func(ctx context.Context, s engine.Shipment) engine.Outcome {
			time.Sleep(10 * time.Millisecond)
			return ok(ctx, s)
		}
		routes := new(table).set("a", engine.RetryStandard(), slowly).set("b", engine.RetryStandard(), slowly).set("c", engine.RetryStandard(), slowly)
		for n := range deliveries {
			store.owe(n, []engine.ActionName{"a", "b", "c"}[n%3], time.Now())
		}
		began := time.Now()
		_, stop := start(t, Config{Store: store, Routes: routes.get})
		store.await(deliveries)
		if took := time.Since(began); took != deliveries*10*time.Millisecond {
			t.Errorf("%d suspects took %v, want one attempt after the other", deliveries, took)
		}
		stop()
	})
}
