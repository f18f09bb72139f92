package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"text/tabwriter"

	"github.com/peanuts-router/peanuts-router/internal/powerloss"
	"github.com/peanuts-router/peanuts-router/internal/powerloss/traced"
)

// keepFindings leaves the trace and the images that are not sound for people to look at.
func keepFindings(dir string, record traced.Record, result powerloss.Result) error {
	if err := os.Mkdir(dir, 0o700); err != nil {
		return err
	}
	for n, finding := range result.Findings {
		into := filepath.Join(dir, strconv.Itoa(n))
		if err := errors.Join(os.Mkdir(into, 0o700), finding.Image.Lay(into)); err != nil {
			return err
		}
	}
	trace, err := os.ReadFile(record.Trace)
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, "trace.txt"), trace, 0o600)
}

func printImages(out io.Writer, judged []judgedRouter) error {
	table := tabwriter.NewWriter(out, 0, 0, 1, ' ', 0)
	fmt.Fprintln(table, "| router\t| operations\t| flushes\t| copies of the log\t| acknowledged\t| possible images\t| judged\t| losing\t| corrupt\t|")
	fmt.Fprintln(table, "|---\t|---\t|---\t|---\t|---\t|---\t|---\t|---\t|---\t|")
	for _, r := range judged {
		fmt.Fprintf(table, "| %s\t| %d\t| %d\t| %d\t| %d\t| %d\t| %d\t| %d\t| %d\t|\n",
			r.name, r.Operations, r.Flushes, r.Copies, r.Acknowledged, r.Possible, r.Judged, r.Losing, r.Corrupt)
	}
	if err := table.Flush(); err != nil {
		return err
	}
	for _, r := range judged {
		if r.from != "" {
			fmt.Fprintf(out, "%s: %s\n", r.name, r.from)
		}
	}
	return nil
}

// verdictOnImages tells what is wrong, and ends the command with code 1 when anything is.
func verdictOnImages(out io.Writer, judged []judgedRouter) error {
	wrong := false
	for _, r := range judged {
		if r.control {
			if r.Losing == 0 {
				wrong = true
				fmt.Fprintf(out, "%s lost nothing: what the others kept proves nothing\n", r.name)
			}
			continue
		}
		for _, finding := range r.Findings {
			wrong = true
			fmt.Fprintf(out, "%s, %s:\n", r.name, finding.Where)
			tellWrong(out, append(finding.Verdict.Lost, finding.Verdict.Corrupt...))
		}
	}
	if wrong {
		return errTold
	}
	return nil
}

// tellWrong tells the first things that are wrong with an image.
func tellWrong(out io.Writer, all []string) {
	const atMost = 5
	for _, wrong := range all[:min(len(all), atMost)] {
		fmt.Fprintf(out, "    %s\n", wrong)
	}
	if more := len(all) - atMost; more > 0 {
		fmt.Fprintf(out, "    and %d more\n", more)
	}
}
