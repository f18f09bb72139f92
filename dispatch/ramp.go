package dispatch

import (
	"time"

	"github.com/peanuts-router/peanuts-router/engine"
)

// rampStep is how long a lane goes on with the same number of hands, at the least, while it comes back to all of them.
const rampStep = time.Second

// ramp has a lane whose action was left alone come back slowly: with one hand, and twice as many each second in which each
// of them had an answer. So a target that has just recovered, or asked for a rest, does not meet a stampede. Its
// methods are called with the lane locked.
type ramp struct {
	hands    int // that the lane may use; 0 means all of them
	since    time.Time
	answered int // attempts since then
}

// begin has the lane come back with one hand at a moment.
func (r *ramp) begin(at time.Time) { *r = ramp{hands: 1, since: at} }

// bound is how many of a lane's hands it may use, and whether that is fewer than all.
func (r *ramp) bound(hands int) (now int, ramping bool) {
	if r.hands >= hands {
		r.hands = 0
	}
	if r.hands == 0 {
		return hands, false
	}
	return r.hands, true
}

// learn notes what an attempt came to. A failure that is to be tried again begins anew.
func (r *ramp) learn(verdict engine.Verdict, now time.Time) {
	switch {
	case r.hands == 0:
	case verdict == engine.VerdictRetry:
		r.begin(maxTime(r.since, now))
	default: // the target answers, whatever it says
		r.answered++
		if r.answered >= r.hands && now.Sub(r.since) >= rampStep {
			r.hands, r.since, r.answered = 2*r.hands, now, 0
		}
	}
}

func maxTime(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
