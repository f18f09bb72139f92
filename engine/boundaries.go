package engine

import (
	"github.com/peanuts-router/peanuts-router/engine/condition"
	"github.com/peanuts-router/peanuts-router/engine/rulefile"
	"github.com/peanuts-router/peanuts-router/peanuts"
)

// Boundary is a comparison of a path with a constant in a rule's condition, and its place in the file.
type Boundary struct {
	condition.Boundary
	Place rulefile.Place
}

// RuleBoundaries are the boundaries of a rule.
type RuleBoundaries struct {
	Rule       RuleName
	Place      rulefile.Place // of the rule
	Event      string         // an event that the rule listens to
	Boundaries []Boundary
}

// Boundaries are where the verdict of each rule turns, in the order of the file. A disabled rule has no verdict.
func (r *Rules) Boundaries() []RuleBoundaries {
	all := make([]RuleBoundaries, 0, len(r.rules))
	for _, rule := range r.rules {
		if rule.disabled {
			continue
		}
		of := RuleBoundaries{Rule: rule.name, Place: rule.place, Event: rule.someEvent()}
		for _, one := range rule.when.Boundaries() {
			of.Boundaries = append(of.Boundaries, Boundary{Boundary: one, Place: rule.text.PlaceAt(one.Offset)})
		}
		all = append(all, of)
	}
	return all
}

// someEvent is an event that the rule listens to: that an entry was created, where it does.
func (r *rule) someEvent() string {
	if r.wants(peanuts.EntryCreated, false) {
		return peanuts.EntryCreated
	}
	first := ""
	for event := range r.on {
		if first == "" || event < first {
			first = event
		}
	}
	return first
}
