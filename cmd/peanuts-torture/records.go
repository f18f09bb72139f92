package main

import (
	"time"

	"github.com/peanuts-router/peanuts-router/internal/fault"
)

// moment is a monotonic time since the run began.
type moment = time.Duration

// forEver is when a blow ends of which the end was not seen.
const forEver = moment(1<<63 - 1)

// outcome is what came of one try to send an event, as its sender knows it.
type outcome string

// The outcomes.
const (
	outcomeOK   outcome = "ok"   // 2xx, read to its end: it is stored
	outcomeFail outcome = "fail" // 4xx: it is not
	outcomeInfo outcome = "info" // 5xx, a timeout, a broken connection: it may be stored or not
)

// try is one sending of an event's bytes.
type try struct {
	At, Done  moment
	Outcome   outcome
	Status    int    // 0 without an answer
	ID        string // that the router gave it
	Duplicate bool
}

// sent is an event with all tries to send it.
type sent struct {
	event
	Tries []try
}

// receipt is one message as a target saw it.
type receipt struct {
	At      moment
	Action  string
	Key     string
	N       int    // of the event that the message speaks of
	Text    string // of the message
	Status  int    // that was answered; 0 for none
	Whole   bool   // the answer was written to its end
	Attempt int    // at this key, from 1
	From    string // the connection that it came by; empty where that is not known

	// What the weather did to it, as far as it can be told.
	Unheard bool // the answer may not have come through whole
	Late    bool // the message may have come when the router did not wait for an answer any more
}

// said tells whether the target has answered yes.
func (r *receipt) said() bool { return r.Whole && r.Status/100 == 2 }

// blow is one thing that was done to the router.
type blow struct {
	Kind  string
	Point fault.Point // at which a life died; empty for none
	At    moment
	Until moment        // when the router was itself again
	Kills bool          // a process ended by it
	By    time.Duration // what the router's clock was set off by, for a part of it
}

// variant is one set of rules.
type variant struct {
	Number int
	At     moment // when it was written
}

// life is one run of the router's process.
type life struct {
	Began, Ready moment // Ready is 0 when it did not live to see that
	First        moment // the first receipt after it was ready; 0 for none
	Exit         int    // -1: by a signal
}
