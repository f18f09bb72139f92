package ruletest

import (
	"slices"

	"github.com/peanuts-router/peanuts-router/engine"
	"github.com/peanuts-router/peanuts-router/engine/rehearsal"
	"github.com/peanuts-router/peanuts-router/engine/rulefile"
	"github.com/peanuts-router/peanuts-router/peanuts"
)

// Result is what came of one test.
type Result struct {
	Name     string
	Place    rulefile.Place
	Failures []Failure // none: it passed
}

// Failure is a way in which a test failed.
type Failure struct {
	// Place is that of the expectation, or of the event, or the test, that was not as expected.
	Place   rulefile.Place
	Kind    FailureKind
	Message string   // in one line
	Detail  []string // how it differs, or what it is, or why it is not there
}

// FailureKind tells failures apart.
type FailureKind string

// The kinds of failure.
const (
	Missing    FailureKind = "missing"    // expected, and not sent
	Different  FailureKind = "different"  // sent, and not as expected
	Unexpected FailureKind = "unexpected" // sent, and not expected
)

// Run runs every test of the suite.
func (s *Suite) Run() []Result {
	results := make([]Result, len(s.Tests))
	for i := range s.Tests {
		run := &run{test: &s.Tests[i], rules: s.Rules}
		results[i] = Result{Name: s.Tests[i].Name, Place: s.Tests[i].Place, Failures: run.play()}
	}
	return results
}

// run is one test that is run.
type run struct {
	test     *Test
	rules    *engine.Rules
	found    [][]finding // by step
	why      [][]engine.Explanation
	told     []*peanuts.Event
	stepOf   []int // by the number of an event
	repeated map[int]int
	failures []Failure
}

// play tells the events of the test, and compares what is found with what is expected.
func (r *run) play() []Failure {
	r.found, r.why = make([][]finding, len(r.test.steps)), make([][]engine.Explanation, len(r.test.steps))
	r.repeated = map[int]int{}
	stage := rehearsal.New(rehearsal.Config{Rules: r.rules, Explain: true})
	for i := range r.test.steps {
		r.perform(stage, i)
	}
	r.sent(len(r.test.steps)-1, stage.Finish())
	r.compare()
	return r.failures
}

func (r *run) sent(step int, deliveries []*rehearsal.Delivery) {
	if step >= 0 {
		r.found[step] = append(r.found[step], sent(deliveries, r.told, r.rules.Zone())...)
	}
}

// perform has time reach a step, and its event arrive. What was sent on the way belongs to the step before.
func (r *run) perform(stage *rehearsal.Rehearsal, n int) {
	step := &r.test.steps[n]
	if step.event == nil {
		r.sent(n-1, stage.Walk(step.at))
		return
	}
	r.told, r.stepOf = append(r.told, step.event), append(r.stepOf, n)
	tell := stage.Tell
	if engine.IsOwnName(step.event.Event) { // nobody writes a test of what the router raises to have it come from outside
		tell = stage.TellOwn
	}
	o := tell(step.event, step.at)
	r.sent(n-1, o.Before)
	if o.Duplicate {
		r.repeated[n] = r.stepOf[o.First]
	}
	r.why[n] = o.Explained
	r.found[n] = append(r.found[n], faults(o.Judgement, step.at)...)
	r.sent(n, o.Owed)
}

// compare holds each step against its expectations, and all of them against those of the test. A fault fails the test
// wherever nobody speaks of it.
func (r *run) compare() {
	for n := range r.test.steps {
		step := &r.test.steps[n]
		switch {
		case step.checked:
			r.hold(step.wants, r.found[n], step.place, n, n)
		case !r.test.checked:
			r.hold(nil, slices.DeleteFunc(slices.Clone(r.found[n]), func(f finding) bool { return !f.isFault() }), step.place, n, n)
		}
	}
	if r.test.checked {
		r.hold(r.test.wants, slices.Concat(r.found...), r.test.Place, 0, len(r.test.steps)-1)
	}
}

// isFault tells of what was to be sent, or judged, and could not be.
func (f finding) isFault() bool { return f.fields["dead"] != nil || f.fields["error"] != nil }

// hold compares what was found in some steps, from one to another, with what was expected there.
func (r *run) hold(wants []want, found []finding, place rulefile.Place, from, to int) {
	findingOf := match(wants, found)
	left := map[int]bool{}
	for f := range found {
		left[f] = !slices.Contains(findingOf, f)
	}
	for w, f := range findingOf {
		if f >= 0 {
			continue
		}
		if near := nearest(wants[w], found, left); near >= 0 {
			left[near] = false
			r.fail(wants[w].place, Different, found[near].String()+" is not as expected (- expected, + found)", wants[w].difference(found[near]))
			continue
		}
		r.fail(wants[w].place, Missing, wants[w].String()+" was expected and did not happen", r.reasons(wants[w], from, to))
	}
	for f, one := range found {
		if left[f] && !one.aside {
			r.fail(place, Unexpected, one.String()+" "+one.became()+", which was not expected", one.lines())
		}
	}
}

func (r *run) fail(place rulefile.Place, kind FailureKind, message string, detail []string) {
	r.failures = append(r.failures, Failure{Place: place, Kind: kind, Message: message, Detail: detail})
}

// nearest is the finding that is left and most like a want; -1 when none is.
func nearest(w want, found []finding, left map[int]bool) int {
	best, most := -1, 0
	for f, one := range found {
		if near := w.nearness(one); left[f] && (!one.aside || one.shadow) && near > most {
			best, most = f, near
		}
	}
	return best
}

// String names what is wanted.
func (w want) String() string {
	text := finding{rule: w.rule, action: w.action, shadow: w.shadow}.String()
	if w.rule == "" {
		text = finding{rule: w.action, shadow: w.shadow}.String()
	}
	if !w.at.IsZero() {
		text += " at " + timeText(w.at)
	}
	return text
}
