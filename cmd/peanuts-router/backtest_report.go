package main

import (
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/peanuts-router/peanuts-router/engine"
)

// backtestReport is what a backtest found, as --output json prints it.
type backtestReport struct {
	Rules      string       `json:"rules"`
	Against    string       `json:"against"`
	Events     int          `json:"events"`
	From       *time.Time   `json:"from"`
	To         *time.Time   `json:"to"`
	ByRule     []ruleCount  `json:"by_rule"`
	Deliveries []difference `json:"deliveries"` // the first of them
	More       int          `json:"more"`       // how many are not shown
}

func (c *comparer) report(rules, against string) backtestReport {
	r := backtestReport{Rules: rules, Against: against, Events: c.events, ByRule: []ruleCount{}, Deliveries: []difference{}, More: c.more}
	if c.events > 0 {
		r.From, r.To = &c.from, &c.to
	}
	for _, rule := range c.order {
		r.ByRule = append(r.ByRule, *c.rules[rule])
	}
	slices.SortStableFunc(r.ByRule, func(a, b ruleCount) int { return strings.Compare(string(a.Rule), string(b.Rule)) })
	r.Deliveries = append(r.Deliveries, c.differences...)
	return r
}

// print writes the report for people.
func (r backtestReport) print(w io.Writer) error {
	if r.Events == 0 {
		_, err := fmt.Fprintln(w, "No events are stored of that time.")
		return err
	}
	c := coloursFor(w)
	fmt.Fprintf(w, "%s by %s, against %s: %s to %s\n", count(r.Events, "event", "events"), r.Rules, r.Against,
		r.From.Format("2 Jan 2006 15:04 MST"), r.To.Format("2 Jan 2006 15:04 MST"))
	for _, d := range r.Deliveries {
		d.print(w, c)
	}
	if r.More > 0 {
		fmt.Fprintf(w, "\n%s\n", c.dim("and "+count(r.More, "delivery", "deliveries")+" more: --show "+strconv.Itoa(len(r.Deliveries)+r.More)))
	}
	if len(r.ByRule) == 0 {
		_, err := fmt.Fprintf(w, "\nNo rule fires, then or now.\n")
		return err
	}
	fmt.Fprintln(w)
	rows := [][]string{}
	for _, rule := range r.ByRule {
		rows = append(rows, []string{
			oneLine(string(rule.Rule), 60), strconv.Itoa(rule.Fired), strconv.Itoa(rule.Before), strconv.Itoa(rule.Gained),
			strconv.Itoa(rule.Lost), strconv.Itoa(rule.Changed), strconv.Itoa(rule.Failed),
		})
	}
	return printTable(w, []string{"RULE", "FIRED", "BEFORE", "GAINED", "LOST", "CHANGED", "FAILED"}, rows)
}

// print writes a difference: the event, and the delivery as it was and as it is.
func (d difference) print(w io.Writer, c colours) {
	sign, paint := map[string]string{gained: "+", lost: "-", changed: "~"}[d.Change], c.yellow
	switch d.Change {
	case gained:
		paint = c.green
	case lost:
		paint = c.red
	}
	fmt.Fprintf(w, "\n%s  %s  %s %s  %s\n", paint(sign+" "+d.Change), oneLine(string(d.Rule), 60), d.Action, d.Kind, c.dim(
		fmt.Sprintf("%s  %s %s %s", d.Event.ID, oneLine(d.Event.Name, 30), oneLine(d.Event.Helper, 30), oneLine(d.Event.Entry, 40))))
	if d.Was != nil {
		printMessage(w, c.red("- "), d.Kind, d.Was, d.WasAt)
	}
	if d.Is != nil {
		printMessage(w, c.green("+ "), d.Kind, d.Is, d.At)
	}
}

func printMessage(w io.Writer, sign string, kind engine.Kind, message []byte, at *time.Time) {
	for i, line := range messageLines(kind, message) {
		if i == 0 && at != nil {
			line += "  " + at.Format("Mon 2 Jan 2006 15:04 MST")
		}
		fmt.Fprintf(w, "    %s%s\n", sign, line)
	}
}
