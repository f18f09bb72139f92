package dispatch

import (
	"context"
	"fmt"
	"runtime/debug"
	"time"

	"github.com/peanuts-router/peanuts-router/engine"
	"github.com/peanuts-router/peanuts-router/internal/fault"
)

// attempt makes one attempt at a delivery, or tells why it cannot be made. What it returns records what came of it.
func (l *lane) attempt(lease engine.Lease) (record func()) {
	route, known := l.Routes(l.name)
	began := l.Now()
	switch {
	case !known:
		return func() { l.bury(lease, fmt.Sprintf("the action %s is gone from the rules", l.name)) }
	case route.Kind != lease.Kind:
		return func() {
			l.bury(lease, fmt.Sprintf("the action %s is of kind %s now, and this is a message for %s", l.name, route.Kind, lease.Kind))
		}
	case began.Add(route.Timeout).After(lease.Until), !l.admits(lease.ID, began):
		return func() { l.putBack(lease) }
	}
	fault.Reach(fault.BeforeSend)
	if fault.Planted(fault.MarkBeforeSend) {
		early := lease.Settle(engine.Delivered)
		early.Attempt = &engine.Attempt{At: began}
		l.settle(lease, early)
	}
	outcome := l.try(route, lease)
	fault.Reach(fault.BeforeSettle)
	if fault.Planted(fault.ReloadDrops) && l.reloadedSince(route) {
		return func() {}
	}
	if outcome.Verdict == engine.VerdictRetry && l.attempts.Err() != nil {
		return func() { l.handBack(lease) } // cut by the end of the process, not by the target
	}
	now := l.Now()
	l.learn(route, lease.ID, outcome, now, now.Sub(began))
	return func() { l.conclude(route, lease, outcome, began, now) }
}

// try calls the sender, and survives it.
func (l *lane) try(route Route, lease engine.Lease) (outcome engine.Outcome) {
	ctx, cancel := context.WithTimeout(l.attempts, route.Timeout)
	defer cancel()
	defer func() {
		if cause := recover(); cause != nil {
			l.metrics.panicked(l.name)
			l.Log.Error("a sender panicked", "delivery", lease.ID, "action", l.name, "stack", string(debug.Stack()))
			outcome = engine.Outcome{Verdict: engine.VerdictDead, Status: "panic", Reason: "the action panicked on this message; the log has its stack"}
		}
	}()
	l.metrics.begin(l.name)
	defer l.metrics.end(l.name)
	if fault.Planted(fault.KeyPerAttempt) {
		lease.ID += engine.DeliveryID(fmt.Sprintf(".%d", lease.Attempts+1))
	}
	return route.Sender.Send(ctx, engine.Shipment{Lease: lease, N: lease.Attempts + 1})
}

// conclude records what an attempt came to and puts it into effect.
func (l *lane) conclude(route Route, lease engine.Lease, outcome engine.Outcome, began, now time.Time) {
	took := now.Sub(began)
	settlement := decide(route.Action, lease, outcome, now)
	settlement.Attempt = &engine.Attempt{At: began, Took: took, Status: outcome.Status, Error: outcome.Reason, Answer: outcome.Answer}
	if l.noteHolds() != nil {
		l.poke() // so that it is tried again until the store can
	}
	recorded := l.settle(lease, settlement)
	if recorded.State == engine.Cancelled {
		settlement.State = engine.Cancelled
	}
	l.tell(lease, outcome, settlement, took, recorded.Applied)
	if !recorded.Applied {
		return
	}
	l.metrics.attempted(l.name, outcome.Verdict, took) // as the history has it
	if settlement.State == engine.Pending {
		l.expect(settlement.NextAt)
	}
	if l.Observe != nil {
		l.Observe(Settled{Lease: lease, Outcome: outcome, Settlement: settlement})
	}
}

// decide is what follows from an outcome: where the delivery stands, and when it is due.
func decide(action engine.Action, lease engine.Lease, outcome engine.Outcome, now time.Time) engine.Settlement {
	switch outcome.Verdict {
	case engine.VerdictDelivered:
		return lease.Settle(engine.Delivered)
	case engine.VerdictDead:
		s := lease.Settle(engine.Dead)
		s.Reason = outcome.Reason
		return s
	}
	tried := lease.Attempts - lease.PlanFrom + 1
	if tried >= action.Retry.Limit() {
		s := lease.Settle(engine.Dead)
		s.Reason = fmt.Sprintf("gave up after %d attempts: %s", tried, outcome.Reason)
		return s
	}
	wait := max(waitAfter(action.Retry, tried), min(outcome.RetryAfter, action.MaxRetryAfter))
	s := lease.Settle(engine.Pending)
	s.NextAt = now.Add(wait)
	return s
}

// bury makes a delivery a dead letter without an attempt.
func (l *lane) bury(lease engine.Lease, reason string) {
	settlement := lease.Settle(engine.Dead)
	settlement.Reason = reason
	outcome := engine.Outcome{Verdict: engine.VerdictDead, Reason: reason}
	applied := l.settle(lease, settlement).Applied
	l.tell(lease, outcome, settlement, 0, applied)
	if applied && l.Observe != nil {
		l.Observe(Settled{Lease: lease, Outcome: outcome, Settlement: settlement})
	}
}

// putBack gives a lease back for a later one.
func (l *lane) putBack(lease engine.Lease) {
	l.handBack(lease)
	l.wake()
}

// handBack gives a lease back untried; the delivery is as due as it was.
func (d *Dispatcher) handBack(lease engine.Lease) {
	back := lease.Settle(engine.Pending)
	back.NextAt = lease.Until.Add(lease.NextAt.Sub(lease.Until)) // a reading of the clock, as Until is: it may have jumped
	if now := d.Now(); back.NextAt.After(now) {
		back.NextAt = now
	}
	d.settle(lease, back)
}

// reloadedSince tells whether an action has got another sender meanwhile.
func (l *lane) reloadedSince(route Route) bool {
	now, _ := l.Routes(l.name)
	return now.Sender != route.Sender
}
