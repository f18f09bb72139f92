// Command peanuts-torture breaks peanuts-router, and checks that it keeps its promises.
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
	root.AddCommand(newImages(), newSyscalls())
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
