package lint

import (
	"fmt"
	"strings"

	"github.com/peanuts-router/peanuts-router/engine/condition"
)

// samples judges each rule with the samples, and renders its templates with those that it fires for.
func (c *linter) samples(seen *Seen) {
	if len(seen.samples) == 0 {
		return
	}
	for _, r := range c.judged() {
		fired := c.fired(r, seen)
		if len(fired) == 0 {
			continue
		}
		for _, e := range r.exprs[1:] {
			c.rendered(e, fired, seen)
		}
	}
}

// fired are the samples that a rule fires for. One that it fails with is told.
func (c *linter) fired(r *rule, seen *Seen) []sample {
	when, err := c.dialect.Condition(r.When.Value)
	if err != nil {
		return nil
	}
	var fired []sample
	told := false
	for _, s := range seen.samples {
		if !r.wants(s.event.Event) {
			continue
		}
		result := when.Judge(condition.NewScope(s.event, seen.moment(s.event), nil))
		if result.Err != nil && !told && !c.isUnknown(r.exprs[0]) {
			told = true
			c.tellWhole(r.When, FailsSamples, fmt.Sprintf("the condition fails with %s: %v", s.name, result.Err), "")
		}
		if result.Holds {
			fired = append(fired, s)
		}
	}
	return fired
}

// rendered evaluates an expression with samples. It tells when one of them makes it fail, and when a {{ }} prints as
// nothing with all of them.
func (c *linter) rendered(e expression, fired []sample, seen *Seen) {
	expression, err := c.dialect.Expression(e.source)
	if err != nil {
		return
	}
	absent := true
	for _, s := range fired {
		_, there, err := expression.Text(condition.NewScope(s.event, seen.moment(s.event), nil))
		if err != nil && c.isUnknown(e) {
			return // it is no wonder then
		}
		if err != nil {
			c.tellExpression(e, FailsSamples, fmt.Sprintf("this fails with %s: %v", s.name, err))
			return
		}
		absent = absent && !there
	}
	if absent && e.hole != nil && !readsOld(e.outline) && !c.isUnknown(e) {
		c.tellExpression(e, AbsentSamples, fmt.Sprintf("this prints as nothing: %s is absent from %s that the rule fires for",
			strings.TrimSpace(e.source), samplesText(fired)))
	}
}

func samplesText(fired []sample) string {
	if len(fired) == 1 {
		return fired[0].name + ", the only sample"
	}
	return fmt.Sprintf("all %d samples", len(fired))
}

func (c *linter) tellExpression(e expression, code, message string) {
	if e.hole != nil {
		c.tell(e.in, e.hole.Offset, e.hole.Length, code, message, "")
		return
	}
	c.tellWhole(e.in, code, message, "")
}

// readsOld tells whether an expression looks at the version before, which samples have none of.
func readsOld(o *condition.Outline) bool {
	found := false
	o.Each(func(part *condition.Outline) { found = found || part.Kind == condition.Path && part.Path[0] == "old" })
	return found
}

// isUnknown tells whether a field of the expression has been told to be unknown.
func (c *linter) isUnknown(e expression) bool {
	told := map[string]bool{}
	for _, p := range c.problems {
		if p.Code == UnknownField {
			told[p.Place.String()] = true
		}
	}
	found := false
	e.outline.Each(func(part *condition.Outline) { found = found || told[e.in.PlaceAt(part.Offset).String()] })
	return found
}
