package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/peanuts-router/peanuts-router/engine"
	"github.com/peanuts-router/peanuts-router/store"
)

func newEvents(t *terminal) *cobra.Command {
	r := &record{term: t}
	list := &cobra.Command{
		Use: "list", Short: "List stored events, the newest first", Args: cobra.NoArgs,
		Example: "  peanuts-router events list --limit 10",
		RunE:    func(cmd *cobra.Command, _ []string) error { return r.listEvents(cmd.Context()) },
	}
	r.registerPages(list)
	var rules string
	show := &cobra.Command{
		Use: "show ID",
		Long: "The beginning of an id will do, when no other event's begins so. With --rules it also tells what these rules would\n" +
			"have made of the event when it came, and why; nothing is sent.",
		Short:   "Show an event: which rules fired, what became of it, and its payload",
		Example: "  peanuts-router events show 01a20ea5\n  peanuts-router events show 01a20ea5 --rules rules.yaml",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			byToday, err := newToday(t, rules)
			if err != nil {
				return err
			}
			return r.showEvent(cmd.Context(), engine.EventID(args[0]), byToday)
		},
	}
	show.Flags().StringVar(&rules, "rules", "", "rules file, or a directory of them, to judge the event by as it came")
	cmd := group("events", "The record of what Peanuts sent", list, show, newEventReplay(r))
	r.register(cmd)
	return cmd
}

func (r *record) listEvents(ctx context.Context) error {
	return r.with(ctx, func(s *store.Store) error {
		events, next, err := s.Events(ctx, r.page())
		if err != nil {
			return err
		}
		if r.term.json {
			return r.term.printJSON(map[string]any{"events": events, "next": next})
		}
		if len(events) == 0 {
			_, err := fmt.Fprintln(r.term.out, "No events are stored.")
			return err
		}
		now, rows := time.Now(), [][]string{}
		for _, e := range events {
			rows = append(rows, []string{
				string(e.ID), ago(e.ReceivedAt, now), oneLine(e.Name, 30), oneLine(e.Helper, 30), oneLine(e.EntryID, 40), outcomeOf(e),
			})
		}
		defer r.more(next)
		return printTable(r.term.out, []string{"ID", "WHEN", "EVENT", "HELPER", "ENTRY", "OUTCOME"}, rows)
	})
}

// outcomeOf is what became of an event in a few words.
func outcomeOf(e engine.EventRecord) string {
	states, replayed := map[engine.State]int{}, false
	for _, d := range e.Deliveries {
		states[d.State]++
		replayed = replayed || d.Replay > 0
	}
	var parts []string
	for _, state := range []engine.State{engine.Dead, engine.Pending, engine.Sending, engine.Delivered, engine.Cancelled, engine.Discarded, engine.Shadow} {
		if n := states[state]; n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, state))
		}
	}
	if len(parts) == 0 && len(e.Suppressed) == 0 {
		parts = append(parts, "no rule fired")
	}
	if n := len(e.Suppressed); n > 0 {
		parts = append(parts, fmt.Sprintf("%d suppressed", n))
	}
	if n := len(e.Errors); n > 0 {
		parts = append(parts, count(n, "rule failed", "rules failed"))
	}
	if n := len(e.Mismatches); n > 0 {
		parts = append(parts, count(n, "mismatch", "mismatches"))
	}
	if replayed {
		parts = append(parts, "replayed")
	}
	return strings.Join(parts, ", ")
}

// shownEvent is an event as --output json prints it, with what the rules of today make of it when they were asked.
type shownEvent struct {
	engine.EventRecord
	Today []ruleReport `json:"today,omitempty"`
}

func (r *record) showEvent(ctx context.Context, id engine.EventID, byToday *today) error {
	return r.with(ctx, func(s *store.Store) error {
		whole, err := s.FindEvent(ctx, string(id))
		if err != nil {
			return fmt.Errorf("event %s: %w", oneLine(string(id), 80), err)
		}
		shown := shownEvent{}
		if shown.EventRecord, err = s.Event(ctx, whole); err != nil {
			return err
		}
		if byToday != nil {
			if shown.Today, err = byToday.judge(ctx, s, shown.EventRecord); err != nil {
				return err
			}
		}
		if r.term.json {
			return r.term.printJSON(shown)
		}
		r.printEvent(shown.EventRecord)
		if byToday != nil {
			byToday.print(r.term.out, coloursFor(r.term.out), shown.Today)
		}
		return nil
	})
}

func (r *record) printEvent(e engine.EventRecord) {
	w, c := r.term.out, coloursFor(r.term.out)
	fmt.Fprintf(w, "%s   %s  %s  %s\n", e.ID, oneLine(e.Name, 80), oneLine(e.Helper, 80), oneLine(e.EntryID, 80))
	fmt.Fprintf(w, "received %s", e.ReceivedAt.Format(time.RFC3339))
	if e.Duplicates > 0 {
		fmt.Fprintf(w, ", and %s again", count(e.Duplicates, "time", "times"))
	}
	fmt.Fprint(w, "\n\n")
	printVerdicts(w, c, e.Verdicts, deliveriesOfReplay(e.Deliveries, 0))
	printReplays(w, c, e)
	fmt.Fprintf(w, "\n%s\n", manyLines(strings.TrimRight(e.Payload, "\n")))
}
