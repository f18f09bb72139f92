package dispatch

import (
	"time"

	"github.com/peanuts-router/peanuts-router/engine"
)

// breaker leaves an action alone whose target fails. After so many retryable failures in a row it opens: what is owed
// waits in the store, and one delivery at a time is let through to see whether the target is back. The first that is
// delivered closes it. Its methods are called with the lane locked.
type breaker struct {
	engine.Breaker                   // as the action says now; no failures means that it never opens
	inARow         int               // retryable failures since the last delivery
	open           bool              //
	since          time.Time         // when it opened
	failed         time.Time         // when the last probe failed, or the last attempt before it opened
	probe          engine.DeliveryID // that is let through; empty when none is
}

// follow takes over what the action says now, and tells whether that has closed the breaker: that of an action that is gone
// holds nothing.
func (b *breaker) follow(settings engine.Breaker) (closed bool) {
	b.Breaker = settings
	closed = b.open && settings.Failures == 0
	if closed {
		b.open = false
	}
	return closed
}

// reopen takes up where an earlier run of the router ended: a probe is let through at once.
func (b *breaker) reopen(now time.Time) { b.open, b.since = true, now }

// probeAt is when the next probe is let through; zero while there is nothing to wait for.
func (b *breaker) probeAt() time.Time {
	if !b.open || b.probe != "" || b.failed.IsZero() {
		return time.Time{}
	}
	return b.failed.Add(b.Probe)
}

// allows is how many of n deliveries may be leased now.
func (b *breaker) allows(now time.Time, n int) int {
	switch {
	case !b.open:
		return n
	case b.probe != "" || b.probeAt().After(now):
		return 0
	}
	return min(n, 1)
}

// leased notes what was leased: while the breaker is open, the probe.
func (b *breaker) leased(leases []engine.Lease) {
	if b.open && len(leases) > 0 {
		b.probe = leases[0].ID
	}
}

// lets tells whether an attempt at a delivery may begin.
func (b *breaker) lets(id engine.DeliveryID) bool { return !b.open || b.probe == id }

// learn notes what an attempt came to, and tells whether that opened or closed the breaker. What was under way when it
// opened cannot keep it open, but can close it. A dead letter is no failure of the target, and no success.
func (b *breaker) learn(id engine.DeliveryID, verdict engine.Verdict, now time.Time) (changed bool) {
	switch {
	case verdict == engine.VerdictDelivered:
		changed = b.open
		b.open, b.inARow, b.probe = false, 0, ""
	case verdict != engine.VerdictRetry || b.Failures == 0:
	case b.open && id == b.probe:
		b.failed = now
	case !b.open:
		b.inARow++
		if b.inARow >= b.Failures {
			b.open, b.since, b.failed, changed = true, now, now, true
		}
	}
	return changed
}

// left notes that a delivery has left the lane, tried or not: if it was the probe, there may be another.
func (b *breaker) left(id engine.DeliveryID) {
	if b.probe == id {
		b.probe = ""
	}
}
