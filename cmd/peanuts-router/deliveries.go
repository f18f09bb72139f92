package main

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/peanuts-router/peanuts-router/engine"
	"github.com/peanuts-router/peanuts-router/store"
)

func newDeliveries(t *terminal) *cobra.Command {
	r := &record{term: t}
	var filter store.Filter
	list := &cobra.Command{
		Use: "list", Short: "List deliveries, the newest first", Args: cobra.NoArgs,
		Example: "  peanuts-router deliveries list --state pending --action ledger",
		RunE:    func(cmd *cobra.Command, _ []string) error { return r.listDeliveries(cmd.Context(), filter) },
	}
	r.registerPages(list)
	list.Flags().StringVar((*string)(&filter.State), "state", "", "only pending, sending, delivered, dead, cancelled, discarded or shadow ones")
	list.Flags().StringVar((*string)(&filter.Action), "action", "", "only those of an action")
	list.Flags().StringVar((*string)(&filter.Rule), "rule", "", "only those of a rule")
	list.Flags().StringVar((*string)(&filter.Event), "event", "", "only those of an event")
	discard := &cobra.Command{
		Use: "discard ID...", Short: "Give deliveries up for good that wait, or that are dead", Args: cobra.MinimumNArgs(1),
		Long:    "Gives deliveries up for good that wait, or that are dead. One that is being sent is left alone.",
		Example: "  peanuts-router deliveries discard 0197b5c0-1f43-7c2e-9d0e-6f1f6b1c2a3d-1",
		RunE: func(cmd *cobra.Command, args []string) error {
			return r.mend(cmd.Context(), args, someDeliveries, "discarded", (*store.Store).DiscardOpen)
		},
	}
	cmd := group("deliveries", "What is owed for events, and where it stands", list, discard)
	r.register(cmd)
	return cmd
}

func someDeliveries(n int) string { return count(n, "delivery", "deliveries") }

func (r *record) listDeliveries(ctx context.Context, filter store.Filter) error {
	switch filter.State {
	case "", engine.Pending, engine.Sending, engine.Delivered, engine.Dead, engine.Cancelled, engine.Discarded, engine.Shadow:
	default:
		return usagef("--state is pending, sending, delivered, dead, cancelled, discarded or shadow, not %q", filter.State)
	}
	columns := []string{"ID", "WHEN", "RULE", "ACTION", "STATE", "ATTEMPTS", "NEXT", "LAST STATUS"}
	_, err := r.printDeliveries(ctx, filter, "No deliveries.", columns, func(d engine.Delivery, now time.Time) []string {
		return []string{
			string(d.ID), ago(d.CreatedAt, now), oneLine(string(d.Rule), 40), oneLine(string(d.Action), 40),
			paintedState(colours{}, d), fmt.Sprint(d.Attempts), dueText(d, now), oneLine(d.LastStatus, 40),
		}
	})
	return err
}

// printDeliveries prints a page of deliveries: as JSON, or as a table with a row for each. It tells whether there are more.
func (r *record) printDeliveries(
	ctx context.Context, filter store.Filter, none string, columns []string, row func(engine.Delivery, time.Time) []string,
) (more bool, err error) {
	err = r.with(ctx, func(s *store.Store) error {
		deliveries, next, err := s.Deliveries(ctx, filter, r.page())
		if err != nil {
			return err
		}
		more = next != ""
		if r.term.json {
			return r.term.printJSON(map[string]any{"deliveries": deliveries, "next": next})
		}
		if len(deliveries) == 0 {
			_, err := fmt.Fprintln(r.term.out, none)
			return err
		}
		now, rows := time.Now(), [][]string{}
		for _, d := range deliveries {
			rows = append(rows, row(d, now))
		}
		defer r.more(next)
		return printTable(r.term.out, columns, rows)
	})
	return more, err
}

// dueText tells when a pending delivery may be sent.
func dueText(d engine.Delivery, now time.Time) string {
	switch at := later(d.NextAt, d.HeldUntil); {
	case at.IsZero():
		return ""
	case at.After(now):
		return "in " + at.Sub(now).Round(time.Second).String()
	case d.Held != "":
		return "later"
	}
	return "now"
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}
