package dispatch

import (
	"context"
	"time"

	"github.com/peanuts-router/peanuts-router/engine"
)

// holds are what holds the action of a lane.
type holds struct {
	paused time.Time // by its target, until then
	open   bool      // its breaker is
	rated  time.Time // at its rate nothing more may be sent; told until then
}

// holdsNow are what holds the action now. The lane is locked.
func (l *lane) holdsNow() holds { return holds{paused: l.paused, open: l.breaker.open, rated: l.rated} }

// pause leaves the action alone until a moment; no later answer shortens it. The lane is locked.
func (l *lane) pause(until time.Time) {
	if until.After(l.paused) {
		l.paused = until
		l.ramp.begin(until)
	}
}

// ratedTime is for how long it is told that an action waits for its rate. It is told anew a while before that has passed.
const ratedTime = 3 * time.Second

// rate notes that something waits for the rate of the action. The lane is locked.
func (l *lane) rate(now time.Time) {
	if l.rated.Before(now.Add(ratedTime / 3)) {
		l.rated = now.Add(ratedTime)
	}
}

// heldUntil is when the lane may lease again, as far as it is held. The lane is locked.
func (l *lane) heldUntil() time.Time { return maxTime(l.paused, l.breaker.probeAt()) }

// admits tells whether an attempt at a delivery may begin.
func (l *lane) admits(id engine.DeliveryID, now time.Time) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return !l.paused.After(now) && l.breaker.lets(id)
}

func (l *lane) isOpen() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.breaker.open
}

// putAllBack hands back what is queued, for when the lane may go on. The lane is locked.
func (l *lane) putAllBack() {
	for _, lease := range l.queue {
		l.running.Go(func() {
			l.putBack(lease)
			l.leave(&lease)
		})
	}
	l.queue = nil
}

// restoreHolds takes up what held actions in an earlier run.
func (d *Dispatcher) restoreHolds(ctx context.Context) {
	held, err := d.Store.Holds(ctx)
	if err != nil {
		d.Log.Error("reading what holds actions", "err", err)
	}
	for _, hold := range held {
		if l := d.lane(hold.Action); l != nil {
			l.restore(hold)
		}
	}
}

func (l *lane) restore(hold engine.Hold) {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch hold.Reason {
	case engine.HeldPaused:
		now := l.Now()
		l.pause(now.Add(hold.Until.Sub(now))) // a reading of the clock, which may jump
	case engine.HeldBreaker:
		l.breaker.reopen(l.Now())
		l.announce(true)
	}
	l.noted = l.holdsNow()
}

// noteHolds has the store know what holds the action: commands tell it to people, and it outlives a restart.
func (l *lane) noteHolds() error {
	if _, changed := l.unnoted(); !changed {
		return nil
	}
	l.noting.Lock() // so that what is noted last is what is so
	defer l.noting.Unlock()
	now, changed := l.unnoted()
	if !changed {
		return nil
	}
	if err := l.note(now); err != nil {
		l.Log.Error("noting what holds an action", "action", l.name, "err", err)
		return err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.noted = now
	return nil
}

// unnoted is what holds the action now, and whether the store knows otherwise.
func (l *lane) unnoted() (now holds, changed bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	now = l.holdsNow()
	return now, now != l.noted
}

func (l *lane) note(now holds) error {
	ctx := l.records // what came of an attempt is noted even when the process is being stopped

	// The store never shortens a hold.
	if now.paused.Before(l.noted.paused) {
		if err := l.Store.LiftHold(ctx, l.name, engine.HeldPaused); err != nil {
			return err
		}
	}
	if now.paused != l.noted.paused {
		if err := l.Store.HoldAction(ctx, engine.Hold{Action: l.name, Reason: engine.HeldPaused, Until: now.paused}); err != nil {
			return err
		}
	}
	if now.rated != l.noted.rated {
		if err := l.Store.HoldAction(ctx, engine.Hold{Action: l.name, Reason: engine.HeldRate, Until: now.rated}); err != nil {
			return err
		}
	}
	switch {
	case now.open && !l.noted.open:
		return l.Store.HoldAction(ctx, engine.Hold{Action: l.name, Reason: engine.HeldBreaker})
	case !now.open && l.noted.open:
		return l.Store.LiftHold(ctx, l.name, engine.HeldBreaker)
	}
	return nil
}
