package main

import (
	"fmt"
	"io"
	"slices"

	"github.com/peanuts-router/peanuts-router/engine"
)

// printVerdicts prints what the rules had to say of an event, with what they owe.
func printVerdicts(w io.Writer, c colours, v engine.Verdicts, deliveries []engine.Delivery) {
	for _, rule := range v.Fired {
		fmt.Fprintln(w, c.green("✓ "+oneLine(string(rule), 80)))
		printDeliveries(w, c, deliveries, func(d engine.Delivery) bool { return d.Rule == rule })
		printLeftOut(w, c, v.LeftOut, func(l engine.LeftOut) bool { return l.Rule == rule })
	}
	printDeliveries(w, c, deliveries, func(d engine.Delivery) bool { return !slices.Contains(v.Fired, d.Rule) }) // removals
	printLeftOut(w, c, v.LeftOut, func(l engine.LeftOut) bool { return !slices.Contains(v.Fired, l.Rule) })
	printUnfired(w, c, v)
	for _, failed := range v.Errors {
		fmt.Fprintln(w, c.red("✗ "+oneLine(string(failed.Rule), 80)+": "+oneLine(failed.Message, 300)))
	}
	for _, m := range v.Mismatches {
		fmt.Fprintln(w, c.yellow(fmt.Sprintf("! %s: %s met %s (%s)", oneLine(string(m.Rule), 80), oneLine(m.Expr, 200), valueText(m.Value), m.Place)))
	}
	if len(v.Fired)+len(v.Suppressed)+len(v.Errors)+len(v.Mismatches) == 0 {
		fmt.Fprintln(w, c.dim("No rule fired."))
	}
}

func printDeliveries(w io.Writer, c colours, all []engine.Delivery, wanted func(engine.Delivery) bool) {
	for _, d := range all {
		if wanted(d) {
			fmt.Fprintf(w, "    → %s  %s  %s  %s\n", d.Action, paintedState(c, d), d.ID, oneLine(d.LastError, 200))
		}
	}
}

func printLeftOut(w io.Writer, c colours, all []engine.LeftOut, wanted func(engine.LeftOut) bool) {
	for _, l := range all {
		if wanted(l) {
			fmt.Fprintln(w, c.dim(fmt.Sprintf("    → %s  left out: it goes with the entry", l.Action)))
		}
	}
}
