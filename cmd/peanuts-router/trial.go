package main

import (
	"fmt"
	"io"

	"github.com/peanuts-router/peanuts-router/engine"
)

// standing is what a rule's name is followed by when it is not simply in force.
func (r ruleReport) standing() string {
	switch {
	case r.Disabled:
		return " (disabled)"
	case r.Shadow:
		return " (shadow)"
	}
	return ""
}

// printClaim tells what a rule would fire for only once. A dry run claims nothing, and knows of no claims.
func (r ruleReport) printClaim(w io.Writer, c colours) {
	switch r.OncePer {
	case "":
	case "nil":
		fmt.Fprintf(w, "    %s\n", c.yellow("once per nil: it is absent from this event, so this suppresses nothing"))
	default:
		fmt.Fprintf(w, "    once per %s\n", oneLine(r.OncePer, 300))
	}
}

// printUnfired tells which rules held and were suppressed, and which were not judged.
func printUnfired(w io.Writer, c colours, v engine.Verdicts) {
	for _, suppressed := range v.Suppressed {
		fmt.Fprintln(w, c.dim(fmt.Sprintf("· %s  suppressed: once_per was claimed by %s", oneLine(string(suppressed.Rule), 80), suppressed.By)))
	}
	for _, rule := range v.Disabled {
		fmt.Fprintln(w, c.dim("- "+oneLine(string(rule), 80)+"  disabled"))
	}
}
