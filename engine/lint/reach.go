package lint

import (
	"strings"

	"github.com/peanuts-router/peanuts-router/engine/condition"
	"github.com/peanuts-router/peanuts-router/engine/rulefile"
	"github.com/peanuts-router/peanuts-router/peanuts"
)

// wants tells whether an event reaches a rule.
func (r *rule) wants(event string) bool {
	if !r.hasOn() {
		return event != peanuts.EntryDeleted && !isRouterEvent(event)
	}
	for _, wanted := range r.On {
		if wanted.Value == event {
			return true
		}
	}
	return false
}

func (r *rule) hasOn() bool { return len(r.On) > 0 }

// given is what is certain of the events that reach a rule.
func (r *rule) given() condition.Given {
	if !r.hasOn() {
		return condition.Given{"event": {Except: append([]string{peanuts.EntryDeleted}, rulefile.RouterEvents()...)}}
	}
	only := []string{}
	for _, event := range r.On {
		only = append(only, event.Value)
	}
	return condition.Given{"event": {Only: only}}
}

func isRouterEvent(event string) bool { return strings.HasPrefix(event, rulefile.RouterPrefix) }
