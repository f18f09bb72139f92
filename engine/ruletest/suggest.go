package ruletest

import (
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/peanuts-router/peanuts-router/engine"
	"github.com/peanuts-router/peanuts-router/engine/rulefile"
	"github.com/peanuts-router/peanuts-router/peanuts"
)

// Sample is an event that suggestions may be made from.
type Sample struct {
	Name  string
	Event *peanuts.Event
}

// Samples are the events of the suite's tests.
func (s *Suite) Samples() []Sample {
	var samples []Sample
	for _, test := range s.Tests {
		for _, step := range test.steps {
			if step.event != nil {
				samples = append(samples, Sample{Name: test.Name, Event: step.event})
			}
		}
	}
	return samples
}

// Suggestion are events around a comparison in a rule's condition, where its verdict turns.
type Suggestion struct {
	Rule  engine.RuleName
	Place rulefile.Place // of the comparison
	Expr  string
	// From names the sample that the events were made from; empty when they were made from the condition.
	From string
	// Undecided says that the rule fires for none of them: what else it asks for could not be worked out.
	Undecided bool
	Events    []Suggested
}

// Suggested is one such event.
type Suggested struct {
	What    string // how its value stands to the constant: "below", "absent"
	Verdict Verdict
	Payload string // JSON, on one line
}

// Verdict is what a rule made of an event.
type Verdict string

// The verdicts.
const (
	Fires      Verdict = "fires"
	Silent     Verdict = "silent"
	Mismatched Verdict = "mismatch" // silent, and said to have met a value of the wrong type
	Failed     Verdict = "error"
)

// Suggest makes events around each comparison of a path with a constant, in each rule's condition. They are made from the
// condition alone where an event can be found so that it holds; else from the first sample for which it does.
func Suggest(rules *engine.Rules, samples []Sample) []Suggestion {
	var suggestions []Suggestion
	for _, rule := range rules.Boundaries() {
		s := &suggester{rules: rules, rule: rule}
		for _, boundary := range rule.Boundaries {
			suggestions = append(suggestions, s.around(boundary, samples))
		}
	}
	return suggestions
}

// suggester makes suggestions for one rule.
type suggester struct {
	rules *engine.Rules
	rule  engine.RuleBoundaries
}

func (s *suggester) around(b engine.Boundary, samples []Sample) Suggestion {
	suggestion := Suggestion{Rule: s.rule.Rule, Place: b.Place, Expr: b.Expr}
	base := s.made(b)
	if verdict, ok := s.judge(base); !ok || verdict != Fires {
		for _, sample := range samples {
			if verdict, ok := s.judge(string(sample.Event.Raw)); ok && verdict == Fires {
				base, suggestion.From = string(sample.Event.Raw), sample.Name
				break
			}
		}
	}
	suggestion.Undecided = true
	for _, variant := range variants(b.Operator, b.Value, at(base, b.Path)) {
		payload := with(base, b.Path, variant)
		verdict, ok := s.judge(payload)
		if !ok {
			continue // no event, which no router would take
		}
		suggestion.Undecided = suggestion.Undecided && verdict != Fires
		suggestion.Events = append(suggestion.Events, Suggested{What: variant.what, Verdict: verdict, Payload: payload})
	}
	return suggestion
}

// made is the smallest event that has what the condition asks for.
func (s *suggester) made(b engine.Boundary) string {
	fields := map[string]any{
		"event": s.rule.Event, "timestamp": "2026-01-05T10:00:00Z",
		"helper": map[string]any{}, "entry": map[string]any{"id": "entry-1", "data": map[string]any{}},
	}
	for _, setting := range b.Rest {
		// A path that leads through a value, as two of a condition may, makes an event that is to be tried all the same.
		_ = put(fields, setting.Path, setting.Value, false)
	}
	return writeEvent(fields)
}

// judge tells what the rule makes of a payload; false when that is no event.
func (s *suggester) judge(payload string) (Verdict, bool) {
	e, err := peanuts.Parse([]byte(payload))
	if err != nil {
		return "", false
	}
	at := e.Timestamp
	if at.IsZero() {
		at = time.Date(2026, 1, 5, 10, 0, 0, 0, time.UTC)
	}
	for _, explained := range s.rules.Explain(e, at, engine.Known{Own: engine.IsOwnName(e.Event)}) {
		switch {
		case explained.Rule != s.rule.Rule:
		case explained.Error != "":
			return Failed, true
		case explained.Fired:
			return Fires, true
		case len(explained.Mismatches) > 0:
			return Mismatched, true
		}
	}
	return Silent, true
}

// with is a payload with another value at a path.
func with(payload string, path []string, v variant) string {
	value, err := readJSON([]byte(payload))
	if err != nil {
		return payload
	}
	fields, _ := value.(map[string]any)
	if put(fields, path, v.value, v.absent) != nil {
		return payload
	}
	return writeEvent(fields)
}

// at is what a payload has at a path; nil when that is nothing.
func at(payload string, path []string) any {
	value, err := readJSON([]byte(payload))
	for _, step := range path {
		members, ok := value.(map[string]any)
		if err != nil || !ok {
			return nil
		}
		value = members[step]
	}
	return value
}

// writeEvent writes an event on one line, its parts in the order in which Peanuts sends them.
func writeEvent(fields map[string]any) string {
	rest := maps.Clone(fields)
	var parts []string
	for _, name := range []string{"event", "timestamp", "helper", "entry", "user"} {
		if value, there := rest[name]; there {
			parts = append(parts, writeJSON(name)+":"+writeJSON(value))
			delete(rest, name)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(rest)) {
		parts = append(parts, writeJSON(name)+":"+writeJSON(rest[name]))
	}
	return "{" + strings.Join(parts, ",") + "}"
}
