package engine

import (
	"slices"

	"github.com/peanuts-router/peanuts-router/engine/condition"
	"github.com/peanuts-router/peanuts-router/peanuts"
)

// index finds the rules that an event could concern, so that an event costs what it fires and not what there is. It
// leaves out rules that provably neither fire nor go wrong.
type index struct {
	named   map[string]*condition.Index // of rules with an `on:`, by each event of it
	rest    *condition.Index            // of the others
	syncing []int                       // rules that may owe a removal without firing
}

func newIndex(rules []*rule) *index {
	var rest []condition.Entry
	named := map[string][]condition.Entry{}
	x := &index{named: map[string]*condition.Index{}}
	for i, r := range rules {
		if r.disabled {
			continue
		}
		entry := condition.Entry{ID: i, Condition: r.when}
		if r.on == nil {
			rest = append(rest, entry)
		}
		for event := range r.on {
			named[event] = append(named[event], entry)
		}
		if slices.ContainsFunc(r.steps, func(s step) bool { return s.sync() != nil }) {
			x.syncing = append(x.syncing, i)
		}
	}
	x.rest = condition.NewIndex(rest)
	for event, entries := range named {
		x.named[event] = condition.NewIndex(entries)
	}
	return x
}

// find gives the rules that an event could concern, in their order, each once. The list is good until the next call.
func (x *index) find(j *judging) []int {
	found := j.found[:0]
	if j.event.Event != peanuts.EntryDeleted {
		found = x.rest.Candidates(j.Scope, found)
	}
	if named := x.named[j.event.Event]; named != nil {
		found = named.Candidates(j.Scope, found)
	}
	if j.known.Synced != nil {
		found = append(found, x.syncing...)
	}
	slices.Sort(found)
	j.found = slices.Compact(found)
	return j.found
}
