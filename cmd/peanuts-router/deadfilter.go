package main

import (
	"time"

	"github.com/spf13/cobra"

	"github.com/peanuts-router/peanuts-router/engine"
	"github.com/peanuts-router/peanuts-router/store"
)

// deadFilter is which dead letters a command is for, as its flags say. They all must hold.
type deadFilter struct{ rule, action, since, reason string }

func (f *deadFilter) register(cmd *cobra.Command) {
	cmd.Flags().StringVar(&f.rule, "rule", "", "those of a rule")
	cmd.Flags().StringVar(&f.action, "action", "", "those of an action")
	cmd.Flags().StringVar(&f.since, "since", "", "those that were owed since then: 7d, 12h, or a time such as 2026-11-23T00:00:00Z")
	cmd.Flags().StringVar(&f.reason, "reason", "", "those with this text in their reason")
}

// read tells what the flags say, and whether they say anything. One that is there and says nothing, as when a variable of a
// script is not set, is refused: it would let the command loose on everything.
func (f *deadFilter) read(cmd *cobra.Command) (filter store.Filter, given bool, err error) {
	for _, name := range []string{"rule", "action", "since", "reason"} {
		flag := cmd.Flags().Lookup(name)
		if flag.Changed && flag.Value.String() == "" {
			return filter, false, usagef("--%s says nothing; leave it out when it does not matter", name)
		}
		given = given || flag.Changed
	}
	filter = store.Filter{Rule: engine.RuleName(f.rule), Action: engine.ActionName(f.action), Reason: f.reason}
	filter.Since, err = sinceTime(f.since, time.Now())
	return filter, given, err
}
