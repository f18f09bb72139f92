package main

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/peanuts-router/peanuts-router/engine"
	"github.com/peanuts-router/peanuts-router/store"
)

func newDeadLetters(t *terminal) *cobra.Command {
	r := &record{term: t}
	var flags deadFilter
	list := &cobra.Command{
		Use:   "list [--rule R] [--action A] [--since 7d] [--reason TEXT]",
		Short: "List dead letters, the newest first", Args: cobra.NoArgs,
		Example: "  peanuts-router dead-letters list --action ledger",
		RunE: func(cmd *cobra.Command, _ []string) error {
			filter, given, err := flags.read(cmd)
			if err != nil {
				return err
			}
			return r.listDead(cmd.Context(), filter, given)
		},
	}
	flags.register(list)
	r.registerPages(list)
	show := &cobra.Command{
		Use: "show ID", Short: "Show a delivery with its message and every attempt", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return r.showDelivery(cmd.Context(), engine.DeliveryID(args[0]))
		},
	}
	cmd := group("dead-letters", "Deliveries that were given up: look at them, replay or discard them", list, show, newReplay(r), newDiscard(r), newExport(r))
	r.register(cmd)
	return cmd
}

func (r *record) listDead(ctx context.Context, filter store.Filter, filtered bool) error {
	filter.State = engine.Dead
	columns, listed := []string{"ID", "WHEN", "RULE", "ACTION", "ATTEMPTS", "REASON"}, 0
	none := "No dead letters."
	if filtered {
		none = "No dead letters match."
	}
	more, err := r.printDeliveries(ctx, filter, none, columns, func(d engine.Delivery, now time.Time) []string {
		listed++
		return []string{
			string(d.ID), ago(d.CreatedAt, now), oneLine(string(d.Rule), 40), oneLine(string(d.Action), 40),
			fmt.Sprint(d.Attempts), oneLine(d.LastError, 100),
		}
	})
	if listed == 0 || err != nil {
		return err
	}
	text := deadLetters(listed)
	if more || r.cursor != "" {
		if text, err = r.ofAll(ctx, filter, listed); err != nil {
			return err
		}
	}
	_, err = fmt.Fprintf(r.term.out, "\n%s.   show ID · replay ID|--all · discard ID\n", text)
	return err
}

// ofAll tells how many of all dead letters of a filter a page holds.
func (r *record) ofAll(ctx context.Context, filter store.Filter, listed int) (text string, err error) {
	err = r.with(ctx, func(s *store.Store) error {
		n, err := s.CountDead(ctx, filter)
		text = fmt.Sprintf("%d of %s", listed, deadLetters(n))
		return err
	})
	return text, err
}

func (r *record) showDelivery(ctx context.Context, id engine.DeliveryID) error {
	return r.with(ctx, func(s *store.Store) error {
		d, history, err := s.Delivery(ctx, id)
		if err != nil {
			return fmt.Errorf("delivery %s: %w", oneLine(string(id), 80), err)
		}
		d.History = history
		if r.term.json {
			return r.term.printJSON(d)
		}
		w, c := r.term.out, coloursFor(r.term.out)
		fmt.Fprintf(w, "%s   %s  %s → %s (%s)\n", d.ID, paintedState(c, d), oneLine(string(d.Rule), 80), oneLine(string(d.Action), 80), d.Kind)
		switch reason := oneLine(d.LastError, 500); {
		case d.State == engine.Dead:
			fmt.Fprintf(w, "reason: %s\n", c.red(reason))
		case reason != "" && !told(history, d.LastError): // why it was cancelled, or that a crash cut an attempt off
			fmt.Fprintf(w, "reason: %s\n", reason)
		}
		fmt.Fprintln(w)
		for _, line := range messageLines(d.Kind, d.Message) {
			fmt.Fprintf(w, "    %s\n", line)
		}
		fmt.Fprintln(w)
		for _, a := range d.History {
			fmt.Fprintf(w, "attempt %d   %s   %s   %s   %s\n", a.N, a.At.Format(time.RFC3339), a.Took.Round(time.Millisecond), oneLine(a.Status, 80), oneLine(a.Error, 300))
			if a.Answer != "" {
				fmt.Fprintf(w, "    %s\n", c.dim(oneLine(a.Answer, 500)))
			}
		}
		return nil
	})
}

// told says whether the last of the attempts, which are shown, ended with an error.
func told(history []engine.Attempt, err string) bool {
	return len(history) > 0 && history[len(history)-1].Error == err
}
