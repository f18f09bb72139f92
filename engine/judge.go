package engine

import (
	"fmt"
	"sync"
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
	trial
}

// Explanation is what one rule made of one event, in all detail.
type Explanation struct {
	Rule       RuleName
	Place      rulefile.Place // of the rule
	Fired      bool
	Error      string // why it could not be judged; empty when it could (C7)
	Mismatches []Mismatch
	Owed       []Owed
	// Because names the parts of its condition that decided the verdict: had they come out the other way, it had, too. Of
	// a rule that could not be judged they are those that could not.
	Because []Because
	// Absent are the {{ }} of its messages that printed as nothing.
	Absent []string
	// Disabled says that the rule was not judged; Shadow that nothing of what it owes is sent.
	Disabled, Shadow bool
	// OncePer is the value that the event claims for the rule, or finds claimed: Claim.Value, or nil when it is absent.
	OncePer string
	// SuppressedBy is the event that holds the claim; empty when none does.
	SuppressedBy EventID

	claim *Claim // that is made if the rule owes anything
}

// Because is a part of a condition that decided a verdict, as it stands in the file, with the value that it met.
type Because struct {
	Expr  string `json:"expr"`
	Value any    `json:"value"`
	Holds bool   `json:"holds"`
	Place string `json:"place"`
	Error string `json:"error,omitempty"` // it cannot be judged by itself
}

// judging is one event that is being judged.
type judging struct {
	*condition.Scope
	event *peanuts.Event
	now   time.Time // when it arrived
	known Known
	found []int // rules that it could concern
}

// judgings are kept for the next event: what they hold is costly to make anew for each.
var judgings = sync.Pool{New: func() any { return &judging{Scope: condition.NewScope(nil, time.Time{}, nil)} }}

func newJudging(e *peanuts.Event, now time.Time, known Known) *judging {
	j := judgings.Get().(*judging)
	j.Reset(e, now, known.Before)
	j.event, j.now, j.known = e, now, known
	return j
}

// done gives the judging back. Nothing of it may be used afterwards.
func (j *judging) done() {
	j.Reset(nil, time.Time{}, nil)
	j.event, j.known = nil, Known{}
	judgings.Put(j)
}

// Judge tells what follows from an event that arrived now. Each rule is judged on its own: no error or cost of one touches
// another (C8).
func (r *Rules) Judge(e *peanuts.Event, now time.Time, known Known) Judgement {
	j := Judgement{Generation: r.generation, Disabled: r.disabledFor(e.Event, known.Own)}
	judging := newJudging(e, now, known)
	defer judging.done()
	for _, i := range r.index.find(judging) {
		rule := r.rules[i]
		if !rule.wants(e.Event, known.Own) {
			v := Explanation{Rule: rule.name}
			rule.unwanted(judging, &v)
			j.record(&v)
			continue
		}
		v := rule.judge(judging)
		j.record(&v)
	}
	if e.IsVersion() && !known.Late {
		j.Contributions = r.Contribute(e, now)
	}
	return j
}

// Explain tells of every rule, in the order of the file, what it made of the event and why. The verdicts are
// those of Judge.
func (r *Rules) Explain(e *peanuts.Event, now time.Time, known Known) []Explanation {
	judging := newJudging(e, now, known)
	defer judging.done()
	explained := make([]Explanation, 0, len(r.rules))
	for _, rule := range r.rules {
		explained = append(explained, rule.explain(judging))
	}
	return explained
}

// judge evaluates the condition and, when it holds, freezes the messages.
func (r *rule) judge(j *judging) Explanation {
	v := Explanation{Rule: r.name, Place: r.place, Shadow: r.shadow}
	result := r.when.Judge(j.Scope)
	for _, m := range result.Mismatches {
		v.Mismatches = append(v.Mismatches, Mismatch{
			Rule: r.name, Expr: m.Expr, Value: briefly(m.Value), Place: r.text.PlaceAt(m.Offset).String(),
		})
	}
	switch {
	case result.Err != nil:
		v.Error = result.Err.Error()
	case !result.Holds:
		r.unwanted(j, &v)
	default:
		r.fire(j, &v)
	}
	return v
}

// owe freezes the messages of a rule that fired. A step whose time cannot be told owes nothing, one whose order cannot be told
// is in none; either is the rule's error.
func (r *rule) owe(j *judging, v *Explanation) {
	for i := range r.steps {
		owed, absent, err := r.steps[i].owe(r, i, j)
		v.owes(owed, err)
		v.Absent = append(v.Absent, absent...)
	}
}

// unwanted is what is owed to the rows that the rule has synced once its entry is deleted, or wanted no more. An event
// that the rule does not listen to says nothing of that.
func (r *rule) unwanted(j *judging, v *Explanation) {
	if j.event.Event != peanuts.EntryDeleted && !r.wants(j.event.Event, j.known.Own) {
		return
	}
	for i := range r.steps {
		owed, err := r.steps[i].remove(r, i, j)
		v.owes(owed, err)
	}
}

// owes notes what a step owes, and the first error of those that it tells.
func (v *Explanation) owes(owed []Owed, err error) {
	v.Owed = append(v.Owed, owed...)
	if err != nil && v.Error == "" {
		v.Error = err.Error()
	}
}

func (r *rule) explain(j *judging) Explanation {
	if r.disabled {
		return Explanation{Rule: r.name, Place: r.place, Disabled: true}
	}
	if !r.wants(j.event.Event, j.known.Own) {
		v := Explanation{
			Rule: r.name, Place: r.place, Shadow: r.shadow,
			Because: []Because{{Expr: r.onText(j), Value: j.event.Event, Place: r.place.String()}},
		}
		r.unwanted(j, &v)
		return v
	}
	v := r.judge(j)
	for _, reason := range r.when.Why(j.Scope) {
		because := Because{Expr: reason.Expr, Value: briefly(reason.Value), Holds: reason.Holds, Place: r.text.PlaceAt(reason.Offset).String()}
		if reason.Err != nil {
			because.Error = reason.Err.Error()
		}
		v.Because = append(v.Because, because)
	}
	return v
}

// onText is why the rule is not judged for an event, as a condition that people can read.
func (r *rule) onText(j *judging) string {
	switch event := j.event.Event; {
	case r.on == nil && j.known.Own:
		return fmt.Sprintf("not (event startsWith %q)", rulefile.RouterPrefix)
	case r.on[event]:
		return fmt.Sprintf("event == %q, raised by the router itself", event)
	case r.on == nil:
		return fmt.Sprintf("event != %q", peanuts.EntryDeleted)
	}
	return "event in " + quotedList(r.on)
}
