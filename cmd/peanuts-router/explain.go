package main

import (
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/peanuts-router/peanuts-router/engine"
)

// print writes what a rule made of an event: a sign, the rule's name and place, and below it what was sent or why not.
func (r ruleReport) print(w io.Writer, c colours, now time.Time) {
	sign, paint := "·", c.dim
	switch {
	case r.Disabled:
		sign = "-"
	case r.Error != "":
		sign, paint = "✗", c.red
	case r.Fired:
		sign, paint = "✓", c.green
	case len(r.Mismatches) > 0:
		sign, paint = "!", c.yellow
	}
	fmt.Fprintf(w, "%s %s %s\n", paint(sign), paint(fmt.Sprintf("%-40s", oneLine(string(r.Rule), 80)+r.standing())), c.dim(r.place))
	if r.Error != "" {
		fmt.Fprintf(w, "    %s\n", c.red(oneLine(r.Error, 500)))
	}
	mismatched := map[string]bool{}
	for _, m := range r.Mismatches {
		mismatched[m.Expr] = true
		fmt.Fprintf(w, "    %-40s %s\n", oneLine(m.Expr, 200), c.yellow("met "+valueText(m.Value)+", which it cannot compare"))
	}
	for _, because := range r.Because {
		if !mismatched[because.Expr] {
			fmt.Fprintf(w, "    %-40s %s\n", oneLine(because.Expr, 200), becauseText(because, c))
		}
	}
	r.printClaim(w, c)
	for _, d := range r.Deliveries {
		d.print(w, c, now)
	}
	for _, absent := range r.Absent {
		fmt.Fprintf(w, "    %s\n", c.yellow("{{ "+oneLine(absent, 200)+" }} printed as nothing: it is absent from this event"))
	}
}

// becauseText tells what a part of a condition came to, on what value, and where it stands.
func becauseText(b engine.Because, c colours) string {
	_, place, _ := strings.Cut(b.Place, ".yaml:")
	place = c.dim("   " + place)
	switch {
	case b.Error != "":
		return c.red("cannot be judged: "+oneLine(b.Error, 200)) + place
	case b.Holds:
		return "is true: " + metText(b) + place
	}
	return "is false: " + metText(b) + place
}

// metText is the value that a part of a condition met.
func metText(b engine.Because) string {
	if b.Value == nil {
		return "absent"
	}
	return "met " + valueText(b.Value)
}

// valueText is a value as people know it: text in quotes, anything else as JSON.
func valueText(value any) string {
	if text, ok := value.(string); ok {
		return strconv.Quote(oneLine(text, 120)) + " (text)"
	}
	text, err := json.Marshal(value)
	if err != nil {
		return fmt.Sprint(value)
	}
	return oneLine(string(text), 120)
}

// print writes a delivery with its message.
func (d deliveryReport) print(w io.Writer, c colours, now time.Time) {
	fmt.Fprintf(w, "    → %s  %s", d.Action, d.Kind)
	if d.Dead != "" {
		fmt.Fprintf(w, "  %s\n", c.red("a dead letter at once: "+oneLine(d.Dead, 300)))
		return
	}
	if d.At != nil {
		fmt.Fprintf(w, "  %s", c.yellow(whenText(*d.At, now)))
	}
	lines := messageLines(d.Kind, d.Message)
	if len(lines) == 1 {
		fmt.Fprintf(w, "  %s\n", lines[0])
		return
	}
	fmt.Fprintln(w)
	for _, line := range lines {
		fmt.Fprintf(w, "        %s\n", line)
	}
}

// whenText tells when a reminder is sent.
func whenText(at, now time.Time) string {
	on := "on " + at.Format("Mon 2 Jan 2006 15:04 MST")
	switch wait := at.Sub(now); {
	case wait <= 0:
		return on + ", which is past: at once"
	case wait < 2*time.Hour:
		return on + " (in " + count(int(wait.Minutes()), "minute", "minutes") + ")"
	case wait < 48*time.Hour:
		return on + " (in " + count(int(wait.Hours()), "hour", "hours") + ")"
	default:
		return on + " (in " + count(int(wait.Hours()/24), "day", "days") + ")"
	}
}

// messageLines is a frozen message for people.
func messageLines(kind engine.Kind, message json.RawMessage) []string {
	switch kind {
	case engine.KindSlack:
		return slackLines(message)
	case engine.KindEmail:
		return emailLines(message)
	case engine.KindSQL:
		return sqlLines(message)
	}
	var m engine.HTTPMessage
	if json.Unmarshal(message, &m) != nil {
		return []string{string(message)}
	}
	switch {
	case m.JSON != nil:
		return []string{oneLine(string(m.JSON), 1000)}
	case m.Body != nil:
		return strings.Split(manyLines(*m.Body), "\n")
	}
	return []string{"the event as it was received"}
}

func slackLines(message json.RawMessage) []string {
	var m engine.SlackMessage
	if json.Unmarshal(message, &m) != nil {
		return []string{string(message)}
	}
	var lines []string
	if m.Channel != "" {
		lines = append(lines, "to "+oneLine(m.Channel, 100))
	}
	if m.Text != "" {
		lines = append(lines, strings.Split(manyLines(m.Text), "\n")...)
	}
	if m.Blocks != nil {
		lines = append(lines, oneLine(string(m.Blocks), 1000))
	}
	return lines
}

func emailLines(message json.RawMessage) []string {
	var m engine.EmailMessage
	if json.Unmarshal(message, &m) != nil {
		return []string{string(message)}
	}
	var lines []string
	if len(m.To) > 0 {
		lines = append(lines, "to "+oneLine(strings.Join(m.To, ", "), 300))
	}
	lines = append(lines, "Subject: "+oneLine(m.Subject, 300))
	text := m.Text
	if text == "" {
		text = m.HTML
	}
	return append(lines, strings.Split(strings.TrimRight(manyLines(text), "\n"), "\n")...)
}

// sqlLines are the columns of a row, or what becomes of it.
func sqlLines(message json.RawMessage) []string {
	var m engine.SQLMessage
	if json.Unmarshal(message, &m) != nil {
		return []string{string(message)}
	}
	if gone := m.Remove; gone != nil {
		key := oneLine(string(gone.Key), 200)
		if gone.Mark != "" {
			return []string{fmt.Sprintf("mark %s as of %s in %s", key, gone.At.Format(time.RFC3339), oneLine(gone.Mark, 80))}
		}
		return []string{"delete " + key}
	}
	var lines []string
	for _, column := range m.Columns {
		lines = append(lines, fmt.Sprintf("%-16s %s", oneLine(column.Name, 80), oneLine(string(column.Value), 300)))
	}
	return lines
}
