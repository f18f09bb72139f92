package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/peanuts-router/peanuts-router/internal/fault"
)

// mutant is the router with a planted bug, what is done to it, and the invariant that must notice.
type mutant struct {
	bug     fault.Bug
	trips   []string // any of them
	points  []fault.Point
	strikes []weighted[strike]
	env     []string // further settings
}

// shortLeases let a lease run out within a run.
const shortLeases = "PEANUTS_FAULT_TIMES=lease=2s,sweep=1s"

// stalls have a worker sleep past its lease with a result in its hand, which comes too late then.
const stalls = "PEANUTS_FAULT_STALL=before-settle:25:3500ms"

var (
	killing   = []weighted[strike]{{3, killAtRandom}, {2, killOnAnswer}, {2, killOnAck}, {3, killAtPoint}}
	reloading = []weighted[strike]{{4, reload}, {1, killAtRandom}}
)

var mutants = []mutant{
	{bug: fault.AckBeforeCommit, trips: []string{"I1"}, points: []fault.Point{fault.BeforeCommit}, strikes: killing},
	{bug: fault.MarkBeforeSend, trips: []string{"I1", "I5"}, points: []fault.Point{fault.BeforeSend}, strikes: killing},
	{bug: fault.LeaseForever, trips: []string{"I1", "I5"}, points: []fault.Point{fault.BeforeSettle}, strikes: killing},
	{bug: fault.StaleResults, trips: []string{"I3", "I5"}, strikes: []weighted[strike]{{1, killAtRandom}}, env: []string{shortLeases, stalls}},
	{bug: fault.KeyPerAttempt, trips: []string{"I4"}, points: []fault.Point{fault.BeforeSettle}, strikes: killing},
	{bug: fault.DedupeInMemory, trips: []string{"I7"}, points: []fault.Point{fault.AfterCommit}, strikes: killing},
	{bug: fault.AttemptsForgotten, trips: []string{"I6"}, points: []fault.Point{fault.BeforeSettle}, strikes: killing},
	{bug: fault.DeadInTwo, trips: []string{"I5"}, points: []fault.Point{fault.HalfDead}, strikes: []weighted[strike]{{1, killAtPoint}}},
	{bug: fault.ReloadDrops, trips: []string{"I1", "I3"}, strikes: reloading, env: []string{shortLeases}},
	{bug: fault.DueAtStart, trips: []string{"I8"}, points: []fault.Point{fault.BeforeSettle}, strikes: killing},
	{bug: fault.RenderedAtSend, trips: []string{"I2"}, strikes: reloading},
}

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
	cmd.Flags().DurationVar(&s.settle, "settle", 10*time.Second, "how long what is owed may take to be done once the load has ended")
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
		from := int(s.seed % uint64(len(chosen)))
		chosen = append(chosen[from:], chosen[:from]...)[:s.some]
	}
	return chosen, nil
}

// caught is what became of a mutant.
type caught struct {
	mutant
	by       string // the invariants that tripped; empty when none did
	right    bool   // one that must was among them
	kills    int    // until then
	evidence string // a breach of the one that must
}

// tryMutants prints a table of Markdown, a row a mutant.
func tryMutants(ctx context.Context, s mutantSettings, chosen []mutant, out io.Writer) error {
	fmt.Fprintf(out, "seed %d, %d events/s\n\n| mutant | caught | must trip | tripped | kills until caught | for one |\n|---|---|---|---|---|---|\n", s.seed, s.rate)
	binaries, err := os.MkdirTemp("", "peanuts-torture-bin-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(binaries)
	b, err := build(ctx, binaries)
	if err != nil {
		return err
	}
	var kills []int
	for _, m := range chosen {
		c, err := m.try(ctx, s, b)
		if err != nil {
			return fmt.Errorf("%s: %w", m.bug, err)
		}
		word := "no"
		if c.right {
			word, kills = "yes", append(kills, c.kills)
		}
		fmt.Fprintf(out, "| %s | %s | %s | %s | %d | %s |\n", m.bug, word, strings.Join(m.trips, " or "), c.by, c.kills, brief(c.evidence))
	}
	slices.Sort(kills)
	if len(kills) > 0 {
		fmt.Fprintf(out, "\n%d of %d mutants caught; median kills until caught: %d\n", len(kills), len(chosen), kills[len(kills)/2])
	}
	if len(kills) < len(chosen) {
		fmt.Fprintln(out, "A mutant that is not caught means that the harness is blind to its bug.")
		return errTold
	}
	return nil
}

// try runs a mutant until the invariant trips that must.
func (m mutant) try(ctx context.Context, s mutantSettings, b builds) (caught, error) {
	c := caught{mutant: m}
	for i := range s.tries {
		one := s.settings
		one.seed += uint64(i)
		one.points, one.strikes = m.points, m.strikes
		one.env = append([]string{"PEANUTS_FAULT_PLANTED=" + string(m.bug)}, m.env...)
		breaches, kills, err := tortureAside(ctx, one, b)
		if err != nil {
			return c, err
		}
		c.kills += kills
		c.by = names(breaches)
		for _, breach := range breaches {
			if slices.Contains(m.trips, breach.Invariant) {
				c.right, c.evidence = true, breach.What
				return c, nil
			}
		}
	}
	return c, nil
}

// tortureAside makes a run in a directory that is removed.
func tortureAside(ctx context.Context, s settings, b builds) (breaches []breach, kills int, err error) {
	dir, err := os.MkdirTemp("", "peanuts-torture-")
	if err != nil {
		return nil, 0, err
	}
	defer os.RemoveAll(dir)
	e, err := torture(ctx, s, b, dir)
	if err != nil {
		return nil, 0, err
	}
	for _, blow := range e.blows {
		if blow.Kills {
			kills++
		}
	}
	return e.judge(), kills, nil
}

// brief is the beginning of a text, for a cell of a table.
func brief(text string) string {
	text = strings.ReplaceAll(text, "|", "/")
	if len(text) > 160 {
		return text[:160] + " ..."
	}
	return text
}
