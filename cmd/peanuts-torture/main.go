// Command peanuts-torture breaks a running peanuts-router in every way it can, and then checks that nothing was lost, nothing
// was made up, and nothing was sent twice without a reason.
//
// Terms:
//
//   - A life is one run of the router's process. A new one is started on the store that the last one left.
//   - A blow is one thing that is done to the router: a kill, a pause, a lock on its store, a full disk, a reload.
//   - The weather is what becomes of the bytes between router and targets. A connection that met bad weather was disturbed.
//   - The nemesis chooses blows by a seed. A seed repeats the plan of a run, not its scheduling.
//   - An event carries its fate: it says what the targets shall answer, so that what must become of it follows from its
//     text and the rules alone.
//   - A receipt is one message as a target saw it, with what the target answered.
//   - The history is all that was sent, answered, received and broken, with monotonic times. It is kept by this process,
//     which does not die with the router.
//   - An invariant is a function over history and store that tells what should not be. A breach is one such finding.
//   - A mutant is the router with a bug planted in it. The harness must catch each, or it proves nothing.
//
// The router is a real `peanuts-router serve` in a process of its own; but for failpoints, clocks and mutants it is the build that
// people run.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := runCommand(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

// errTold ends a command with code 1 when what went wrong has been printed.
var errTold = errors.New("told")

// runCommand carries out a command line and returns the exit code: 0 fine, 1 something does not hold, 2 wrong usage.
func runCommand(ctx context.Context, args []string, out, errs io.Writer) int {
	running := false
	root := &cobra.Command{
		Use: "peanuts-torture", Short: "Break peanuts-router, and check that it keeps its promises",
		SilenceUsage: true, SilenceErrors: true,
		PersistentPreRun: func(*cobra.Command, []string) { running = true },
	}
	root.AddCommand(newCrash(), newMutants(), newImages(), newSyscalls())
	root.SetArgs(args)
	root.SetOut(out)
	root.SetErr(errs)
	err := root.ExecuteContext(ctx)
	switch {
	case err == nil:
		return 0
	case errors.Is(err, errTold):
		return 1
	case running:
		fmt.Fprintf(errs, "peanuts-torture: %v\n", err)
		return 1
	default:
		fmt.Fprintf(errs, "peanuts-torture: %v\nSee peanuts-torture --help.\n", err)
		return 2
	}
}
