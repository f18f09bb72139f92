package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/peanuts-router/peanuts-router/internal/fault"
)

// defaultPoints are where the build that breaks is made to die.
var defaultPoints = []fault.Point{
	fault.Accepting, fault.BeforeCommit, fault.AfterCommit, fault.BeforeAnswer, fault.Leasing, fault.BeforeSend,
	fault.BeforeSettle, fault.Settling, fault.Checkpointing, fault.SwappingRules, fault.FreeingLeases,
}

func newCrash() *cobra.Command {
	s := settings{backlog: backlogSize, strikes: allStrikes, points: defaultPoints}
	atPoints := false
	cmd := &cobra.Command{
		Use:   "crash",
		Short: "Kill the router again and again under load, and check what became of every event",
		Example: `  go run ./cmd/peanuts-torture crash --kills 60
  go run ./cmd/peanuts-torture crash --kills 1000 --seed 7`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if s.kills < 0 || s.rate < 1 {
				return errors.New("--kills is at least 0, and --rate at least 1")
			}
			if atPoints {
				s.strikes = []weighted[strike]{{1, killAtPoint}}
			}
			return crash(cmd.Context(), s, cmd.OutOrStdout())
		},
	}
	cmd.Flags().BoolVar(&atPoints, "at-points", false, "kill at named points of the code only")
	cmd.Flags().IntVar(&s.kills, "kills", 60, "how often the router is killed")
	cmd.Flags().Uint64Var(&s.seed, "seed", uint64(time.Now().UnixNano()), "decides what is sent and what is broken")
	cmd.Flags().IntVar(&s.rate, "rate", 100, "events a second")
	cmd.Flags().DurationVar(&s.settle, "settle", 2*time.Minute, "how long what is owed may take to be done once the load has ended")
	return cmd
}

// crash makes one run and prints what it came to. Its files are kept when something does not hold.
func crash(ctx context.Context, s settings, out io.Writer) error {
	fmt.Fprintf(out, "seed %d, %d kills, %d events/s\n", s.seed, s.kills, s.rate)
	dir, err := os.MkdirTemp("", "peanuts-torture-")
	if err != nil {
		return err
	}
	binaries, err := os.MkdirTemp("", "peanuts-torture-bin-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(binaries)
	b, err := build(ctx, binaries)
	if err != nil {
		return err
	}
	e, err := torture(ctx, s, b, dir)
	if err != nil {
		return fmt.Errorf("%w; history, store and log of the router are in %s", err, dir)
	}
	breaches := e.judge()
	if err := e.print(out, s, breaches); err != nil {
		return err
	}
	if len(breaches) > 0 {
		fmt.Fprintf(out, "\nhistory, store and log of the router are in %s\n", dir)
		return errTold
	}
	return os.RemoveAll(dir)
}
