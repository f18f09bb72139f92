package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/peanuts-router/peanuts-router/engine"
	"github.com/peanuts-router/peanuts-router/store"
)

// mending is a command that does one thing to dead letters: to some by their ids, or to all that a filter is for.
type mending struct {
	*record
	verb, doing, done string // replay, Replaying, replayed
	one               func(*store.Store, context.Context, engine.DeliveryID) error
	many              func(*store.Store, context.Context, store.Filter) (int, error)

	filter   deadFilter
	all, yes bool
}

func newReplay(r *record) *cobra.Command {
	m := &mending{record: r, verb: "replay", doing: "Replaying", done: "replayed", one: (*store.Store).Replay, many: (*store.Store).ReplayDead}
	cmd := &cobra.Command{
		Use:   "replay ID... | --all | --rule R --action A --since 7d --reason TEXT [--yes]",
		Short: "Try dead letters again, with the same key and message and the retry plan from its start",
		Long: "Makes dead letters pending again, with the same key and message and the retry plan from its start. With a filter it tells\n" +
			"how many there are, and replays them only with --yes. Interrupted, it has replayed some and can be begun again.",
		Example: `  peanuts-router dead-letters replay 0197b5c0-1f43-7c2e-9d0e-6f1f6b1c2a3d-1
  peanuts-router dead-letters replay --action ledger --since 12h --reason 503
  peanuts-router dead-letters replay --action ledger --since 12h --reason 503 --yes
  peanuts-router dead-letters replay --all`,
		RunE: m.run,
	}
	m.register(cmd)
	cmd.Flags().BoolVar(&m.all, "all", false, "replay every dead letter")
	return cmd
}

func newDiscard(r *record) *cobra.Command {
	m := &mending{record: r, verb: "discard", doing: "Discarding", done: "discarded", one: (*store.Store).Discard, many: (*store.Store).DiscardDead}
	cmd := &cobra.Command{
		Use:   "discard ID... | --rule R --action A --since 7d --reason TEXT [--yes]",
		Short: "Give dead letters up for good",
		Long:  "Gives dead letters up for good. With a filter it tells how many there are, and discards them only with --yes.",
		Example: `  peanuts-router dead-letters discard 0197b5c0-1f43-7c2e-9d0e-6f1f6b1c2a3d-1
  peanuts-router dead-letters discard --rule high-expense --reason "410 Gone"`,
		RunE: m.run,
	}
	m.register(cmd)
	return cmd
}

func (m *mending) register(cmd *cobra.Command) {
	m.filter.register(cmd)
	cmd.Flags().BoolVar(&m.yes, "yes", false, m.verb+" what the filter is for, and do not only count it")
}

func (m *mending) run(cmd *cobra.Command, ids []string) error {
	filter, given, err := m.filter.read(cmd)
	ways := 0
	for _, there := range []bool{len(ids) > 0, m.all, given} {
		if there {
			ways++
		}
	}
	switch {
	case err != nil:
		return err
	case ways != 1:
		return m.usage(cmd)
	case len(ids) > 0:
		return m.mend(cmd.Context(), ids, deadLetters, m.done, m.one)
	}
	return m.with(cmd.Context(), func(s *store.Store) error { return m.mendMany(cmd.Context(), s, filter) })
}

// usage tells in which ways the command is told what it is for.
func (m *mending) usage(cmd *cobra.Command) error {
	if cmd.Flags().Lookup("all") == nil {
		return usagef("%s takes either the ids of dead letters or a filter (--rule, --action, --since, --reason)", m.verb)
	}
	return usagef("%s takes either the ids of dead letters, or --all, or a filter (--rule, --action, --since, --reason)", m.verb)
}

// mendMany tells how many there are and, where that was asked for, mends them.
func (m *mending) mendMany(ctx context.Context, s *store.Store, filter store.Filter) error {
	n, err := s.CountDead(ctx, filter)
	if err != nil {
		return err
	}
	if !m.all && !m.yes {
		return m.matched(n)
	}
	fmt.Fprintf(m.term.err, "%s %s.\n", m.doing, deadLetters(n))
	mended, err := m.many(s, ctx, filter)
	if err != nil {
		return fmt.Errorf("after %d: %w", mended, err)
	}
	return m.mended(mended, deadLetters, m.done)
}

// matched tells what a filter is for, and how to go on.
func (m *mending) matched(n int) error {
	if m.term.json {
		return m.term.printJSON(map[string]int{"matched": n, m.done: 0})
	}
	if n == 0 {
		_, err := fmt.Fprintln(m.term.out, "No dead letters match.")
		return err
	}
	match, them := "match", "them"
	if n == 1 {
		match, them = "matches", "it"
	}
	_, err := fmt.Fprintf(m.term.out, "%s %s. Nothing was %s: add --yes to %s %s.\n", deadLetters(n), match, m.done, m.verb, them)
	return err
}

func deadLetters(n int) string { return count(n, "dead letter", "dead letters") }

// mend does something to each of some deliveries; one that it cannot be done to does not keep the others from it.
func (r *record) mend(
	ctx context.Context, ids []string, noun func(int) string, done string, do func(*store.Store, context.Context, engine.DeliveryID) error,
) error {
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
		if err := r.mended(n, noun, done); err != nil {
			return err
		}
		if failed {
			return toldError{}
		}
		return nil
	})
}

// mended tells to how many something was done.
func (r *record) mended(n int, noun func(int) string, done string) error {
	if r.term.json {
		return r.term.printJSON(map[string]int{done: n})
	}
	_, err := fmt.Fprintf(r.term.out, "%s %s.\n", noun(n), done)
	return err
}
