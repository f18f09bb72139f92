package dispatch

import (
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/peanuts-router/peanuts-router/engine"
)

// Flag is something about an action that a person should look at.
type Flag struct {
	Action engine.ActionName
	Says   string
}

// flags remember which actions are gone or refuse our credentials, until their next success.
type flags struct {
	mu   sync.Mutex
	says map[engine.ActionName]string
}

func (f *flags) note(action engine.ActionName, outcome engine.Outcome) {
	f.mu.Lock()
	defer f.mu.Unlock()
	switch {
	case outcome.Verdict == engine.VerdictDelivered:
		delete(f.says, action)
		return
	case f.says == nil:
		f.says = map[engine.ActionName]string{}
	}
	switch {
	case outcome.Gone:
		f.says[action] = "its target says that it is gone (410)"
	case outcome.Refused:
		f.says[action] = "its target refuses our credentials"
	}
}

// Flags tell which actions are gone, refuse our credentials, are paused, or have an open breaker.
func (d *Dispatcher) Flags() []Flag {
	d.flags.mu.Lock()
	says := maps.Clone(d.flags.says)
	d.flags.mu.Unlock()
	var told []Flag
	for action, what := range says {
		told = append(told, Flag{Action: action, Says: what})
	}
	d.mu.Lock()
	lanes := slices.Collect(maps.Values(d.lanes))
	d.mu.Unlock()
	for _, l := range lanes {
		for _, says := range l.saysOfHolds() {
			told = append(told, Flag{Action: l.name, Says: says})
		}
	}
	slices.SortFunc(told, func(a, b Flag) int { return strings.Compare(string(a.Action)+a.Says, string(b.Action)+b.Says) })
	return told
}

// saysOfHolds says what holds the action.
func (l *lane) saysOfHolds() (says []string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := l.Now()
	if l.paused.After(now) {
		until := now.Add(l.paused.Sub(now)) // by the clock as it is now, which may have jumped
		says = append(says, "paused by its target until "+until.UTC().Format(time.RFC3339))
	}
	if l.breaker.open {
		says = append(says, "its breaker is open since "+l.breaker.since.UTC().Format(time.RFC3339)+": its target fails")
	}
	return says
}
