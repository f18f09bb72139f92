package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/spf13/cobra"
)

func newCrash() *cobra.Command {
	s := settings{backlog: backlogSize, strikes: allStrikes, points: defaultPoints}
	atPoints := false
	cmd := &cobra.Command{
		Use:   "crash",
		Short: "Kill the router again and again under load, and check what became of every event",
		Example: `  go run ./cmd/peanuts-torture crash --kills 60
  go run ./cmd/peanuts-torture crash --kills 1000 --seed 7
  go run ./cmd/peanuts-torture crash --at-points --each 50`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if s.kills < 0 || s.rate < 1 || s.deaths < 0 {
				return errors.New("--kills and --each are at least 0, and --rate at least 1")
			}
			if s.deaths > 0 && !atPoints {
				return errors.New("--each is for --at-points")
			}
			if atPoints {
				s.strikes = []weighted[strike]{{1, killAtPoint}}
			} else {
				s.giveDisk(cmd.OutOrStdout())
			}
			return crash(cmd.Context(), s, cmd.OutOrStdout())
		},
	}
	cmd.Flags().BoolVar(&atPoints, "at-points", false, "kill at named points of the code only")
	cmd.Flags().IntVar(&s.deaths, "each", 0, "with --at-points: how often the router dies at each point, instead of --kills")
	cmd.Flags().IntVar(&s.kills, "kills", 60, "how often the router is killed")
	cmd.Flags().Uint64Var(&s.seed, "seed", uint64(time.Now().UnixNano()), "decides what is sent and what is broken")
	cmd.Flags().IntVar(&s.rate, "rate", 100, "events a second")
	cmd.Flags().DurationVar(&s.settle, "settle", 2*time.Minute, "for how long nothing of what is owed may get done once the load has ended")
	return cmd
}

// giveDisk has the store of every second seed on a disk of its own, that can be full. That takes root.
func (s *settings) giveDisk(out io.Writer) {
	if s.seed%2 == 0 {
		return
	}
	if err := tryDisk(); err != nil {
		fmt.Fprintf(out, "no disk is full in this run: %v\n", err)
		return
	}
	s.ownDisk, s.strikes = true, append(slices.Clone(s.strikes), onItsDisk)
}

// tryDisk tells why no disk can be made.
func tryDisk() error {
	dir, err := os.MkdirTemp("", "peanuts-torture-disk-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	d, err := mountDisk(filepath.Join(dir, storeFolder))
	if err != nil {
		return err
	}
	return d.remove()
}

// aim says how often the router is killed.
func (s settings) aim() string {
	if s.deaths > 0 {
		return fmt.Sprintf("%d deaths at each point", s.deaths)
	}
	return fmt.Sprintf("%d kills", s.kills)
}

// crash makes one run and prints what it came to. Its files are kept when something does not hold.
func crash(ctx context.Context, s settings, out io.Writer) error {
	fmt.Fprintf(out, "seed %d, %s, %d events/s\n", s.seed, s.aim(), s.rate)
	b, remove, err := buildAside(ctx)
	if err != nil {
		return err
	}
	defer remove()
	dir, err := os.MkdirTemp("", "peanuts-torture-")
	if err != nil {
		return err
	}
	e, err := torture(ctx, s, b, dir)
	if err != nil {
		return err
	}
	breaches := e.judge()
	if err := e.print(out, s, breaches); err != nil {
		return err
	}
	if len(breaches) > 0 {
		fmt.Fprintf(out, "\n%s %s\n", keptIn, dir)
		return errTold
	}
	return os.RemoveAll(dir)
}
