package lint

import (
	"fmt"
	"slices"
	"strings"

	"github.com/peanuts-router/peanuts-router/engine/rulefile"
	"github.com/peanuts-router/peanuts-router/peanuts"
)

// routerEvents finds names in on: that only an event of the router itself could have, and none has. One that looks like a
// known one is told as that.
func (c *linter) routerEvents() {
	known := rulefile.RouterEvents()
	for _, r := range c.judged() {
		for _, event := range r.On {
			looks := func(own string) bool { return looksLike(event.Value, own) }
			if isRouterEvent(event.Value) && !slices.Contains(known, event.Value) && !slices.ContainsFunc(known, looks) {
				c.tellWhole(event, RouterEvent, fmt.Sprintf("the router raises no %s, and from outside no event passes as the router's own", event.Value),
					"it raises "+strings.Join(known, ", "))
			}
		}
	}
}

// upserts finds steps that write the row of an entry in rules that hear of no version of any.
func (c *linter) upserts() {
	for _, r := range c.judged() {
		if !r.hasOn() || r.wants(peanuts.EntryCreated) || r.wants(peanuts.EntryUpdated) {
			continue
		}
		for _, step := range r.Then {
			if len(step.Upsert.Columns) > 0 {
				c.tellWhole(step.Upsert.Columns[0].Name, UpsertNoEntry, "no row is ever written, for no event of on: brings a version of an entry",
					"add entry.created and entry.updated to on:, or send this to another kind of action")
			}
		}
	}
}
