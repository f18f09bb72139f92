package main

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/peanuts-router/peanuts-router/store"
)

// F38, F39: with a backlog in its store and events coming in, the router is ready at once, sends what waits the longest first,
// and holds no more of it in memory than it is about to send.
func TestAStartWithABacklogIsReadyAtOnceAndSendsTheOldestFirst(t *testing.T) {
	const memoryMiB = 256
	pending := sized(50_000, 1_000_000)
	dir := t.TempDir()
	ledger := startTarget(t, always(200))
	ledgerRules(t, dir, ledger.URL, "standard", "500")
	startDaemon(t, dir, nil, "--rules", "rules.yaml").halt()
	leaveBacklog(t, dir, pending)

	program, began := shipped(t), time.Now()
	d := launchDaemon(t, dir, nil, []string{program}, "--rules", "rules.yaml")
	d.awaitReady()
	ready := time.Since(began)
	answers := loadOn(t, d, 4)
	var sent []string
	for len(sent) < 500 {
		call := ledger.next(t)
		if len(sent) == 0 {
			t.Logf("%d pending: ready after %s, the first one sent after %s", pending, ready, time.Since(began))
		}
		sent = append(sent, call.key)
	}
	answers.end()
	if ready > 5*time.Second {
		t.Errorf("the router was ready after %s, want 5 s at the most", ready)
	}
	for _, key := range sent { // several are under way at once
		var n int
		if _, err := fmt.Sscanf(strings.SplitN(key, "-", 2)[0], "%x", &n); err != nil || n > len(sent)+100 {
			t.Errorf("among the first %d sent was %s, want the oldest", len(sent), key)
		}
	}
	if peak := procStatus(t, d, "VmHWM") >> 10; peak > memoryMiB {
		t.Errorf("the router took %d MiB, want %d at the most", peak, memoryMiB)
	} else {
		t.Logf("%d MiB resident at the most", peak)
	}
	if answers.refused.Load() > 0 || answers.taken.Load() == 0 {
		t.Errorf("%d events were taken and %d refused meanwhile", answers.taken.Load(), answers.refused.Load())
	}
}

// leaveBacklog puts deliveries that are due into a store, past the router, which would take minutes for a million.
func leaveBacklog(t *testing.T, dir string, n int) {
	t.Helper()
	if err := store.RegisterSums(); err != nil {
		t.Fatal(err)
	}
	conn, now := otherProgram(t, dir), time.Now().Add(-time.Minute).UnixMilli()
	for _, statement := range []struct {
		text string
		args []any
	}{
		{`INSERT INTO events (id, timestamp, digest, received_at, name, helper, entry_id, generation, crc, body)
			WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?1)
			SELECT printf('%08x-0000-7000-8000-%012x', i, i), i, sha256(CAST(replace(?3, 'backlog-0', 'backlog-' || i) AS BLOB)), ?2, 'entry.created', '/expenses', 'backlog-' || i, 1, 0,
				CAST(replace(?3, 'backlog-0', 'backlog-' || i) AS BLOB) FROM n`, []any{n, now, expense("backlog-0", "501")}},
		{`INSERT INTO deliveries (seq, rule, step, action, kind, message, state, generation, created_at, next_at, crc, told)
			SELECT seq << 20 | 1, 'high-expense', 0, 'ledger', 'http', '{}', 'pending', 0, received_at, received_at, 0, 0 FROM events ORDER BY seq`, nil},
		{store.SumUpEvents, nil},
		{store.SumUpDeliveries, nil},
		{`PRAGMA wal_checkpoint(TRUNCATE)`, nil},
	} {
		if _, err := conn.ExecContext(context.Background(), statement.text, statement.args...); err != nil {
			t.Fatalf("%s: %v", statement.text, err)
		}
	}
}
