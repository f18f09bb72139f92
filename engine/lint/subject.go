package lint

import (
	"github.com/peanuts-router/peanuts-router/engine/condition"
	"github.com/peanuts-router/peanuts-router/engine/rulefile"
)

// rule is a rule with what its expressions say.
type rule struct {
	*rulefile.Rule
	when  *condition.Outline
	exprs []expression // all of them, the condition first
}

// judged are the rules that are not disabled.
func (c *linter) judged() []*rule {
	var judged []*rule
	for i := range c.rules {
		if !c.rules[i].Disabled.Value {
			judged = append(judged, &c.rules[i])
		}
	}
	return judged
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
	r.exprs = c.expressions(nil, from.When, from.OncePer)
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
