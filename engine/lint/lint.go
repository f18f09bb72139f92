package lint

import (
	"strings"
	"time"
	"unicode/utf8"

	"github.com/peanuts-router/peanuts-router/engine/condition"
	"github.com/peanuts-router/peanuts-router/engine/rulefile"
)

// Check tells the findings on a file without errors, in the order of their places. A nil seen knows of no events.
func Check(file *rulefile.File, seen *Seen) rulefile.Problems {
	if seen == nil {
		seen = NewSeen(time.Time{})
	}
	c := newLinter(file)
	c.certainties()
	c.duplicates()
	c.actions()
	c.owners()
	c.reminders()
	c.routerEvents()
	c.upserts()
	c.textNumbers(seen)
	c.typos()
	c.fields(seen)
	c.samples(seen)
	problems := ignored(file, c.problems, seen)
	problems.Sort()
	return problems
}

// linter gathers the findings on one file.
type linter struct {
	file     *rulefile.File
	dialect  *condition.Dialect
	rules    []rule
	stats    []stat
	problems rulefile.Problems
}

func newLinter(file *rulefile.File) *linter {
	zone, err := time.LoadLocation(file.Timezone.Value)
	if err != nil {
		zone = time.UTC
	}
	c := &linter{file: file, dialect: condition.New(condition.Config{Zone: zone})}
	for i := range file.Rules {
		c.rules = append(c.rules, c.rule(&file.Rules[i]))
	}
	for i := range file.Stats {
		c.stats = append(c.stats, c.stat(&file.Stats[i]))
	}
	return c
}

// tell adds a finding on length bytes of a text from an offset on.
func (c *linter) tell(in rulefile.Text, offset, length int, code, message, hint string) {
	end := min(len(in.Value), offset+length)
	part, _, _ := strings.Cut(in.Value[min(offset, end):end], "\n")
	p := in.Problem(offset, utf8.RuneCountInString(part), code, message)
	p.Warning = true
	if hint != "" {
		p.Hint = hint
	}
	c.problems = append(c.problems, p)
}

// tellOf adds a finding on a part of an expression.
func (c *linter) tellOf(in rulefile.Text, part *condition.Outline, code, message, hint string) {
	c.tell(in, part.Offset, len(part.Text), code, message, hint)
}

// tellWhole adds a finding on a whole text.
func (c *linter) tellWhole(in rulefile.Text, code, message, hint string) {
	c.tell(in, 0, len(in.Value), code, message, hint)
}
