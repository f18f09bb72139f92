package monitor

import (
	"fmt"
	"strings"
	"time"

	"github.com/peanuts-router/peanuts-router/dispatch"
	"github.com/peanuts-router/peanuts-router/engine"
)

// watch is what is kept of one action.
type watch struct {
	window  window
	failed  dispatch.Settled // the newest attempt that failed
	breaker bool             // it is open
	opened  bool             // it was opened since the last round, however short that was
	since   time.Time        // of the spike that was told; zero while there is none
	calm    time.Time        // since when the rate is low again, with the breaker closed; zero while it is not
	mute    string           // why an alert did not get through the action, until something does
}

// note counts an attempt. What an alert owes counts in no window, or failing to tell of a spike would be one.
func (w *watch) note(s dispatch.Settled, m engine.Monitor, now time.Time) {
	delivered := s.Outcome.Verdict == engine.VerdictDelivered
	switch {
	case delivered:
		w.mute = ""
	case s.Lease.Own:
		w.mute = s.Outcome.Reason
	}
	if s.Lease.Own || s.Settlement.Attempt == nil {
		return
	}
	w.window.fit(m.Window, now)
	w.window.add(now, !delivered)
	if !delivered {
		s.Lease.Body, s.Lease.Message, s.Outcome.Answer = nil, nil, "" // let go of the event
		w.failed = s
	}
}

// turn is the event that the action has come to by now; empty while nothing has changed.
func (w *watch) turn(m engine.Monitor, now time.Time) (string, tally) {
	w.window.fit(m.Window, now)
	sum := w.window.sum(now)
	if w.since.IsZero() {
		if w.spikes(sum, m) {
			return engine.EventFailureSpike, sum
		}
		return "", sum
	}
	switch {
	case w.breaker || sum.attempts > 0 && sum.rate() >= m.FailureRate/2:
		w.calm = time.Time{}
	case sum.attempts > 0 && w.calm.IsZero():
		w.calm = now
	}
	if !w.calm.IsZero() && now.Sub(w.calm) >= m.Window {
		return engine.EventFailureRecovered, sum
	}
	return "", sum
}

// spikes tells whether a spike begins. A breaker that alerts alone have opened begins none.
func (w *watch) spikes(sum tally, m engine.Monitor) bool {
	return (w.breaker || w.opened) && sum.failed > 0 || sum.attempts >= m.MinAttempts && sum.rate() >= m.FailureRate
}

// told puts a turn into effect, once it is told.
func (w *watch) told(event string, now time.Time) {
	w.calm = time.Time{}
	switch event {
	case engine.EventFailureSpike:
		w.since = now
	case engine.EventFailureRecovered:
		w.since = time.Time{}
	}
}

// why tells a person what a spike is made of.
func (w *watch) why(sum tally, m engine.Monitor) string {
	var parts []string
	if w.breaker || w.opened {
		parts = append(parts, "its breaker has opened")
	}
	if sum.attempts > 0 {
		parts = append(parts, fmt.Sprintf("%d of %d attempts failed within %s", sum.failed, sum.attempts, brief(m.Window)))
	}
	if reason := w.failed.Outcome.Reason; reason != "" {
		parts = append(parts, "last: "+reason)
	}
	return strings.Join(parts, "; ")
}

// brief is a duration without the zeros at its end: 5m, not 5m0s.
func brief(d time.Duration) string {
	text := d.String()
	if strings.HasSuffix(text, "m0s") {
		text = strings.TrimSuffix(text, "0s")
	}
	if strings.HasSuffix(text, "h0m") {
		text = strings.TrimSuffix(text, "0m")
	}
	return text
}
