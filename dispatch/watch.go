package dispatch

import (
	"context"
	"time"

	"github.com/peanuts-router/peanuts-router/engine"
	"github.com/peanuts-router/peanuts-router/internal/fault"
)

const (
	lookEvery   = time.Second      // how often due work is looked for: others may have made some
	lookAtMost  = 10 * time.Second // how seldom, while the store fails
	expireEvery = 5 * time.Second  // how often expired leases are taken over
)

// watch looks for due work and expired leases until ctx ends. While the store fails it looks less and less often.
func (d *Dispatcher) watch(ctx context.Context) {
	expireEvery := fault.Span(fault.Sweep, expireEvery)
	wait, sinceExpired := time.Duration(0), expireEvery
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-timer.C:
		}
		expired := sinceExpired >= expireEvery
		err := d.look(ctx, expired)
		switch {
		case err == nil:
			wait = lookEvery
		case ctx.Err() == nil:
			d.Log.Error("looking for due deliveries", "err", err)
			wait = min(max(2*wait, lookEvery), lookAtMost)
		}
		if expired && err == nil { // else they are still to be taken over
			sinceExpired = 0
		}
		sinceExpired += wait
		timer.Reset(wait)
	}
}

// look is one round of watch.
func (d *Dispatcher) look(ctx context.Context, expired bool) error {
	if expired {
		freed, err := d.Store.ReleaseExpired(ctx, d.Now())
		if err != nil {
			return err
		}
		if freed > 0 {
			d.Log.Warn("expired leases taken over", "deliveries", freed)
		}
	}
	due, err := d.Store.Due(ctx, d.Now())
	for _, action := range due {
		d.Wake(action)
	}
	d.lookAtBreakers()
	d.flags.keep(func(action engine.ActionName) bool { _, known := d.Routes(action); return known }, d.metrics)
	return err
}

// lookAtBreakers has the lanes whose breaker is open follow their actions: nothing else may wake that of one that is gone.
func (d *Dispatcher) lookAtBreakers() {
	for _, l := range d.all() {
		if l.isOpen() {
			l.poke()
		}
	}
}
