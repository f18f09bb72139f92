package dispatch

import (
	"cmp"
	"slices"
	"sync"
	"time"

	"github.com/peanuts-router/peanuts-router/engine"
)

// Flag is something about an action that a person should look at.
type Flag struct {
	Action engine.ActionName
	Says   string
}

// Compare orders flags by their actions, and then by what they say.
func (f Flag) Compare(g Flag) int {
	return cmp.Or(cmp.Compare(f.Action, g.Action), cmp.Compare(f.Says, g.Says))
}

// flags remember which actions are gone or refuse our credentials, until their next success, or until they leave the rules.
type flags struct {
	mu      sync.Mutex
	flagged map[engine.ActionName]flagged
}

// flagged is what the target of an action has said of it.
type flagged struct {
	gone    bool // for good (410)
	refused bool // the credentials
}

func (f flagged) says() string {
	if f.gone {
		return "its target says that it is gone (410)"
	}
	return "its target refuses our credentials"
}

// note takes over what an attempt tells.
func (f *flags) note(action engine.ActionName, outcome engine.Outcome, m *metrics) {
	f.mu.Lock()
	defer f.mu.Unlock()
	now := f.flagged[action]
	switch {
	case outcome.Verdict == engine.VerdictDelivered:
		now = flagged{}
	case outcome.Gone:
		now.gone = true
	case outcome.Refused:
		now.refused = true
	}
	f.set(action, now, m)
}

// keep drops what is about actions that are in the rules no more.
func (f *flags) keep(known func(engine.ActionName) bool, m *metrics) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for action := range f.flagged {
		if !known(action) {
			f.set(action, flagged{}, m)
		}
	}
}

// set notes what is flagged now. The flags are locked.
func (f *flags) set(action engine.ActionName, now flagged, m *metrics) {
	was := f.flagged[action]
	if was.gone != now.gone {
		m.actionGone(action, now.gone)
	}
	switch {
	case now == flagged{}:
		delete(f.flagged, action)
	case f.flagged == nil:
		f.flagged = map[engine.ActionName]flagged{action: now}
	default:
		f.flagged[action] = now
	}
}

// all are the flags in no order.
func (f *flags) all() (told []Flag) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for action, what := range f.flagged {
		told = append(told, Flag{Action: action, Says: what.says()})
	}
	return told
}

// Flags tell which actions are gone, refuse our credentials, are paused, or have an open breaker.
func (d *Dispatcher) Flags() []Flag {
	told := d.flags.all()
	for _, l := range d.all() {
		for _, says := range l.saysOfHolds() {
			told = append(told, Flag{Action: l.name, Says: says})
		}
	}
	slices.SortFunc(told, Flag.Compare)
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
