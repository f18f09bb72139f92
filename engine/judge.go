package engine

import (
	"fmt"
	"time"

	"github.com/peanuts-router/peanuts-router/engine/condition"
	"github.com/peanuts-router/peanuts-router/engine/rulefile"
	"github.com/peanuts-router/peanuts-router/peanuts"
)

// rule is one compiled rule.
type rule struct {
	name  RuleName
	place rulefile.Place
	on    map[string]bool // nil: every event but entry.deleted
	when  *condition.Condition
	text  rulefile.Text // of when, to find places in it
	steps []step
}

// Explanation is what one rule made of one event, in all detail.
type Explanation struct {
	Rule       RuleName
	Place      rulefile.Place // of the rule
	Fired      bool
	Error      string // why it could not be judged; empty when it could (C7)
	Mismatches []Mismatch
	Owed       []Owed
	// Because names what kept the rule from firing: the operands of the topmost && that were false.
	Because []Because
	// Absent are the {{ }} of its messages that printed as nothing.
	Absent []string
}

// Because is a sub-expression that decided a verdict, with the value that it met.
type Because struct {
	Expr  string `json:"expr"`
	Value any    `json:"value"`
}

// Judge tells what follows from an event. Each rule is judged on its own: no error or cost of one touches another (C8).
func (r *Rules) Judge(e *peanuts.Event, now time.Time) Judgement {
	scope := condition.NewScope(e, now, nil)
	j := Judgement{Generation: r.generation}
	for _, rule := range r.rules {
		if !rule.wants(e.Event) {
			continue
		}
		v := rule.judge(scope)
		j.Mismatches = append(j.Mismatches, v.Mismatches...)
		switch {
		case v.Error != "":
			j.Errors = append(j.Errors, RuleError{Rule: rule.name, Message: v.Error})
		case v.Fired:
			j.Fired = append(j.Fired, rule.name)
			j.Owed = append(j.Owed, v.Owed...)
		}
	}
	return j
}

// Explain tells of every rule, in the order of the file, what it made of the event and why. The verdicts are
// those of Judge.
func (r *Rules) Explain(e *peanuts.Event, now time.Time) []Explanation {
	scope := condition.NewScope(e, now, nil)
	explained := make([]Explanation, 0, len(r.rules))
	for _, rule := range r.rules {
		explained = append(explained, rule.explain(scope, e.Event))
	}
	return explained
}

func (r *rule) wants(event string) bool {
	if r.on == nil {
		return event != peanuts.EntryDeleted
	}
	return r.on[event]
}

// judge evaluates the condition and, when it holds, freezes the messages.
func (r *rule) judge(scope *condition.Scope) Explanation {
	v := Explanation{Rule: r.name, Place: r.place}
	result := r.when.Judge(scope)
	for _, m := range result.Mismatches {
		v.Mismatches = append(v.Mismatches, Mismatch{
			Rule: r.name, Expr: m.Expr, Value: briefly(m.Value), Place: r.text.PlaceAt(m.Offset).String(),
		})
	}
	if result.Err != nil {
		v.Error = result.Err.Error()
		return v
	}
	if !result.Holds {
		return v
	}
	v.Fired = true
	for _, step := range r.steps {
		owed, absent := step.owe(r.name, scope)
		v.Owed = append(v.Owed, owed)
		v.Absent = append(v.Absent, absent...)
	}
	return v
}

func (r *rule) explain(scope *condition.Scope, event string) Explanation {
	if !r.wants(event) {
		return Explanation{Rule: r.name, Place: r.place, Because: []Because{{Expr: r.onText(), Value: event}}}
	}
	v := r.judge(scope)
	if v.Fired || v.Error != "" {
		return v
	}
	for _, operand := range r.when.Because(scope) {
		v.Because = append(v.Because, Because{Expr: operand.Expr, Value: briefly(operand.Value)})
	}
	return v
}

// onText is the rule's `on:` as a condition that people can read.
func (r *rule) onText() string {
	if r.on == nil {
		return fmt.Sprintf("event != %q", peanuts.EntryDeleted)
	}
	return "event in " + quotedList(r.on)
}
