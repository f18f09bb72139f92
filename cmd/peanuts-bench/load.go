package main

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"
)

// loadJob is a load: so many events, from so many connections, to one address.
type loadJob struct {
	Name        string  `json:"name"` // begins the entries' ids, so that no two loads send the same bytes
	Address     string  `json:"address"`
	Events      int     `json:"events"`
	Connections int     `json:"connections"`
	Rate        float64 `json:"rate"` // events a second; 0 is a closed load
}

// loadResult is what came of a load: every event was answered 200.
type loadResult struct {
	Accepted int       `json:"accepted"`
	Began    time.Time `json:"began"`
	Ended    time.Time `json:"ended"`
	Answer   quantiles `json:"answer"` // from when an event was due to its answer
}

// took is how long the load lasted.
func (r *loadResult) took() time.Duration { return r.Ended.Sub(r.Began) }

// run sends all events. The first that is not answered 200 ends it.
func (j *loadJob) run(ctx context.Context) (*loadResult, error) {
	ctx, fail := context.WithCancelCause(ctx)
	defer fail(nil)
	connections, err := dialAll(ctx, j.Address, j.Connections)
	if err != nil {
		return nil, err
	}
	var next atomic.Int64
	var workers sync.WaitGroup
	took := make([]time.Duration, j.Events)
	began := time.Now()
	for _, c := range connections {
		workers.Go(func() {
			defer c.close()
			if err := j.send(ctx, c, began, &next, took); err != nil {
				fail(err)
			}
		})
	}
	workers.Wait()
	if err := context.Cause(ctx); err != nil {
		return nil, fmt.Errorf("sending load %s to %s: %w", j.Name, j.Address, err)
	}
	return &loadResult{Accepted: j.Events, Began: began, Ended: time.Now(), Answer: quantilesOf(took)}, nil
}

// send is one connection's part: it takes the next event until all are taken.
func (j *loadJob) send(ctx context.Context, c *connection, began time.Time, next *atomic.Int64, took []time.Duration) error {
	var body []byte
	for ctx.Err() == nil {
		n := int(next.Add(1)) - 1
		if n >= j.Events {
			return nil
		}
		due := time.Now()
		if j.Rate > 0 {
			due = began.Add(time.Duration(float64(n) / j.Rate * float64(time.Second)))
			time.Sleep(time.Until(due))
		}
		body = appendEvent(body[:0], j.Name, n, due)
		if err := c.post(body); err != nil {
			return fmt.Errorf("event %d: %w", n, err)
		}
		took[n] = time.Since(due)
	}
	return nil
}

// dialAll opens connections before the clock runs.
func dialAll(ctx context.Context, address string, n int) ([]*connection, error) {
	var all []*connection
	for range n {
		c, err := dial(ctx, address)
		if err != nil {
			for _, open := range all {
				err = errors.Join(err, open.close())
			}
			return nil, err
		}
		all = append(all, c)
	}
	return all, nil
}
