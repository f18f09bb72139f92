package store_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/peanuts-router/peanuts-router/engine"
	"github.com/peanuts-router/peanuts-router/store"
)

// ofThoseBeingSent look through all of one state, which are few.
var ofThoseBeingSent = []string{"lease", "expired leases", "deaths of leases"}

// With a million pending deliveries a scan would show in every lease (F39).
func TestNoStatementOfTheDaemonScansATable(t *testing.T) {
	s := open(t, store.Config{})
	defer shut(t, s)
	dead, deadArgs := store.SomeDead(store.Filter{Rule: "r", Action: "a", Since: time.Now(), Reason: "because"})
	for name, ask := range map[string]struct {
		text string
		args []any
	}{
		"any due":           {store.AnyDue, []any{"a", 1}},
		"lease":             {store.SelectDue, []any{2, "a", 1, 1}},
		"due actions":       {store.DueActions, []any{1}},
		"expired leases":    {store.AnyExpired, []any{1}},
		"dead letters":      {dead, deadArgs},
		"a death":           {store.DiedAlone, []any{1}},
		"deaths of leases":  {store.DiesOfExpired, []any{1, 2}},
		"settle delivered":  {store.SettleDelivered, []any{"", "", 1, 1, 1, 1, 1}},
		"settle another":    {store.SettleOther, []any{"pending", 1, 1, "", "", 1, 1}},
		"find its row":      {store.FindRow, []any{1, "id"}},
		"duplicate":         {store.CountDuplicate, []any{1, []byte{1}}},
		"who claims":        {store.WhoClaims, []any{"rule", "value"}},
		"suppressed":        {store.NoteSuppressed, []any{1, "rule", "event"}},
		"release":           {store.ReleaseClaim, []any{1, "rule"}},
		"cancel older":      {store.CancelOlder, []any{"", "entry"}},
		"cancel one":        {store.CancelOne, []any{"", 1}},
		"cancel twins":      {store.CancelTwins, []any{"", "entry", "rule", 1, 1}},
		"a follower":        {store.SelectFollower, []any{1}},
		"others that wait":  {store.HasWaiting, []any{"entry", "rule", 1}},
		"others that went":  {store.LineOf, []any{"entry", "rule", 1, 1}},
		"a line":            {store.LineIsBusy, []any{"a", "x"}},
		"its next":          {store.MoveUp, []any{1}},
		"one that joins":    {store.IsInTheWay, []any{1}},
		"newest events":     {store.SelectEvents, []any{1, 1}},
		"their own":         {store.DeliveriesBetween, []any{1, 2}},
		"an id's beginning": {store.TwoFrom, []any{"01"}},
	} {
		plan, err := s.Plan(t.Context(), ask.text, ask.args...)
		if err != nil {
			t.Errorf("the plan of %q: %v", name, err)
		}
		for _, line := range strings.Split(plan, "\n") {
			harmless := strings.HasPrefix(line, "SCAN known") || strings.HasPrefix(line, "SCAN CONSTANT ROW")
			ofAState := strings.Contains(line, "deliveries_open (state=?)") && !slices.Contains(ofThoseBeingSent, name)
			if strings.Contains(line, "TEMP B-TREE FOR ORDER") || (strings.HasPrefix(line, "SCAN") && !harmless) || ofAState {
				t.Errorf("%q takes more the more there is:\n%s", name, plan)
			}
		}
	}
}

func BenchmarkDue(b *testing.B) { // F39: the daemon asks it every second
	for _, backlog := range []int{1_000, 100_000} {
		b.Run(fmt.Sprint(backlog), func(b *testing.B) {
			s := open(b, store.Config{})
			defer shut(b, s)
			now := time.Now()
			fill(b, s, backlog, now)
			for b.Loop() {
				if due, err := s.Due(b.Context(), now); err != nil || len(due) != 1 {
					b.Fatalf("Due() = %v, %v", due, err)
				}
			}
		})
	}
}

func BenchmarkLease(b *testing.B) { // F39: constant cost with a backlog
	for _, backlog := range []int{1_000, 100_000} {
		b.Run(fmt.Sprint(backlog), func(b *testing.B) {
			s := open(b, store.Config{})
			defer shut(b, s)
			now := time.Now()
			fill(b, s, backlog, now)
			for b.Loop() {
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
