package main

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/peanuts-router/peanuts-router/peanuts"
)

const (
	// backlogSize is how much is due at once when the last life begins.
	backlogSize = 1000
	// dueIn is when: all of it is sent by then.
	dueIn = 5 * time.Second
)

// drained is how the last life worked off what was due when it began (F38).
type drained struct {
	Events []int  // that were to be reminded of
	Ready  moment // when the life was ready
}

// drain leaves the router a backlog: reminders that are due by the time that it is back from a last kill.
func (r *run) drain(ctx context.Context) (drained, error) {
	if r.backlog == 0 {
		return drained{}, nil
	}
	due := time.Now().Add(dueIn)
	var d drained
	var sending sync.WaitGroup
	for range r.backlog {
		s, err := r.generator.reminder(due)
		if err != nil {
			return d, err
		}
		d.Events = append(d.Events, s.N)
		sending.Go(func() { r.generator.deliver(ctx, s) })
	}
	sending.Wait()
	b := r.history.begin(kindKill, true)
	r.router.kill()
	if err := wait(ctx, time.Until(due)); err != nil {
		return d, err
	}
	err := r.router.start(ctx, r.builds.of(r.env), r.env...)
	d.Ready = r.history.now()
	r.history.end(b)
	return d, err
}

// reminder makes up an event that is due at a time.
func (g *generator) reminder(due time.Time) (*sent, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.n++
	e := event{
		fate: fate{N: g.n, Plan: planOK, Category: "c0", Due: due.UTC().Format(time.RFC3339Nano)},
		Name: peanuts.EntryCreated, Entry: fmt.Sprintf("e-%d", g.n), Version: time.Now(), Matches: true,
	}
	if err := e.write(); err != nil {
		return nil, err
	}
	return g.history.send(e), nil
}

// drainRate is how many reminders of the backlog were sent a second, from when the router was ready; 0 without a backlog.
func (e *evidence) drainRate() float64 {
	receipts, n, last := e.byStep(), 0, e.drained.Ready
	for _, event := range e.drained.Events {
		if got := receipts[ofStep{event, actionReminders}]; len(got) > 0 && got[0].At > e.drained.Ready {
			n++
			last = max(last, got[0].At)
		}
	}
	if n == 0 {
		return 0
	}
	return float64(n) / max(time.Millisecond, last-e.drained.Ready).Seconds()
}
