package ruletest

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/peanuts-router/peanuts-router/engine"
	"github.com/peanuts-router/peanuts-router/engine/rehearsal"
	"github.com/peanuts-router/peanuts-router/peanuts"
)

// finding is what came of a test.
type finding struct {
	rule, action string
	kind         engine.Kind // of the action; empty of what no action sends
	at           time.Time
	fields       map[string]any
	aside        bool // nothing is wrong when it was not expected
	shadow       bool // its rule is on trial: it was not sent
}

// became tells what became of it.
func (f finding) became() string {
	switch {
	case f.fields["error"] != nil:
		return "failed"
	case f.fields["dead"] != nil:
		return "died at once"
	}
	return "was sent"
}

// String names the finding by its rule and action.
func (f finding) String() string {
	text := f.rule
	if f.action != "" {
		text += " → " + f.action
	}
	if f.shadow {
		text += " (shadow)"
	}
	return text
}

// faults are the errors and mismatches that an event met.
func faults(j engine.Judgement, at time.Time) []finding {
	var found []finding
	for _, e := range j.Errors {
		found = append(found, finding{rule: string(e.Rule), at: at, fields: map[string]any{"error": e.Message}})
	}
	for _, m := range j.Mismatches {
		found = append(found, finding{rule: string(m.Rule), at: at, fields: map[string]any{"mismatch": m.Expr}, aside: true})
	}
	return found
}

// sent are the deliveries that went out, or died, and the shadows of such.
func sent(deliveries []*rehearsal.Delivery, told []*peanuts.Event, zone *time.Location) []finding {
	var found []finding
	for _, d := range deliveries {
		f := finding{rule: string(d.Rule), action: string(d.Action), kind: d.Kind, at: d.Since.In(zone)}
		switch d.State {
		case engine.Delivered:
			f.fields = contentOf(d.Kind, d.Message, told[d.Event])
		case engine.Dead:
			f.fields = map[string]any{"dead": d.Reason}
		case engine.Shadow:
			if d.Late != "" {
				continue
			}
			f = f.asShadow(d, told[d.Event])
		default:
			continue
		}
		found = append(found, f)
	}
	return found
}

// asShadow is the finding of a delivery that would have been sent, had its rule not been on trial.
func (f finding) asShadow(d *rehearsal.Delivery, event *peanuts.Event) finding {
	f.shadow, f.aside = true, true
	if due := d.At.Truncate(time.Millisecond); due.After(f.at) {
		f.at = due.In(f.at.Location())
	}
	f.fields = map[string]any{"dead": d.Dead}
	if d.Dead == "" {
		f.fields = contentOf(d.Kind, d.Message, event)
	}
	return f
}

// contentOf are the fields of a frozen message.
func contentOf(kind engine.Kind, message json.RawMessage, event *peanuts.Event) map[string]any {
	if kind == engine.KindSQL {
		return rowOf(message)
	}
	value, _ := readJSON(message)
	fields, _ := value.(map[string]any)
	_, hasJSON := fields["json"]
	if _, hasBody := fields["body"]; kind == engine.KindHTTP && !hasJSON && !hasBody {
		// The event goes out as it was received.
		fields["json"], _ = readJSON(event.Raw)
		fields["body"] = string(event.Raw)
	}
	return fields
}

// rowOf is how a row shall look, or the key of one that shall be gone.
func rowOf(message json.RawMessage) map[string]any {
	var m engine.SQLMessage
	if err := json.Unmarshal(message, &m); err != nil {
		return map[string]any{"upsert": string(message)}
	}
	if m.Remove != nil {
		key, _ := readJSON(m.Remove.Key)
		fields := map[string]any{"delete": key}
		if m.Remove.Mark != "" {
			fields = map[string]any{"mark": m.Remove.Mark, "delete": key}
		}
		return fields
	}
	row := map[string]any{}
	for _, column := range m.Columns {
		row[column.Name], _ = readJSON(column.Value)
	}
	return map[string]any{"upsert": row}
}

// lines show a finding: when it was sent, and what it says.
func (f finding) lines() []string {
	lines := []string{"at " + timeText(f.at)}
	if f.kind == engine.KindHTTP && f.fields["body"] != nil && f.fields["json"] != nil {
		return append(lines, "the event as it was received")
	}
	for _, field := range fieldsOf(f.kind) {
		if value, there := f.fields[field]; there {
			lines = append(lines, fieldLines(field, value)...)
		}
	}
	return lines
}

func timeText(at time.Time) string { return at.Format("Mon 2 Jan 2006 15:04:05 MST") }

// fieldLines show a field, a text of several lines below its name.
func fieldLines(field string, value any) []string {
	text, isText := value.(string)
	if !isText {
		return []string{fmt.Sprintf("%s: %s", field, writeJSON(value))}
	}
	if !strings.Contains(text, "\n") {
		return []string{fmt.Sprintf("%s: %s", field, text)}
	}
	lines := []string{field + ":"}
	for _, line := range strings.Split(strings.TrimSuffix(text, "\n"), "\n") {
		lines = append(lines, "  "+line)
	}
	return lines
}

func listed(words []string) string {
	last := len(words) - 1
	return strings.Join(words[:last], ", ") + " and " + words[last]
}
