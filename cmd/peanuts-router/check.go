package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/peanuts-router/peanuts-router/engine"
	"github.com/peanuts-router/peanuts-router/store"
)

func newCheck(t *terminal) *cobra.Command {
	r := &record{term: t}
	cmd := &cobra.Command{
		Use:   "check",
		Short: "Tell whether the store is whole and its books balance",
		Long: "Reads the whole store, whether the daemon runs or not, and changes nothing: whether the file is whole; whether every\n" +
			"event is what was received and was judged; whether every delivery is in one state, with the lease, the attempts and the reason that go\n" +
			"with it; whether entries and claims have their events; and whether the totals are what the entries add up to.\n" +
			"Exit code 1 when something is not as it should be.",
		Example: "  peanuts-router check\n  peanuts-router check --store /var/lib/peanuts-router/router.db --output json",
		Args:    cobra.NoArgs,
		RunE:    func(cmd *cobra.Command, _ []string) error { return r.check(cmd.Context()) },
	}
	r.register(cmd)
	return cmd
}

func (r *record) check(ctx context.Context) error {
	return r.with(ctx, func(s *store.Store) error {
		audit, err := s.Check(ctx)
		if err != nil {
			return err
		}
		if r.term.json {
			err = r.term.printJSON(audit)
		} else {
			err = r.printAudit(audit)
		}
		if err == nil && len(audit.Discrepancies) > 0 {
			err = toldError{}
		}
		return err
	})
}

// balanceText is a balance in a line; it has no states where it could not be taken.
func balanceText(b store.Balance) string {
	if b.States == nil {
		return "Events and deliveries could not be counted."
	}
	text := fmt.Sprintf("%s, %d judged. %s", count(b.Events, "event", "events"), b.Judged, count(b.Deliveries, "delivery", "deliveries"))
	sign := ": "
	for _, state := range []engine.State{engine.Pending, engine.Sending, engine.Delivered, engine.Dead, engine.Cancelled, engine.Discarded, engine.Shadow} {
		if n := b.States[state]; n > 0 {
			text += fmt.Sprintf("%s%d %s", sign, n, state)
			sign = ", "
		}
	}
	return text + fmt.Sprintf(". %s.", count(b.Attempts, "attempt", "attempts"))
}

func (r *record) printAudit(audit store.Audit) error {
	w, c := r.term.out, coloursFor(r.term.out)
	var looked [][]string
	for _, l := range audit.Looked {
		looked = append(looked, []string{l.What, fmt.Sprint(l.Count)})
	}
	if err := printTable(w, []string{"LOOKED AT", "ROWS"}, looked); err != nil {
		return err
	}
	fmt.Fprintf(w, "\n%s\n", balanceText(audit.Balance))
	for _, d := range audit.Discrepancies {
		fmt.Fprintf(w, "\n%s\n", c.red("✗ it does not hold that "+d.Broken+":"))
		for _, found := range d.Found {
			fmt.Fprintf(w, "    %s\n", oneLine(found, 300))
		}
		if more := d.Count - len(d.Found); more > 0 {
			fmt.Fprintf(w, "    and %d more\n", more)
		}
	}
	if len(audit.Discrepancies) == 0 {
		_, err := fmt.Fprintf(w, "\n%s\n", c.green("✓ "+r.path+" is whole, and its books balance."))
		return err
	}
	_, err := fmt.Fprintf(w, "\n%s in %s. Restore a backup, or keep a copy of the file to look into.\n",
		count(len(audit.Discrepancies), "thing is wrong", "things are wrong"), r.path)
	return err
}
