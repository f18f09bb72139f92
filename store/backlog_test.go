package store_test

import (
	"fmt"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/peanuts-router/peanuts-router/engine"
	"github.com/peanuts-router/peanuts-router/store"
)

// Events with a pending delivery each.
const (
	backlogEvents = `INSERT INTO events (id, timestamp, digest, received_at, name, helper, entry_id, generation, crc, body)
		WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?1)
		SELECT printf('%08x-0000-7000-8000-%012x', i, i), i, sha256(CAST('{"event":"entry.created","entry":{"id":"backlog-' || i || '"}}' AS BLOB)), ?2, 'entry.created', '/expenses', 'backlog-' || i, 1, 0,
			CAST('{"event":"entry.created","entry":{"id":"backlog-' || i || '"}}' AS BLOB) FROM n`
	backlogDeliveries = `INSERT INTO deliveries (seq, rule, step, action, kind, message, state, generation, created_at, next_at, crc, told)
		SELECT seq << 20 | 1, 'high-expense', 0, 'ledger', 'http', '{}', 'pending', 0, received_at, received_at, 0, 0 FROM events ORDER BY seq`
)

// F39: to claim deliveries takes as long with many of them pending as with few.
func TestToClaimTakesNoLongerWithABacklog(t *testing.T) {
	now := time.Now()
	sizes := []int{1_000, sized(50_000, 100_000)}
	if sized(0, 1) > 0 {
		sizes = append(sizes, 1_000_000)
	}
	stores, took := map[int]*store.Store{}, map[int][]time.Duration{}
	for _, size := range sizes {
		s := open(t, store.Config{Path: filepath.Join(t.TempDir(), fmt.Sprint(size))})
		defer shut(t, s)
		for _, statement := range []struct {
			text string
			args []any
		}{{backlogEvents, []any{size, now.UnixMilli()}}, {backlogDeliveries, nil}, {store.SumUpEvents, nil}, {store.SumUpDeliveries, nil}} {
			if err := s.Exec(t.Context(), statement.text, statement.args...); err != nil {
				t.Fatal(err)
			}
		}
		stores[size] = s
	}
	for range sized(150, 1_000) { // by turns, so that whatever else the machine does slows all of them
		for _, size := range sizes {
			took[size] = append(took[size], claim(t, stores[size], now))
		}
	}
	for _, size := range sizes {
		slices.Sort(took[size])
	}
	few := took[sizes[0]]
	for _, size := range sizes {
		many := took[size]
		half, most := len(many)/2, len(many)*99/100
		if many[half] > 2*few[half] {
			t.Errorf("with %d pending half of the claims take %s, and with %d %s; want no more than twice that", size, many[half], sizes[0], few[half])
		}
		t.Logf("%d pending: a claim takes %s, p99 %s, which is %.2f of that with %d", size, many[half], many[most], float64(many[most])/float64(few[most]), sizes[0])
	}
}

// claim times a lease of eight deliveries, and gives them back.
func claim(t *testing.T, s *store.Store, now time.Time) time.Duration {
	t.Helper()
	began := time.Now()
	leases, err := s.Lease(t.Context(), "ledger", 8, now, now.Add(time.Minute))
	took := time.Since(began)
	if err != nil || len(leases) != 8 {
		t.Fatalf("Lease() = %d, %v; want 8", len(leases), err)
	}
	for _, l := range leases {
		back := engine.Settlement{ID: l.ID, Generation: l.Generation, State: engine.Pending, NextAt: now}
		if recorded, err := s.Settle(t.Context(), back); err != nil || !recorded.Applied {
			t.Fatal(recorded, err)
		}
	}
	return took
}
