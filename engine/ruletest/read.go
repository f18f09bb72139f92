package ruletest

import (
	"fmt"
	"path/filepath"
	"time"

	"github.com/peanuts-router/peanuts-router/engine"
	"github.com/peanuts-router/peanuts-router/engine/rulefile"
	"github.com/peanuts-router/peanuts-router/peanuts"
)

// Suite is a test file that was read well, with the rules that it tests.
type Suite struct {
	Path  string
	Rules *engine.Rules
	Tests []Test
}

// Test is one test.
type Test struct {
	Name  string
	Place rulefile.Place
	steps []step
	// wants are what is to be found in all; checked is false when the test does not say.
	wants   []want
	checked bool
}

// step is one occasion of a test.
type step struct {
	place rulefile.Place
	at    time.Time
	event *peanuts.Event // nil: time has passed
	// wants are what is to be found until the next occasion.
	wants   []want
	checked bool
}

// Load reads a test file with the rules that it names, beside it. With problems that are more than warnings there is no
// suite.
func Load(path string, o engine.Options) (*Suite, rulefile.Problems) {
	var f file
	problems := rulefile.Read(path, "a test file", &f)
	if problems.Failed() && !f.Rules.IsSet() && len(f.Tests) == 0 {
		return nil, problems // there is nothing else to tell of
	}
	r := &reader{path: path, problems: problems, named: map[string]rulefile.Text{}}
	suite := &Suite{Path: path, Rules: r.rules(f.Rules, o)}
	if suite.Rules == nil {
		return nil, r.problems
	}
	if len(f.Tests) == 0 {
		r.tell(f.Rules.Fault("missing-key", "tests is missing, or names no test"))
	}
	for i := range f.Tests {
		if f.Tests[i].Where.IsSet() { // else it is no test, which has been told
			suite.Tests = append(suite.Tests, r.test(&f.Tests[i]))
		}
	}
	r.problems.Sort()
	if r.problems.Failed() {
		return nil, r.problems
	}
	return suite, r.problems
}

// reader turns a file into tests and gathers what is wrong with it.
type reader struct {
	path     string
	loaded   *engine.Rules
	names    []string // of the rules
	actions  []string
	named    map[string]rulefile.Text
	problems rulefile.Problems
}

func (r *reader) tell(p rulefile.Problem) { r.problems = append(r.problems, p) }

// rules loads the rules that a file tests; nil when that cannot be done.
func (r *reader) rules(from rulefile.Text, o engine.Options) *engine.Rules {
	if from.Value == "" {
		r.tell(rulefile.Problem{
			Place: rulefile.Place{File: r.path, Line: 1, Column: 1}, Code: "missing-key",
			Message: "rules is missing: the rules file that is tested, relative to this one",
		})
		return nil
	}
	path := from.Value
	if !filepath.IsAbs(path) {
		path = filepath.Join(filepath.Dir(r.path), path)
	}
	rules, problems := engine.Load(path, o)
	if rules == nil {
		r.problems = append(r.problems, problems.Errors()...)
		return nil
	}
	r.loaded = rules
	for _, name := range rules.Names() {
		r.names = append(r.names, string(name))
	}
	for _, name := range rules.Actions() {
		r.actions = append(r.actions, string(name))
	}
	return rules
}

func (r *reader) test(from *test) Test {
	t := Test{Name: from.Name.Value, Place: from.Where.Place()}
	switch first, twice := r.named[t.Name]; {
	case t.Name == "":
		r.tell(from.Where.Fault("missing-key", "name is missing"))
	case twice:
		r.tell(from.Name.Fault("repeated-name", fmt.Sprintf("the test %q is there already, at %s", t.Name, first.Place())))
	default:
		r.named[t.Name], t.Place = from.Name, from.Name.Place()
	}
	t.wants, t.checked = r.wants(from.Expect)
	if len(from.Events) == 0 {
		if !t.checked {
			r.tell(from.Where.Fault("missing-key", "expect is missing; an empty list, [], expects silence"))
		}
		own := from.own()
		t.steps = append(t.steps, r.step(&own, time.Time{}, true))
		return t
	}
	r.alone(from)
	before, checked := time.Time{}, t.checked
	for i := range from.Events {
		if !from.Events[i].Where.IsSet() {
			continue
		}
		one := r.step(&from.Events[i], before, false)
		before, checked = one.at, checked || one.checked
		t.steps = append(t.steps, one)
	}
	if !checked {
		r.tell(from.Where.Fault("missing-key", "expect is missing, of the test or of one of its events; an empty list, [], expects silence"))
	}
	return t
}

// alone refuses an event of its own beside a list of them.
func (r *reader) alone(t *test) {
	for _, key := range []struct {
		name  string
		value interface {
			IsSet() bool
			Fault(code, message string) rulefile.Problem
		}
		there bool
	}{{"at", t.At, t.At.IsSet()}, {"payload", t.Payload, t.Payload.IsSet()}, {"event", t.Event, t.Event != nil}, {"set", t.Set, t.Set.IsSet()}} {
		if key.there {
			r.tell(key.value.Fault("bad-value", key.name+" does not go with events; write it into one of them"))
		}
	}
}

// step reads an occasion that comes after another. Only in a row of several may time pass without an event.
func (r *reader) step(o *occasion, before time.Time, alone bool) step {
	s := step{place: o.Where.Place()}
	s.wants, s.checked = r.wants(o.Expect)
	switch {
	case o.Event != nil && o.Payload.IsSet():
		r.tell(o.Payload.Fault("bad-value", "payload and event do not go together"))
	case o.Event != nil || o.Payload.IsSet():
		s.event, s.at = r.event(o)
	case alone:
		r.tell(o.Where.Fault("missing-key", "payload, event or events is missing"))
	case !o.At.IsSet() || !s.checked:
		r.tell(o.Where.Fault("missing-key", "payload or event is missing; a moment at which nothing arrives has at and expect"))
	default:
		s.at = r.time(o.At)
	}
	if s.at.Before(before) && !s.at.IsZero() {
		where := o.Where.Fault
		if o.At.IsSet() {
			where = o.At.Fault
		}
		r.tell(where("bad-value", fmt.Sprintf("%s is before the event above it, which came at %s: time does not go back. A late event has a timestamp that is earlier than its at",
			s.at.Format(time.RFC3339), before.Format(time.RFC3339))))
	}
	return s
}

// time reads a time; zero for none.
func (r *reader) time(from rulefile.Text) time.Time {
	if !from.IsSet() {
		return time.Time{}
	}
	at, err := r.loaded.Time(from.Value)
	if err != nil {
		r.tell(from.Fault("bad-value", `this is no time such as 2026-11-27T18:00:00Z or "2026-11-27 18:00", which is in the zone of the rules`))
	}
	return at.In(r.loaded.Zone())
}
