package main

import (
	"context"
	"fmt"
	"path/filepath"
	"time"

	"github.com/peanuts-router/peanuts-router/store"
)

// backlog measures how fast deliveries that wait in the store are leased and sent, when few and when many of them do.
// As many are timed either way, the oldest: all of the few.
func (b *bench) backlog(ctx context.Context) error {
	for _, waiting := range []struct {
		name, what, baseline string
		n                    int
		memory, ready        string
	}{
		{name: "few", what: fmt.Sprintf("%d deliveries pending", b.events), n: b.events},
		{name: "backlog", what: fmt.Sprintf("%d deliveries pending", b.pending), n: b.pending, baseline: "few.",
			memory: "<= 256 MiB", ready: "<= 5 s"},
	} {
		drained, err := b.drain(ctx, waiting.name, waiting.n)
		if err != nil {
			return err
		}
		for _, f := range []figure{
			{Name: "delivered", Value: drained.rate, Unit: "deliveries/s",
				What: fmt.Sprintf("leased from the store and arrived at the target, the oldest %d; %s", b.events, waiting.what)},
			{Name: "ready", Value: drained.ready.Seconds(), Unit: "s", ToReach: waiting.ready, What: "from start to taking events; " + waiting.what},
			{Name: "memory", Value: mebibytes(drained.memory), Unit: "MiB", ToReach: waiting.memory, What: "resident at the most; " + waiting.what},
		} {
			if waiting.baseline != "" {
				f.Baseline = waiting.baseline + f.Name
			}
			f.Name = waiting.name + "." + f.Name
			b.report.add(f)
		}
	}
	return nil
}

// drained is what was seen of a backlog.
type drained struct {
	rate   float64 // deliveries a second
	ready  time.Duration
	memory int64
}

// drain starts a router on a store with n deliveries that are due, and times the oldest.
func (b *bench) drain(ctx context.Context, name string, n int) (*drained, error) {
	s, err := b.beforeRouter(ctx, arrangement{name: name})
	if err != nil {
		return nil, err
	}
	defer s.takeDown()
	if err := b.fill(ctx, s, n); err != nil {
		return nil, err
	}
	if err := s.forget(ctx, b.events); err != nil {
		return nil, err
	}
	if s.router, err = startRouter(ctx, b.binary, s.dir); err != nil {
		return nil, err
	}
	if err := s.awaitArrivals(ctx, b.events); err != nil {
		return nil, err
	}
	seen, err := s.arrived(ctx, false)
	if err != nil {
		return nil, err
	}
	if seen.Repeated != 0 {
		return nil, fmt.Errorf("%d deliveries arrived, with %d calls too many", seen.Delivered, seen.Repeated)
	}
	return &drained{
		rate: perSecond(b.events-1, seen.Last.Sub(seen.First)), ready: s.router.ready, memory: s.router.kill().memory,
	}, nil
}

// fill puts n deliveries that are due into a store that a router has made. It goes past the router, which would take
// minutes to accept a million events.
func (b *bench) fill(ctx context.Context, s *stage, n int) error {
	maker, err := startRouter(ctx, b.binary, s.dir)
	if err != nil {
		return err
	}
	if _, err := maker.stop(); err != nil {
		return err
	}
	if err := store.RegisterSums(); err != nil {
		return err
	}
	now := time.Now()
	digits := string(appendEvent(nil, "backlog", 0, now))
	return execute(ctx, filepath.Join(s.dir, storeFile),
		"PRAGMA synchronous=OFF",
		fmt.Sprintf(fillEvents, n, now.UnixMilli(), digits),
		fmt.Sprintf(fillDeliveries, now.UnixMilli(), now.UnixMilli()),
		store.SumUpEvents, store.SumUpDeliveries,
		"PRAGMA synchronous=FULL", "PRAGMA wal_checkpoint(TRUNCATE)")
}

// Events as the load sends them, each with one delivery of the rule.
const (
	fillEvents = `INSERT INTO events (id, timestamp, digest, received_at, name, helper, entry_id, generation, crc, body)
		WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < %[1]d)
		SELECT printf('%%08x-0000-7000-8000-%%012x', i, i), i, sha256(CAST(replace('%[3]s', 'backlog-0', 'backlog-' || i) AS BLOB)), %[2]d, 'entry.created', '/expenses', 'backlog-' || i, 1, 0,
			CAST(replace('%[3]s', 'backlog-0', 'backlog-' || i) AS BLOB) FROM n`
	fillDeliveries = `INSERT INTO deliveries (seq, rule, step, action, kind, message, state, generation, created_at, next_at, crc, told)
		SELECT seq << 20 | 1, 'high-expense', 0, 'target', 'http', '{}', 'pending', 0, %d, %d, 0, 0 FROM events ORDER BY seq`
)
