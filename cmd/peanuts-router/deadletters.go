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
	list := &cobra.Command{
		Use: "list", Short: "List dead letters, the newest first", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return r.listDead(cmd.Context()) },
	}
	r.registerPages(list)
	show := &cobra.Command{
		Use: "show ID", Short: "Show a delivery with its message and every attempt", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return r.showDelivery(cmd.Context(), engine.DeliveryID(args[0]))
		},
	}
	var all bool
	replay := &cobra.Command{
		Use: "replay ID... | --all", Short: "Try dead letters again, with the same key and message and the retry plan from its start",
		Example: "  peanuts-router dead-letters replay 0197b5c0-1f43-7c2e-9d0e-6f1f6b1c2a3d-1\n  peanuts-router dead-letters replay --all",
		RunE:    func(cmd *cobra.Command, args []string) error { return r.replay(cmd.Context(), args, all) },
	}
	replay.Flags().BoolVar(&all, "all", false, "replay every dead letter")
	discard := &cobra.Command{
		Use: "discard ID...", Short: "Give dead letters up for good", Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return r.mend(cmd.Context(), args, "discarded", (*store.Store).Discard)
		},
	}
	cmd := group("dead-letters", "Deliveries that were given up: look at them, replay or discard them", list, show, replay, discard)
	r.register(cmd)
	return cmd
}

func (r *record) listDead(ctx context.Context) error {
	columns, listed := []string{"ID", "WHEN", "RULE", "ACTION", "ATTEMPTS", "REASON"}, 0
	err := r.printDeliveries(ctx, store.Filter{State: engine.Dead}, "No dead letters.", columns, func(d engine.Delivery, now time.Time) []string {
		listed++
		return []string{
			string(d.ID), ago(d.CreatedAt, now), oneLine(string(d.Rule), 40), oneLine(string(d.Action), 40),
			fmt.Sprint(d.Attempts), oneLine(d.LastError, 100),
		}
	})
	if listed > 0 && err == nil {
		_, err = fmt.Fprintf(r.term.out, "\n%s.   show ID · replay ID|--all · discard ID\n", count(listed, "dead letter", "dead letters"))
	}
	return err
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
		if d.State == engine.Dead {
			fmt.Fprintf(w, "reason: %s\n", c.red(oneLine(d.LastError, 500)))
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

func (r *record) replay(ctx context.Context, ids []string, all bool) error {
	switch {
	case all && len(ids) > 0:
		return usagef("replay takes either ids or --all")
	case !all && len(ids) == 0:
		return usagef("replay needs the ids of dead letters, or --all")
	case !all:
		return r.mend(ctx, ids, "replayed", (*store.Store).Replay)
	}
	return r.with(ctx, func(s *store.Store) error {
		counts, err := s.Counts(ctx)
		if err != nil {
			return err
		}
		fmt.Fprintf(r.term.err, "Replaying %s.\n", count(counts[engine.Dead], "dead letter", "dead letters"))
		n, err := s.ReplayAll(ctx)
		if err != nil {
			return fmt.Errorf("after %d: %w", n, err)
		}
		return r.mended(n, "replayed")
	})
}

// mend does something to each of some dead letters; one that is none does not keep the others from it.
func (r *record) mend(ctx context.Context, ids []string, done string, do func(*store.Store, context.Context, engine.DeliveryID) error) error {
	return r.with(ctx, func(s *store.Store) error {
		n, failed := 0, false
		for _, id := range ids {
			if err := do(s, ctx, engine.DeliveryID(id)); err != nil {
				fmt.Fprintf(r.term.err, "peanuts-router: %s\n", oneLine(err.Error(), 500))
				failed = true
				continue
			}
			n++
		}
		if err := r.mended(n, done); err != nil {
			return err
		}
		if failed {
			return toldError{}
		}
		return nil
	})
}

func (r *record) mended(n int, done string) error {
	if r.term.json {
		return r.term.printJSON(map[string]int{done: n})
	}
	_, err := fmt.Fprintf(r.term.out, "%s %s.\n", count(n, "dead letter", "dead letters"), done)
	return err
}
