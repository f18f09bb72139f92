package lint

import (
	"strings"
	"time"
	"unicode/utf8"

	"github.com/peanuts-router/peanuts-router/engine/condition"
	"github.com/peanuts-router/peanuts-router/engine/rulefile"
	"github.com/peanuts-router/peanuts-router/peanuts"
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

// rule is a rule with what its expressions say.
type rule struct {
	*rulefile.Rule
	when  *condition.Outline
	exprs []expression // all of them, the condition first
}

// stat is a stat with what its expressions say.
type stat struct {
	*rulefile.Stat
	when  *condition.Outline
	exprs []expression
}

// expression is one expression, or one {{ }} of a template, and the text that it stands in.
type expression struct {
	in      rulefile.Text
	source  string
	outline *condition.Outline
	hole    *condition.Hole // nil of what is no template
}

func (c *linter) rule(from *rulefile.Rule) rule {
	r := rule{Rule: from, when: c.dialect.Outline(from.When.Value)}
	r.exprs = c.expressions(nil, from.When)
	for i := range from.Then {
		step := &from.Then[i]
		r.exprs = c.expressions(r.exprs, step.At)
		for _, template := range templatesOf(step) {
			r.exprs = c.templates(r.exprs, template)
		}
	}
	return r
}

func (c *linter) stat(from *rulefile.Stat) stat {
	s := stat{Stat: from, when: c.dialect.Outline(from.When.Value)}
	s.exprs = c.expressions(nil, from.When, from.Exclude, from.Value, from.GroupBy, from.Unit)
	return s
}

func (c *linter) expressions(all []expression, texts ...rulefile.Text) []expression {
	for _, text := range texts {
		if outline := c.dialect.Outline(text.Value); outline != nil && text.IsSet() {
			all = append(all, expression{in: text, source: text.Value, outline: outline})
		}
	}
	return all
}

func (c *linter) templates(all []expression, templates ...rulefile.Template) []expression {
	for _, template := range templates {
		for _, hole := range c.dialect.Holes(template.Value) {
			all = append(all, expression{in: template.Text, source: hole.Source, outline: hole.Expression, hole: &hole})
		}
	}
	return all
}

// templatesOf are all templates of a step.
func templatesOf(s *rulefile.Step) []rulefile.Template {
	all := []rulefile.Template{s.Text, s.Channel, s.Subject, s.HTML, s.Body}
	all = append(all, s.To...)
	for _, header := range s.Headers {
		all = append(all, header.Value)
	}
	all = appendLeaves(all, s.Blocks)
	all = appendLeaves(all, s.JSON)
	for _, column := range s.Upsert.Columns {
		all = appendLeaves(all, column.Value)
	}
	return all
}

func appendLeaves(all []rulefile.Template, tree *rulefile.Tree) []rulefile.Template {
	if tree == nil {
		return all
	}
	if tree.Scalar != nil {
		all = append(all, *tree.Scalar)
	}
	for _, item := range tree.List {
		all = appendLeaves(all, item)
	}
	for _, member := range tree.Members {
		all = appendLeaves(all, member.Value)
	}
	return all
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

// wants tells whether an event reaches a rule.
func (r *rule) wants(event string) bool {
	if !r.hasOn() {
		return event != peanuts.EntryDeleted && !isRouterEvent(event)
	}
	for _, wanted := range r.On {
		if wanted.Value == event {
			return true
		}
	}
	return false
}

func (r *rule) hasOn() bool { return len(r.On) > 0 }

// given is what is certain of the events that reach a rule.
func (r *rule) given() condition.Given {
	if !r.hasOn() {
		return condition.Given{"event": {Except: append([]string{peanuts.EntryDeleted}, routerEvents()...)}}
	}
	only := []string{}
	for _, event := range r.On {
		only = append(only, event.Value)
	}
	return condition.Given{"event": {Only: only}}
}

// routerEvents are the events that the router raises itself; only rules that name them hear of them.
func routerEvents() []string {
	return []string{"router.failure_spike", "router.failure_recovered", "router.dead_letter", "router.reload_failed"}
}

func isRouterEvent(event string) bool { return strings.HasPrefix(event, "router.") }
