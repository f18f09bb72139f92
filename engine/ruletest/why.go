package ruletest

import (
	"fmt"
	"slices"
	"time"

	"github.com/peanuts-router/peanuts-router/engine"
	"github.com/peanuts-router/peanuts-router/engine/rehearsal"
)

// reasons tell why a rule sent nothing at the steps from one to another.
func (r *run) reasons(w want, from, to int) []string {
	var lines []string
	for n := from; n <= to; n++ {
		if first, repeated := r.repeated[n]; repeated {
			lines = append(lines, fmt.Sprintf("event %d has the same bytes as event %d: a duplicate, which no rule judges", n+1, first+1))
		}
		for _, e := range r.why[n] {
			if !w.concerns(e) {
				continue
			}
			for _, line := range r.reasonsOf(w, n, e) {
				if !slices.Contains(lines, line) {
					lines = append(lines, line)
				}
			}
		}
	}
	return lines
}

// concerns tells whether an explanation is of the rule that is wanted, or of one that owes something to the action.
func (w want) concerns(e engine.Explanation) bool {
	if w.rule != "" {
		return w.rule == string(e.Rule)
	}
	return slices.ContainsFunc(e.Owed, func(o engine.Owed) bool { return string(o.Action) == w.action })
}

// reasonsOf tell what kept a rule from doing what is wanted at a step; none when nothing did that it knows of.
func (r *run) reasonsOf(w want, n int, e engine.Explanation) []string {
	switch {
	case e.Error != "":
	case e.Disabled:
		return []string{fmt.Sprintf("%s is disabled: it is not judged", e.Rule)}
	case e.SuppressedBy != "":
		return []string{fmt.Sprintf("event %d is suppressed: event %d holds the claim of once_per on %s", n+1, r.stepOf[rehearsal.Number(e.SuppressedBy)]+1, e.OncePer)}
	case !e.Fired:
		return becauseOf(e)
	case e.Shadow && !w.shadow:
		return []string{fmt.Sprintf("%s is on trial: it fires, and nothing is sent; shadow: true expects that", e.Rule)}
	case w.shadow && !e.Shadow:
		return []string{fmt.Sprintf("%s is not on trial: what it owes is sent; leave shadow out", e.Rule)}
	}
	return nil
}

// becauseOf tells why the condition of a rule did not hold.
func becauseOf(e engine.Explanation) []string {
	var lines []string
	told := map[string]bool{}
	for _, m := range e.Mismatches {
		told[m.Expr] = true
		lines = append(lines, fmt.Sprintf("%s met %s, which it cannot compare", m.Expr, writeJSON(m.Value)))
	}
	for _, because := range e.Because {
		switch {
		case told[because.Expr]:
		case because.Value == nil:
			lines = append(lines, because.Expr+" is false: absent")
		default:
			lines = append(lines, fmt.Sprintf("%s is false: met %s", because.Expr, writeJSON(plainTime(because.Value))))
		}
	}
	return lines
}

// plainTime prints a time as a rule would; any other value stays.
func plainTime(value any) any {
	if at, ok := value.(time.Time); ok {
		return at.Format(time.RFC3339)
	}
	return value
}
