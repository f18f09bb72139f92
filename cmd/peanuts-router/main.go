// Command peanuts-router takes the webhooks of Peanuts, judges them by rules in YAML, and sees to it that each
// notification is delivered or lies in the dead letters with its reason.
//
// It is the one place that sees all packages and wires them, in the order an event meets them: peanuts, server,
// engine, store, dispatch, actions. Every command has a file of its own; serve.go holds the wiring.
//
// Exit codes: 0 fine, 1 the thing asked for failed, 2 wrong usage.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	// A second signal is not held back: it ends the process at once.
	context.AfterFunc(ctx, stop)
	code := run(ctx, os.Args[1:], terminal{in: os.Stdin, out: os.Stdout, err: os.Stderr})
	stop()
	os.Exit(code)
}

// run carries out one command line and returns the exit code.
func run(ctx context.Context, args []string, t terminal) int {
	root, reached := newRoot(&t)
	root.SetArgs(args)
	cmd, err := root.ExecuteContextC(ctx)
	var told toldError
	switch {
	case err == nil:
		return 0
	case errors.As(err, &told):
		return 1
	case !*reached:
		fmt.Fprintf(t.err, "peanuts-router: %v\n", err)
		if !cmd.HasSubCommands() {
			fmt.Fprintf(t.err, "Usage: %s\n", cmd.UseLine())
		}
		fmt.Fprintf(t.err, "See %s --help.\n", cmd.CommandPath())
		return 2
	case errors.As(err, new(usageError)):
		fmt.Fprintf(t.err, "peanuts-router: %v\n", err)
		return 2
	default:
		fmt.Fprintf(t.err, "peanuts-router: %v\n", err)
		return 1
	}
}

// usageError is a command line that cannot be carried out as it stands.
type usageError struct{ error }

func usagef(format string, args ...any) error { return usageError{fmt.Errorf(format, args...)} }

// toldError is a failure of which the command has told everything already.
type toldError struct{}

func (toldError) Error() string { return "failed" }
