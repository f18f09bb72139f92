package main

import (
	"context"
	"fmt"
	"path/filepath"
)

// connections is how many a load has.
const connections = 64

// bareTimes is how many times the events of the other closed loads the bare handler gets, so that it is measured for
// about as long: a second in which nobody else wants the processors would flatter it.
const bareTimes = 8

// bare measures what net/http and the signature leave to everybody.
func (b *bench) bare(ctx context.Context) error {
	result, err := b.loadBare(ctx, loadJob{Name: "bare", Events: bareTimes * b.events})
	if err != nil {
		return err
	}
	b.report.add(figure{
		Name: "bare.answered", Value: perSecond(result.Accepted, result.took()), Unit: "events/s",
		What: "answered by a bare handler that only checks the signature; closed load",
	})
	return nil
}

// loadBare sends a load to a bare handler that is warm.
func (b *bench) loadBare(ctx context.Context, job loadJob) (*loadResult, error) {
	handler, err := startChild(ctx, roleBare)
	if err != nil {
		return nil, err
	}
	defer handler.stop()
	job.Address, job.Connections = handler.address, connections
	warm := loadJob{Name: "warm", Address: handler.address, Connections: connections, Events: b.warmUp()}
	if _, err := load(ctx, warm); err != nil {
		return nil, err
	}
	return load(ctx, job)
}

// throughput is what a closed load found.
type throughput struct {
	accepted, delivered, settled float64 // events a second
	spent                        spent
}

// plain measures a router that delivers each event to the target.
func (b *bench) plain(ctx context.Context) error {
	t, err := b.throughput(ctx, arrangement{name: "plain"})
	if err != nil {
		return err
	}
	b.addThroughput("plain", "one HTTP step", t, func(string) string { return "bare.answered" }, ">= 0.35")
	events := float64(b.events + b.warmUp())
	for _, f := range []figure{
		{Name: "plain.cpu", Value: t.spent.cpu.Seconds() / events * 1e6, Unit: "CPU µs/event", What: "processor time of the router, start and end included"},
		{Name: "plain.disk", Value: float64(t.spent.store) / events, Unit: "bytes/event", What: "size of the closed store"},
		{Name: "plain.log", Value: float64(t.spent.log) / events, Unit: "bytes/event", What: "size of the log"},
		{Name: "plain.memory", Value: mebibytes(t.spent.memory), Unit: "MiB", What: "resident memory of the router at the most"},
	} {
		b.report.add(f)
	}
	return nil
}

// tables measures the same with one stat and one sql step beside the HTTP one.
func (b *bench) tables(ctx context.Context) error {
	t, err := b.throughput(ctx, arrangement{name: "tables", tables: true})
	if err != nil {
		return err
	}
	b.addThroughput("tables", "one HTTP step, one sql step (SQLite), one stat", t, func(what string) string { return "plain." + what }, "> 0.5")
	return nil
}

func (b *bench) addThroughput(name, steps string, t *throughput, baseline func(string) string, toReach string) {
	for _, f := range []struct {
		what, told, toReach string
		value               float64
	}{
		{"accepted", "answered 200", "", t.accepted},
		{"delivered", "arrived at the target", "", t.delivered},
		{"settled", "and all recorded as delivered", toReach, t.settled},
	} {
		b.report.add(figure{
			Name: name + "." + f.what, Value: f.value, Unit: "events/s", Baseline: baseline(f.what), ToReach: f.toReach,
			What: f.told + "; " + steps + ", closed load",
		})
	}
}

// throughput sends a closed load through a router that is warm.
func (b *bench) throughput(ctx context.Context, a arrangement) (*throughput, error) {
	s, err := b.setUp(ctx, a)
	if err != nil {
		return nil, err
	}
	defer s.takeDown()
	if err := b.warm(ctx, s); err != nil {
		return nil, err
	}
	result, err := load(ctx, loadJob{Name: a.name, Address: s.router.webhook, Connections: connections, Events: b.events})
	if err != nil {
		return nil, err
	}
	if err := s.awaitArrivals(ctx, b.events); err != nil {
		return nil, err
	}
	settled, err := s.awaitSettled(ctx)
	if err != nil {
		return nil, err
	}
	seen, err := b.accountFor(ctx, s, result.Accepted)
	if err != nil {
		return nil, err
	}
	used, err := s.router.stop()
	return &throughput{
		accepted:  perSecond(b.events, result.took()),
		delivered: perSecond(b.events, seen.Last.Sub(result.Began)),
		settled:   perSecond(b.events, settled.Sub(result.Began)),
		spent:     used,
	}, err
}

// warm sends what is not measured, and waits until the target has it and has forgotten it. A dead action beside the
// target keeps the rest unsettled.
func (b *bench) warm(ctx context.Context, s *stage) error {
	_, err := load(ctx, loadJob{Name: "warm", Address: s.router.webhook, Connections: connections, Events: b.warmUp()})
	if err != nil {
		return err
	}
	if err := s.awaitArrivals(ctx, b.warmUp()); err != nil {
		return err
	}
	if !s.dead() {
		if _, err := s.awaitSettled(ctx); err != nil {
			return err
		}
	}
	return s.forget(ctx, 0)
}

// accountFor holds the router to its word: what was accepted has arrived, each event once, and is recorded so.
func (b *bench) accountFor(ctx context.Context, s *stage, accepted int) (seen arrivals, err error) {
	if err := s.awaitRecorded(ctx, b.warmUp()+accepted); err != nil {
		return seen, err
	}
	if seen, err = s.arrived(ctx, true); err != nil {
		return seen, err
	}
	if !s.dead() {
		if _, err := s.awaitSettled(ctx); err != nil {
			return seen, err
		}
	}
	settled, err := s.count(ctx, delivered)
	if err != nil {
		return seen, err
	}
	b.report.Counts = append(b.report.Counts, count{
		Run: s.name, Accepted: accepted, Delivered: seen.Delivered, Repeated: seen.Repeated, Settled: settled,
	})
	if seen.Delivered != accepted || seen.Repeated != 0 {
		return seen, fmt.Errorf("%d events were accepted, and %d arrived, with %d calls too many", accepted, seen.Delivered, seen.Repeated)
	}
	return seen, s.checkTable(ctx, b.warmUp()+accepted)
}

// awaitRecorded waits until the target's deliveries are recorded, whatever a dead action beside it owes.
func (s *stage) awaitRecorded(ctx context.Context, n int) error {
	return await(ctx, "deliveries to be recorded", func() (int, bool, error) {
		recorded, err := s.count(ctx, delivered+` AND action = 'target'`)
		return recorded, recorded >= n, err
	})
}

// checkTable holds the table of the sql step, if there is one, to a row an event.
func (s *stage) checkTable(ctx context.Context, events int) error {
	if !s.arrangement.tables {
		return nil
	}
	rows, err := ask(ctx, filepath.Join(s.dir, tableFile), `SELECT count(*) FROM expenses`)
	if err == nil && rows != events {
		err = fmt.Errorf("the table has %d rows, for %d events", rows, events)
	}
	return err
}
