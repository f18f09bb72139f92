package main

import (
	"fmt"
	"slices"
	"time"

	"github.com/peanuts-router/peanuts-router/engine"
)

// attempts is I6.
func (e *evidence) attempts() (found []string) {
	receipts := e.byStep()
	most := len(retryWaits) + 1
	for _, one := range e.stored {
		if one.Sent == nil {
			continue
		}
		for i := range one.Deliveries {
			d, sends := &one.Deliveries[i], receipts[ofStep{one.Sent.N, one.Deliveries[i].Action}]
			wrong := ""
			switch {
			case d.Attempts > most:
				wrong = fmt.Sprintf("%d attempts are recorded, and the plan has %d", d.Attempts, most)
			case d.Action == actionTable: // which gives no receipts
			case d.Attempts > len(sends) && d.Attempts > len(sends)+e.disturbances(d): // an attempt may end before it has gone out
				wrong = fmt.Sprintf("%d attempts are recorded, and %d were made", d.Attempts, len(sends))
			case len(sends) > d.Attempts+e.lost(d, sends):
				wrong = fmt.Sprintf("%d attempts were made and %d recorded, with %d crashes", len(sends), d.Attempts, e.lost(d, sends))
			case d.State == engine.Dead && !d.tookDown() && d.Attempts < one.Sent.Plan.attempts():
				wrong = fmt.Sprintf("it was given up after %d attempts, and the plan has %d", d.Attempts, one.Sent.Plan.attempts())
			}
			if wrong != "" {
				found = append(found, about(one.Sent.N, d.step, "%s", wrong))
			}
		}
	}
	return found
}

// lost is how many of the attempts may have ended in a crash, unrecorded.
func (e *evidence) lost(d *delivery, sends []receipt) int {
	if len(sends) == 0 {
		return 0
	}
	// Within one attempt the HTTP client sends again what it has got no answer to.
	lost := e.crashes(sends[0].At, forEver) + e.ranOut(sends) + unheard(sends)
	if e.lease > 0 && d.State == engine.Cancelled {
		lost++ // its last lease ran out, too, and then its entry moved on
	}
	return lost
}

// pacing is I8.
func (e *evidence) pacing() (found []string) {
	receipts := e.byStep()
	for _, one := range e.stored {
		if one.Sent == nil {
			continue
		}
		for i := range one.Deliveries {
			d := &one.Deliveries[i]
			sends := receipts[ofStep{one.Sent.N, d.Action}]
			for j := range d.History[:max(0, len(d.History)-1)] {
				wait := e.planned(d, d.History[j], one.Sent.Plan)
				if early, ok := e.early(d.History[j], sends, wait); ok {
					found = append(found, about(one.Sent.N, d.step, "attempt %d was followed by another after %s, and the plan waits %s", d.History[j].N, early, wait))
				}
			}
		}
	}
	return found
}

// planned is how long is waited after an attempt. A target that asks to wait may not have been heard.
func (e *evidence) planned(d *delivery, a engine.Attempt, p plan) time.Duration {
	wait := retryWaits[min(a.N, len(retryWaits))-1]
	if p == planLimited && a.N == 1 && !e.disturbed(d, a) {
		wait = max(wait, askedToWait)
	}
	return wait
}

// timedOut is the status of an attempt without an answer in time.
const timedOut = "timeout"

// early finds a send that came before four fifths of the wait after an attempt were over, and tells how soon it came. What was
// sent before the attempt ended belongs to it, or to one before it. One that timed out may not have arrived by then: so does the
// next that comes.
func (e *evidence) early(after engine.Attempt, sends []receipt, wait time.Duration) (soon time.Duration, found bool) {
	const asKept = 2 * time.Millisecond // the times of attempts are kept in milliseconds
	ended := e.momentOf(after.At) + after.Took
	arrived := after.Status != timedOut || slices.ContainsFunc(sends, func(r receipt) bool { return r.At >= ended-after.Took-asKept && r.At <= ended })
	for _, r := range sends {
		since := r.At - ended
		if since > 0 && !arrived {
			arrived = true
			continue
		}
		if !r.Late && since > asKept && since < wait*4/5 {
			return since, true
		}
	}
	return 0, false
}
