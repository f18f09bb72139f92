package ruletest

import (
	"fmt"
	"time"

	"github.com/peanuts-router/peanuts-router/engine"
)

// reasons tell why a rule sent nothing at the steps from one to another.
func (r *run) reasons(w want, from, to int) []string {
	var lines []string
	for n := from; n <= to; n++ {
		if first, repeated := r.repeated[n]; repeated {
			lines = append(lines, fmt.Sprintf("event %d has the same bytes as event %d: a duplicate, which no rule judges", n+1, first+1))
		}
		for _, e := range r.why[n] {
			if string(e.Rule) == w.rule && !e.Fired && e.Error == "" {
				lines = append(lines, becauseOf(e)...)
			}
		}
	}
	return lines
}

// becauseOf tells why a rule did not fire.
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
