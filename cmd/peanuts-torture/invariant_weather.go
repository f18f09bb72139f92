package main

import (
	"strings"
	"time"

	"github.com/peanuts-router/peanuts-router/engine"
)

const (
	// answered is within which time of its arrival the router hears the answer to a message, or does not wait for it any more.
	answered = timeout + time.Second
	// carried is how long bytes that have left the proxy may take to be seen.
	carried = 100 * time.Millisecond
)

// onLink is a connection as the target sees it.
type onLink struct {
	way  way
	link string
}

// mark notes on receipts what the weather did to them. A connection carries one message after the other, and none before the
// answer to the last is heard: so what meets it concerns its newest message, or the one that it holds up. Of chat and mail the
// connection is not known: there it is whatever was under way.
func (e *evidence) mark() {
	came := map[onLink][]*receipt{}
	for i := range e.receipts {
		r := &e.receipts[i]
		of := onLink{wayOf(r.Action), r.From}
		came[of] = append(came[of], r)
	}
	for _, d := range e.weather {
		var newest *receipt
		for _, r := range came[onLink{d.Way, d.Link}] {
			switch {
			case r.At > d.At:
				r.holdUp(d)
			case r.At >= d.At-answered && (newest == nil || r.At > newest.At):
				newest = r
			}
		}
		if newest != nil {
			newest.Unheard = true
		}
		for _, r := range came[onLink{d.Way, ""}] {
			r.Unheard = r.Unheard || d.touches(r.At, r.At+answered)
			r.holdUp(d)
		}
	}
}

// holdUp notes that a message was held up by bad weather.
func (r *receipt) holdUp(d *disturbance) {
	if d.Requests && r.At > d.At && d.touches(r.At-carried, r.At) {
		r.Late, r.Unheard = true, true
	}
}

// touches tells whether it was bad at any time of those.
func (d *disturbance) touches(from, until moment) bool { return d.At <= until && d.Until >= from }

// unheard counts the messages of which the router may not have heard the answer, and those among some that came late. Either is a
// reason to send another; but the last one was not the reason for any, unless it is late.
func unheard(receipts []receipt) (n int) {
	for i, r := range receipts {
		if r.Late || r.Unheard && i < len(receipts)-1 {
			n++
		}
	}
	return n
}

// heard tells whether the router must have heard a target say yes.
func heard(receipts []receipt) bool {
	for i := range receipts {
		if receipts[i].said() && !receipts[i].Unheard {
			return true
		}
	}
	return false
}

// disturbed tells whether the weather, or a pause, may have decided what came of an attempt.
func (e *evidence) disturbed(d *delivery, a engine.Attempt) bool {
	began := e.momentOf(a.At)
	ended := began + a.Took + carried
	for _, one := range e.weather {
		if one.Way == wayOf(d.Action) && one.touches(began-carried, ended) {
			return true
		}
	}
	return e.pauses(began-carried, ended) > 0
}

// disturbances count the recorded attempts that were disturbed.
func (e *evidence) disturbances(d *delivery) (n int) {
	for _, a := range d.History {
		if e.disturbed(d, a) {
			n++
		}
	}
	return n
}

// wornOut tells whether a delivery died of a plan that the weather may have used up: all attempts went wrong, and no more of
// them by the plan of the event than it has failures.
func (e *evidence) wornOut(d *delivery, p plan) bool {
	if d == nil || d.State != engine.Dead || !strings.HasPrefix(d.Reason, "gave up after") {
		return false
	}
	failures := 0
	if d.plainHTTP() {
		failures = p.failures()
	}
	return d.Attempts > len(retryWaits) && failures+e.disturbances(d) >= d.Attempts
}

// momentOf is when something happened that the router tells by its clock.
func (e *evidence) momentOf(at time.Time) moment { return at.Add(-e.offset(at)).Sub(e.began) }

// offset is what the router's clock was wrong by when it showed a time.
func (e *evidence) offset(shown time.Time) time.Duration {
	for _, b := range e.blows {
		if at := shown.Add(-b.By).Sub(e.began); b.By != 0 && at >= b.At && at <= b.Until {
			return b.By
		}
	}
	return 0
}

// ahead is the most that the router's clock may have been ahead by at a moment.
func (e *evidence) ahead(at moment) (by time.Duration) {
	for _, b := range e.blows {
		if at >= b.At && at <= b.Until {
			by = max(by, b.By)
		}
	}
	return by
}

// hindered tells whether anything was done within a time that keeps a router from sending.
func (e *evidence) hindered(from, until moment) bool {
	for _, b := range e.blows {
		if b.At <= until && b.Until >= from && (b.Kind == kindPause || b.Kind == kindFull || strings.HasPrefix(b.Kind, kindStorm)) {
			return true
		}
	}
	return false
}
