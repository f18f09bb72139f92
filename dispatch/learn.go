package dispatch

import (
	"time"

	"github.com/peanuts-router/peanuts-router/engine"
)

// learn has the lane know what an attempt tells of its target, before the next one begins.
func (l *lane) learn(route Route, id engine.DeliveryID, outcome engine.Outcome, now time.Time, took time.Duration) {
	l.flags.note(l.name, outcome, l.metrics)
	was, is := l.learned(route, id, outcome, now, took)
	if was.breaker.open != is.breaker.open {
		l.tellBreaker(was.breaker, outcome, now)
	}
	if !was.paused.After(now) && is.paused.After(now) { // what only makes a pause longer is told by its attempt
		l.Log.Warn("action paused", "action", l.name, "for", is.paused.Sub(now), "err", outcome.Reason,
			"hint", "its target asks to be left alone; what is owed waits, and uses up no attempts")
	}
}

// standing is what an attempt may change for its lane.
type standing struct {
	breaker breaker
	paused  time.Time
}

// learned is what learn does with the lane locked. It tells how the lane stood before, and how it does now.
func (l *lane) learned(route Route, id engine.DeliveryID, outcome engine.Outcome, now time.Time, took time.Duration) (was, is standing) {
	l.mu.Lock()
	defer l.mu.Unlock()
	was = standing{l.breaker, l.paused}
	l.rooms.lasted(took)
	l.ramp.learn(outcome.Verdict, now)
	if l.breaker.learn(id, outcome.Verdict, now) {
		l.announce(l.breaker.open)
	}
	if was.breaker.open && !l.breaker.open {
		l.ramp.begin(now)
		l.poke()
	}
	if wait := min(outcome.RetryAfter, route.MaxRetryAfter); wait > 0 {
		l.pause(now.Add(wait))
	}
	if l.breaker.open || l.paused.After(now) {
		l.putAllBack()
	}
	return was, standing{l.breaker, l.paused}
}

// tellBreaker logs that the breaker of the action has opened or closed.
func (l *lane) tellBreaker(was breaker, outcome engine.Outcome, now time.Time) {
	if was.open {
		l.Log.Info("breaker closed", "action", l.name, "after", now.Sub(was.since))
		return
	}
	l.Log.Warn("breaker opened", "action", l.name, "failures", was.inARow+1, "probe", was.Probe, "err", outcome.Reason,
		"hint", "what is owed waits, and uses up no attempts; one delivery is let through every "+was.Probe.String())
}

// announce tells of a breaker those who count and those who watch. The lane is locked, so that what they hear last is so.
func (l *lane) announce(open bool) {
	l.metrics.breaker(l.name, open)
	if l.ObserveBreaker != nil {
		l.ObserveBreaker(l.name, open)
	}
}
