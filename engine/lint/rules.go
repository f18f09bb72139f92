package lint

import (
	"fmt"
	"slices"
	"strings"

	"github.com/peanuts-router/peanuts-router/engine/rulefile"
	"github.com/peanuts-router/peanuts-router/peanuts"
)

// duplicates finds rules that do what another does already.
func (c *linter) duplicates() {
	alike := map[string][]*rulefile.Rule{} // by condition and events
	for _, r := range c.judged() {
		if r.when == nil {
			continue
		}
		key := r.when.String() + "\x00" + strings.Join(r.events(), "\x00")
		for _, first := range alike[key] {
			if r.SameAs(first, "name", "description", "owner", "on", "when") {
				c.tellWhole(r.Name, DuplicateRule, fmt.Sprintf("the rule does the same as %s, at %s", first.Name.Value, first.Name.Place()),
					"each sends its own message; leave one out")
				break
			}
		}
		alike[key] = append(alike[key], r.Rule)
	}
}

// events are the events of on:, in order.
func (r *rule) events() []string {
	var events []string
	for _, event := range r.On {
		events = append(events, event.Value)
	}
	slices.Sort(events)
	return events
}

// actions finds those that nobody uses.
func (c *linter) actions() {
	used := map[string]bool{}
	for _, r := range c.rules {
		for _, step := range r.Then {
			used[step.Action.Value] = true
		}
	}
	for _, action := range c.file.Actions {
		if !used[action.Name.Value] {
			c.tellWhole(action.Name, UnusedAction, fmt.Sprintf("no rule uses the action %s", action.Name.Value), "")
		}
	}
}

// owners finds rules without an owner where others have one.
func (c *linter) owners() {
	hasOwner := func(r rule) bool { return r.Owner.Value != "" }
	owned := slices.IndexFunc(c.rules, hasOwner)
	if owned < 0 {
		return
	}
	for _, r := range c.rules {
		if !hasOwner(r) {
			c.tellWhole(r.Name, NoOwner, fmt.Sprintf("the rule %q has no owner, and %q has one", r.Name.Value, c.rules[owned].Name.Value),
				"say who is asked about it")
		}
	}
}

// reminders finds steps with a time that no update of the entry moves: it cancels them, and nothing new is owed.
func (c *linter) reminders() {
	for _, r := range c.judged() {
		if !r.hasOn() || r.wants(peanuts.EntryUpdated) || !slices.ContainsFunc(r.On, bringsReminders) {
			continue
		}
		for _, step := range r.Then {
			if step.At.IsSet() {
				c.tellWhole(step.At, AtNoUpdate, "an update of the entry cancels this and owes nothing new, for on: lacks entry.updated",
					"add entry.updated to on:")
			}
		}
	}
}

// bringsReminders tells whether an event comes of an entry that may be updated later.
func bringsReminders(event rulefile.Text) bool {
	return event.Value != peanuts.EntryDeleted && strings.HasPrefix(event.Value, "entry.")
}
