package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/peanuts-router/peanuts-router/internal/powerloss"
	"github.com/peanuts-router/peanuts-router/internal/powerloss/traced"
)

// syscallsJob is a run of `syscalls`.
type syscallsJob struct {
	tracing
	kills int
	last  int
}

func newSyscalls() *cobra.Command {
	var job syscallsJob
	cmd := &cobra.Command{
		Use:   "syscalls",
		Short: "Kill the router as it enters one system call after the other, and judge the store that it leaves",
		Long: "Each router begins with an empty directory and gets events until strace kills it at its nth call that writes to the disk or\n" +
			"flushes it. Then the store is opened and judged. Threads count their calls by themselves. See docs/powerloss.md.",
		Example: `  go run ./cmd/peanuts-torture syscalls
  go run ./cmd/peanuts-torture syscalls --kills 300`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return job.run(cmd.Context(), cmd.OutOrStdout())
		},
	}
	job.register(cmd)
	cmd.Flags().IntVar(&job.kills, "kills", 20, "routers that are killed, spread evenly over the calls")
	cmd.Flags().IntVar(&job.last, "last", 300, "the last call of a thread at which one is killed")
	return cmd
}

// swept is what became of the killed routers.
type swept struct {
	kills, unreached, starting, acknowledged int
	unopened, losing, corrupt                int
	findings                                 []string
}

func (j *syscallsJob) run(ctx context.Context, out io.Writer) error {
	if j.kills < 1 || j.last < j.kills {
		return errors.New("--kills is at least 1, and --last at least --kills")
	}
	if err := errors.Join(j.check(), traced.Available()); err != nil {
		return err
	}
	dir, err := j.begin()
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	binary, err := buildTraced(ctx, dir, false)
	if err != nil {
		return err
	}
	began := time.Now()
	all, err := j.sweep(ctx, binary, dir)
	if err != nil {
		return err
	}
	if err := all.print(out); err != nil {
		return err
	}
	fmt.Fprintf(out, "took %s\n", time.Since(began).Round(time.Second))
	return all.verdict()
}

// sweep kills a router at each of the chosen calls.
func (j *syscallsJob) sweep(ctx context.Context, binary, dir string) (all swept, err error) {
	ctx, fail := context.WithCancelCause(ctx)
	defer fail(nil)
	calls := make(chan int, j.kills)
	for n := range j.kills {
		calls <- 1 + n*j.last/j.kills
	}
	close(calls)
	var killing sync.WaitGroup
	var mu sync.Mutex
	for range j.workers {
		killing.Go(func() {
			for n := range calls {
				killed, verdict, err := j.kill(ctx, binary, filepath.Join(dir, strconv.Itoa(n)), n)
				if err != nil {
					fail(fmt.Errorf("the router that was to be killed at call %d: %w", n, err))
					return
				}
				mu.Lock()
				all.note(n, killed, verdict)
				mu.Unlock()
			}
		})
	}
	killing.Wait()
	return all, context.Cause(ctx)
}

// kill kills one router and judges what it leaves.
func (j *syscallsJob) kill(ctx context.Context, binary, dir string, n int) (traced.Killed, powerloss.Verdict, error) {
	if err := os.Mkdir(dir, 0o700); err != nil {
		return traced.Killed{}, powerloss.Verdict{}, err
	}
	defer os.RemoveAll(dir)
	killed, err := traced.Run{Router: binary, Events: j.events, Dir: dir}.Kill(ctx, n)
	if err != nil {
		return killed, powerloss.Verdict{}, err
	}
	judge := powerloss.Judge{Store: killed.Store, Owed: killed.Owed}
	return killed, judge.Look(ctx, killed.Root, killed.Promised), ctx.Err()
}

func (s *swept) note(n int, killed traced.Killed, v powerloss.Verdict) {
	s.kills++
	s.acknowledged += len(killed.Promised.Acknowledged)
	for _, count := range []struct {
		of   *int
		when bool
	}{{&s.unreached, !killed.Reached}, {&s.starting, !killed.Ready}, {&s.unopened, v.Unopened}, {&s.losing, len(v.Lost) > 0}, {&s.corrupt, len(v.Corrupt) > 0}} {
		if count.when {
			*count.of++
		}
	}
	for _, wrong := range append(v.Lost, v.Corrupt...) {
		s.findings = append(s.findings, fmt.Sprintf("killed at call %d: %s", n, wrong))
	}
}

// verdict ends the command with code 1 when anything was wrong, or too few were killed to prove anything.
func (s *swept) verdict() error {
	switch {
	case len(s.findings) > 0:
		return errTold
	case s.unreached > s.kills/2:
		return fmt.Errorf("%d of %d routers ended before the call at which they were to be killed: give them more --events", s.unreached, s.kills)
	}
	return nil
}

func (s *swept) print(out io.Writer) error {
	table := tabwriter.NewWriter(out, 0, 0, 1, ' ', 0)
	fmt.Fprintln(table, "| calls swept\t| ended before that call\t| killed while starting\t| acknowledged\t| bad opens\t| losing\t| corrupt\t|")
	fmt.Fprintln(table, "|---\t|---\t|---\t|---\t|---\t|---\t|---\t|")
	fmt.Fprintf(table, "| %d\t| %d\t| %d\t| %d\t| %d\t| %d\t| %d\t|\n", s.kills, s.unreached, s.starting, s.acknowledged, s.unopened, s.losing, s.corrupt)
	for _, finding := range s.findings {
		fmt.Fprintln(table, finding)
	}
	return table.Flush()
}
