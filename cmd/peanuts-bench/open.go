package main

import (
	"context"
	"fmt"
	"net"
	"time"
)

// openLoad is the load of the measurements of time.
func (b *bench) openLoad(name string) loadJob {
	return loadJob{Name: name, Events: b.rate * b.seconds, Rate: float64(b.rate), Connections: connections}
}

// answer measures how long Peanuts waits for its answer, and how long an event takes to the target.
func (b *bench) answer(ctx context.Context) error {
	bare, err := b.loadBare(ctx, b.openLoad("bare"))
	if err != nil {
		return err
	}
	b.addTimes("bare.answer", "from when an event was due to the answer of a bare handler; open load", "", "", bare.Answer)
	result, seen, err := b.atRate(ctx, arrangement{name: "answer"})
	if err != nil {
		return err
	}
	b.addTimes("answer", "from when an event was due to the router's answer, event on disk; open load", "bare.answer", "<= 20 ms", result.Answer)
	b.addTimes("delivery", "from when an event was due to its arrival at the target; open load", "", "", seen.Delay)
	return nil
}

// addTimes adds three figures; what is to be reached is asked of p99.
func (b *bench) addTimes(name, what, baseline, toReach string, q quantiles) {
	for _, f := range []figure{
		{Name: ".p50", Value: milliseconds(q.P50)},
		{Name: ".p99", Value: milliseconds(q.P99), ToReach: toReach},
		{Name: ".p99.9", Value: milliseconds(q.P999)},
	} {
		if baseline != "" {
			f.Baseline = baseline + f.Name
		}
		f.Name, f.Unit, f.What = name+f.Name, "ms", what
		b.report.add(f)
	}
}

// atRate sends an open load through a router that is warm, until the target has all of it.
func (b *bench) atRate(ctx context.Context, a arrangement) (*loadResult, arrivals, error) {
	s, err := b.setUp(ctx, a)
	if err != nil {
		return nil, arrivals{}, err
	}
	defer s.takeDown()
	if err := b.warm(ctx, s); err != nil {
		return nil, arrivals{}, err
	}
	job := b.openLoad(a.name)
	job.Address = s.router.webhook
	result, err := load(ctx, job)
	if err != nil {
		return nil, arrivals{}, err
	}
	if err := s.awaitArrivals(ctx, job.Events); err != nil {
		return nil, arrivals{}, err
	}
	seen, err := b.accountFor(ctx, s, result.Accepted)
	if err != nil {
		return nil, arrivals{}, err
	}
	return result, seen, s.checkDead(ctx, b.warmUp()+result.Accepted)
}

// checkDead holds a dead action to its part: it took nothing, and all of it is still owed.
func (s *stage) checkDead(ctx context.Context, events int) error {
	if !s.dead() {
		return nil
	}
	owed, err := s.count(ctx, unsettled)
	if err == nil && owed != events {
		err = fmt.Errorf("the dead action should owe %d deliveries, and owes %d", events, owed)
	}
	return err
}

// dead measures how much longer deliveries take beside an action that hangs, and beside one that refuses, than beside one
// that answers: a second delivery for each event is work in any case. The three take turns, and medians count, so that a bad
// moment of the machine decides nothing.
func (b *bench) dead(ctx context.Context) error {
	refusing, err := refusingAddress()
	if err != nil {
		return err
	}
	loads := []struct{ name, what, address, baseline, toReach string }{
		{"healthy", "beside a second action that answers at once", pathOther, "", ""},
		{"hanging", "beside a second action whose target never answers", pathHang, "healthy.delivery.p99", "<= 1.10"},
		{"refusing", "beside a second action whose target refuses connections", "http://" + refusing, "healthy.delivery.p99", "<= 1.10"},
	}
	delays := make([][]time.Duration, len(loads))
	for range b.rounds {
		for i, beside := range loads {
			_, seen, err := b.atRate(ctx, arrangement{name: beside.name, second: beside.address})
			if err != nil {
				return err
			}
			delays[i] = append(delays[i], seen.Delay.P99)
		}
	}
	for i, beside := range loads {
		b.report.add(figure{
			Name: beside.name + ".delivery.p99", Value: milliseconds(median(delays[i])), Unit: "ms", Baseline: beside.baseline, ToReach: beside.toReach,
			What: "the same " + beside.what,
		})
	}
	return nil
}

// refusingAddress is a port at which nobody listens any more.
func refusingAddress() (string, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	return listener.Addr().String(), listener.Close()
}
