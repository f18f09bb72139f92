package store_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/peanuts-router/peanuts-router/engine"
	"github.com/peanuts-router/peanuts-router/store"
)

func BenchmarkDue(b *testing.B) { // F39: the daemon asks it every second
	withBacklogs(b, func(b *testing.B, s *store.Store, now time.Time) {
		if due, err := s.Due(b.Context(), now); err != nil || len(due) != 1 {
			b.Fatalf("Due() = %v, %v", due, err)
		}
	})
}

func BenchmarkLease(b *testing.B) { // F39: constant cost with a backlog
	withBacklogs(b, func(b *testing.B, s *store.Store, now time.Time) {
		leases, err := s.Lease(b.Context(), "ledger", 8, now, now.Add(time.Minute))
		if err != nil || len(leases) != 8 {
			b.Fatalf("Lease() = %d, %v", len(leases), err)
		}
		for _, l := range leases {
			back := engine.Settlement{ID: l.ID, Generation: l.Generation, State: engine.Pending, NextAt: now}
			if _, err := s.Settle(b.Context(), back); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// withBacklogs measures something beside a small backlog and a large one.
func withBacklogs(b *testing.B, measured func(b *testing.B, s *store.Store, now time.Time)) {
	for _, backlog := range []int{1_000, 100_000} {
		b.Run(fmt.Sprint(backlog), func(b *testing.B) {
			s := open(b, store.Config{})
			defer shut(b, s)
			now := time.Now()
			fill(b, s, backlog, now)
			for b.Loop() {
				measured(b, s, now)
			}
		})
	}
}

// fill makes a backlog of pending deliveries, many of one event.
func fill(b *testing.B, s *store.Store, deliveries int, now time.Time) {
	b.Helper()
	actions := make([]engine.ActionName, 500)
	for i := range actions {
		actions[i] = "ledger"
	}
	for n := 0; n < deliveries; n += len(actions) {
		if _, err := s.Accept(b.Context(), acceptance(n, now, actions...)); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkAccept(b *testing.B) { // the figure of CONTRACT.md, section 8, stands on it
	for _, leased := range []bool{false, true} {
		b.Run(fmt.Sprintf("leased=%t", leased), func(b *testing.B) {
			s := open(b, store.Config{})
			defer shut(b, s)
			now := time.Now()
			n := make(chan int, 64)
			go func() {
				for i := 0; ; i++ {
					select {
					case n <- i:
					case <-b.Context().Done():
						return
					}
				}
			}()
			b.SetParallelism(32)
			b.ReportAllocs()
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					a := acceptance(<-n, now, "ledger")
					if leased {
						leaseFirst(a)
					}
					receipt, err := s.Accept(b.Context(), a)
					if err != nil {
						b.Error(err)
					}
					for _, l := range receipt.Leases {
						done := engine.Settlement{ID: l.ID, Generation: 1, State: engine.Delivered, Attempt: &engine.Attempt{At: now, Status: "200 OK"}}
						if recorded, err := s.Settle(b.Context(), done); err != nil || !recorded.Applied {
							b.Error(recorded, err)
						}
					}
				}
			})
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "events/s")
		})
	}
}
