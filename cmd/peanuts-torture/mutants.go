package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
)

// mutantSettings say which mutants are tried, and for how long.
type mutantSettings struct {
	settings
	only  string
	some  int // how many, chosen by the seed; 0 is all
	tries int // runs of a mutant that is not caught yet
}

func newMutants() *cobra.Command {
	s := mutantSettings{}
	cmd := &cobra.Command{
		Use:   "mutants",
		Short: "Plant one bug after the other in the router, and see that each is caught",
		Example: `  go run ./cmd/peanuts-torture mutants
  go run ./cmd/peanuts-torture mutants --only dedupe-in-memory
  go run ./cmd/peanuts-torture mutants --some 3 --seed 20261126`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			chosen, err := s.choose()
			if err != nil {
				return err
			}
			return tryMutants(cmd.Context(), s, chosen, cmd.OutOrStdout())
		},
	}
	cmd.Flags().StringVar(&s.only, "only", "", "try one mutant: "+strings.Join(bugs(), ", "))
	cmd.Flags().IntVar(&s.some, "some", 0, "try so many, chosen by the seed; 0 tries all")
	cmd.Flags().IntVar(&s.kills, "kills", 3, "how often the router is killed in one run")
	cmd.Flags().IntVar(&s.tries, "tries", 8, "how many runs a mutant may live through before it counts as not caught")
	cmd.Flags().Uint64Var(&s.seed, "seed", uint64(time.Now().UnixNano()), "decides what is sent and what is broken")
	cmd.Flags().IntVar(&s.rate, "rate", 100, "events a second")
	cmd.Flags().DurationVar(&s.settle, "settle", 15*time.Second, "for how long nothing of what is owed may get done once the load has ended")
	return cmd
}

func bugs() []string {
	var names []string
	for _, m := range mutants {
		names = append(names, string(m.bug))
	}
	return names
}

// choose finds the mutants that are to be tried.
func (s *mutantSettings) choose() ([]mutant, error) {
	if s.kills < 1 || s.rate < 1 || s.tries < 1 || s.some < 0 {
		return nil, errors.New("--kills, --rate and --tries are at least 1, and --some at least 0")
	}
	chosen := slices.Clone(mutants)
	if s.only != "" {
		chosen = slices.DeleteFunc(chosen, func(m mutant) bool { return string(m.bug) != s.only })
		if len(chosen) == 0 {
			return nil, fmt.Errorf("--only is one of %s, not %q", strings.Join(bugs(), ", "), s.only)
		}
	}
	if s.some > 0 && s.some < len(chosen) {
		from := int(s.seed % uint64(len(chosen)) * uint64(s.some) % uint64(len(chosen)))
		chosen = append(chosen[from:], chosen[:from]...)[:s.some]
	}
	return chosen, nil
}

// tryMutants prints a table of Markdown, a row a mutant, after that of the control where one of them needs it.
func tryMutants(ctx context.Context, s mutantSettings, chosen []mutant, out io.Writer) error {
	fmt.Fprintf(out, "seed %d, %d events/s\n\n| mutant | as it must be | must trip | tripped | kills until then | for one |\n|---|---|---|---|---|---|\n", s.seed, s.rate)
	b, remove, err := buildAside(ctx)
	if err != nil {
		return err
	}
	defer remove()
	wrong := 0
	var kills []int
	tried := chosen
	if slices.ContainsFunc(chosen, func(m mutant) bool { return m.leases }) {
		tried = append([]mutant{control}, chosen...)
	}
	for _, m := range tried {
		c, err := m.try(ctx, s, b)
		if err != nil {
			return fmt.Errorf("%s: %w", m.bug, err)
		}
		switch {
		case !c.right:
			wrong++
		case len(m.trips) > 0:
			kills = append(kills, c.kills)
		}
		fmt.Fprintf(out, "| %s | %s | %s | %s | %d | %s |\n", m.bug, yesNo(c.right), cmp.Or(strings.Join(m.trips, " or "), "nothing"), c.by, c.kills, brief(c.what))
		if c.dir != "" {
			tell(out, c.breaches)
			fmt.Fprintf(out, "\n%s %s\n\n", keptIn, c.dir)
		}
	}
	slices.Sort(kills)
	if len(kills) > 0 {
		fmt.Fprintf(out, "\n%d of %d mutants caught; median kills until then: %d\n", len(kills), len(chosen), kills[len(kills)/2])
	}
	if wrong > 0 {
		fmt.Fprintln(out, "A mutant that is not caught shows that the harness is blind to its bug; a control that is, that it cries wolf.")
		return errTold
	}
	return nil
}

func yesNo(is bool) string {
	if is {
		return "yes"
	}
	return "no"
}

// brief is the beginning of a text, for a cell of a table.
func brief(text string) string {
	text = strings.ReplaceAll(text, "|", "/")
	if len(text) > 160 {
		return text[:160] + " ..."
	}
	return text
}
