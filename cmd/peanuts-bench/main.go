// Command peanuts-bench measures peanuts-router end to end, beside a baseline measured in the same run.
//
// Terms:
//
//   - A figure is one measured number with its unit; its ratio is that number over its baseline's.
//   - The bare handler is net/http checking the HMAC of a body and answering: what nobody can do without.
//   - The target is the HTTP endpoint that the router delivers to. It counts what arrives, by Idempotency-Key.
//   - A load is closed when each connection sends its next event once the last is answered, and open when events are due
//     at a rate, whatever the answers do; then times run from when an event was due, so that a stall counts in full.
//
// The router is a real `peanuts-router serve` on a store of its own for each measurement, logging to a file. Load, target
// and bare handler are processes of their own as well: this program, which starts itself in another role.
//
// The command promises that no figure stands on lost or repeated work: unless everything accepted arrives exactly once,
// it fails instead of printing.
package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := runCommand(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

// runCommand plays the role that the environment names, or carries out a command line; it returns the exit code.
func runCommand(ctx context.Context, args []string, in io.Reader, out, errs io.Writer) int {
	if role := os.Getenv(roleVariable); role != "" {
		if err := play(ctx, role, in, out); err != nil {
			fmt.Fprintf(errs, "peanuts-bench, as %s: %v\n", role, err)
			return 1
		}
		return 0
	}
	measuring := false
	cmd := newCommand(out, errs, &measuring)
	cmd.SetArgs(args)
	err := cmd.ExecuteContext(ctx)
	switch {
	case err == nil:
		return 0
	case measuring:
		fmt.Fprintf(errs, "peanuts-bench: %v\n", err)
		return 1
	default:
		fmt.Fprintf(errs, "peanuts-bench: %v\nSee peanuts-bench --help.\n", err)
		return 2
	}
}

// newCommand is the command line. measuring turns true once it was understood: until then errors are of usage.
func newCommand(out, errs io.Writer, measuring *bool) *cobra.Command {
	var s settings
	var output string
	cmd := &cobra.Command{
		Use:   "peanuts-bench",
		Short: "Measure peanuts-router end to end, as ratios against baselines of the same run",
		Example: `  go run ./cmd/peanuts-bench
  go run ./cmd/peanuts-bench --only backlog --backlog 1000000
  go run ./cmd/peanuts-bench --router ./peanuts-router --output json`,
		Args:          cobra.NoArgs,
		SilenceUsage:  true,
		SilenceErrors: true,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := s.check(); err != nil {
				return err
			}
			if output != "text" && output != "json" {
				return fmt.Errorf("--output is text or json, not %q", output)
			}
			*measuring = true
			report, err := measure(cmd.Context(), s, errs)
			if err != nil {
				return err
			}
			if output == "json" {
				return report.printJSON(out)
			}
			return report.printTable(out)
		},
	}
	cmd.SetOut(out)
	cmd.SetErr(errs)
	s.register(cmd.Flags())
	cmd.Flags().StringVar(&output, "output", "text", "text or json")
	return cmd
}
