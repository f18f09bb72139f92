package engine

import (
	"encoding/json"
	"net/textproto"

	"github.com/peanuts-router/peanuts-router/engine/condition"
	"github.com/peanuts-router/peanuts-router/engine/rulefile"
)

func (c *compiler) rule(from *rulefile.Rule, actions map[ActionName]Action) *rule {
	r := &rule{name: RuleName(from.Name.Value), place: from.Name.Place(), text: from.When, trial: c.trial(from)}
	for _, event := range from.On {
		if r.on == nil {
			r.on = map[string]bool{}
		}
		r.on[event.Value] = true
	}
	if from.When.Value != "" {
		when, err := c.dialect.Condition(from.When.Value)
		if err != nil {
			c.fault(from.When, err)
		}
		r.when = when
	}
	for i := range from.Then {
		if action, known := actions[ActionName(from.Then[i].Action.Value)]; known {
			r.steps = append(r.steps, step{
				action: action.Name, kind: action.Kind, message: c.message(&from.Then[i], action), at: c.expression(from.Then[i].At),
				table: c.table(&from.Then[i], action), order: c.orders[action.Name],
			})
		}
	}
	return r
}

// expression compiles an expression; nil when the file says none.
func (c *compiler) expression(from rulefile.Text) *condition.Expression {
	if !from.IsSet() || from.Value == "" {
		return nil
	}
	compiled, err := c.dialect.Expression(from.Value)
	if err != nil {
		c.fault(from, err)
	}
	return compiled
}

// message compiles what a step says to an action.
func (c *compiler) message(s *rulefile.Step, action Action) message {
	switch action.Kind {
	case KindSQL:
		return c.sql(s, action.Settings.(*SQLSettings))
	case KindSlack:
		return &slackStep{
			channel: c.template(s.Channel, condition.Plain),
			text:    c.template(s.Text, condition.Slack),
			blocks:  c.tree(s.Blocks, condition.Slack),
		}
	case KindEmail:
		return &emailStep{
			to:      c.templates(s.To, condition.Header),
			subject: c.template(s.Subject, condition.Header),
			text:    c.template(s.Text, condition.Plain),
			html:    c.template(s.HTML, condition.HTML),
		}
	default:
		return &httpStep{
			headers: c.headers(s.Headers),
			json:    c.tree(s.JSON, condition.Plain),
			body:    c.template(s.Body, condition.Plain),
		}
	}
}

func (c *compiler) headers(from rulefile.Headers) map[string]*condition.Template {
	headers := make(map[string]*condition.Template, len(from))
	for _, header := range from {
		headers[textproto.CanonicalMIMEHeaderKey(header.Name.Value)] = c.template(header.Value, condition.Header)
	}
	return headers
}

func (c *compiler) tree(from *rulefile.Tree, sink condition.Sink) *tree {
	switch {
	case from == nil:
		return nil
	case from.Literal != "":
		return &tree{literal: json.RawMessage(from.Literal)}
	case from.Scalar != nil:
		return c.leaf(*from.Scalar, sink)
	case from.List != nil:
		list := make([]*tree, len(from.List))
		for i, item := range from.List {
			list[i] = c.tree(item, sink)
		}
		return &tree{list: list}
	}
	t := &tree{}
	for _, m := range from.Members {
		name, err := marshal(m.Name)
		if err != nil {
			name = json.RawMessage(`""`)
		}
		t.members = append(t.members, member{name: name, value: c.tree(m.Value, sink)})
	}
	return t
}

func (c *compiler) leaf(from rulefile.Template, sink condition.Sink) *tree {
	leaf, err := c.dialect.Leaf(from.Value, sink)
	if err != nil {
		c.fault(from.Text, err)
	}
	return &tree{leaf: leaf}
}
