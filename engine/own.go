package engine

import (
	"strings"
	"time"

	"github.com/peanuts-router/peanuts-router/engine/rulefile"
	"github.com/peanuts-router/peanuts-router/peanuts"
)

// The events that the router raises itself, about its own work. They are stored, judged and delivered like those that
// come from outside, but only rules that name them in `on:` hear of them, and Known.Own says that an event is one: an
// event from outside that carries such a name is judged as any unknown event, and by no rule that names it.
const (
	EventDeadLetter       = rulefile.EventDeadLetter
	EventFailureSpike     = rulefile.EventFailureSpike
	EventFailureRecovered = rulefile.EventFailureRecovered
	EventReloadFailed     = rulefile.EventReloadFailed
)

// OwnHelper is the helper that the router's own events come from: its command.
const OwnHelper = "/router"

// IsOwnName tells whether a name is one that only the router's own events have. It says nothing of where an event that
// carries it came from.
func IsOwnName(event string) bool { return strings.HasPrefix(event, rulefile.RouterPrefix) }

// wants tells whether the rule is to be judged for an event.
func (r *rule) wants(event string, own bool) bool {
	switch {
	case own:
		return r.on[event]
	case IsOwnName(event):
		return r.on == nil
	case r.on == nil:
		return event != peanuts.EntryDeleted
	}
	return r.on[event]
}

// Monitor says when failures of an action are an alert.
type Monitor struct {
	Window      time.Duration // how far back attempts count
	MinAttempts int           // how many it must hold before their rate says anything
	FailureRate float64       // which part of them must fail
}

// MonitorByDefault is what counts when a rules file is silent.
func MonitorByDefault() Monitor {
	return Monitor{Window: 5 * time.Minute, MinAttempts: 20, FailureRate: 0.5}
}

// Monitor tells when failures are an alert by these rules.
func (r *Rules) Monitor() Monitor { return r.monitor }

func monitorOf(from rulefile.Monitor) Monitor {
	m := MonitorByDefault()
	if from.Window.IsSet() {
		m.Window = from.Window.Value
	}
	if from.MinAttempts.IsSet() {
		m.MinAttempts = from.MinAttempts.Value
	}
	if from.FailureRate.IsSet() {
		m.FailureRate = from.FailureRate.Value
	}
	return m
}

// Alert is one of the router's own events as it is remembered beside its record, so that a restart tells nothing twice.
type Alert struct {
	Event  string     // its name
	Action ActionName // that it is about; empty when it is about none
	About  string     // what else tells it from another of its name: of a refused reload, which one
	Told   int        // of EventDeadLetter: how many dead letters it tells
	At     time.Time
}

// Untold are the dead letters of an action that no EventDeadLetter has told yet.
type Untold struct {
	Action ActionName
	Count  int
	Newest Delivery // the one that died last, without its message
}

// OwnEvents are the names of all events that the router raises itself.
func OwnEvents() []string { return rulefile.RouterEvents() }
