package main

import (
	"fmt"

	"github.com/peanuts-router/peanuts-router/engine"
)

// loss is I1.
func (e *evidence) loss() (found []string) {
	receipts, stored := e.byStep(), e.storedOf()
	for _, s := range e.sent {
		if _, ok := s.accepted(); !ok {
			continue
		}
		kept := stored[s.N]
		if kept == nil {
			found = append(found, fmt.Sprintf("event %d was answered 200 and is not in the store", s.N))
			continue
		}
		for _, owed := range s.owes() {
			if !arrived(receipts[ofStep{s.N, owed.Action}]) && !e.mayDie(s, kept.find(owed)) {
				found = append(found, about(s.N, owed, "never arrived"))
			}
		}
	}
	if e.beside != nil {
		found = append(found, e.beside.lost...)
	}
	return found
}

// arrived tells whether a target has said yes.
func arrived(receipts []receipt) bool {
	for i := range receipts {
		if receipts[i].said() {
			return true
		}
	}
	return false
}

// mayDie tells whether a delivery is a dead letter as it should be.
func (e *evidence) mayDie(s *sent, d *delivery) bool {
	return d != nil && d.State == engine.Dead && (d.plainHTTP() && s.Plan.attempts() > 0 || d.tookDown() || e.wornOut(d, s.Plan))
}

// ends is I5.
func (e *evidence) ends() (found []string) {
	receipts := e.byStep()
	for _, one := range e.stored {
		if one.Sent == nil {
			continue
		}
		n := one.Sent.N
		for _, owed := range one.Sent.owes() {
			if one.find(owed) == nil {
				found = append(found, about(n, owed, "is not owed, though the event is stored"))
			}
		}
		for i := range one.Deliveries {
			d := &one.Deliveries[i]
			if wrong := d.wrongEnd(receipts[ofStep{n, d.Action}]); wrong != "" {
				found = append(found, about(n, d.step, "%s", wrong))
			}
		}
	}
	return found
}

// wrongEnd tells what is wrong with the state in which a delivery ended.
func (d *delivery) wrongEnd(receipts []receipt) string {
	yes := arrived(receipts) || d.Action == actionTable // which gives no receipts
	switch d.State {
	case engine.Delivered:
		if !yes {
			return "is delivered, and no target has said so"
		}
	case engine.Dead:
		if d.Reason == "" {
			return "is dead without a reason"
		}
		if heard(receipts) && !d.tookDown() {
			return "is dead, and a target has said yes"
		}
	case engine.Cancelled:
		if d.Action != actionTable && d.Action != actionReminders {
			return "is cancelled, though it follows no entry"
		}
	default:
		return fmt.Sprintf("is %s for ever", d.State)
	}
	return ""
}
