package lint

import (
	"fmt"
	"slices"
	"strings"

	"github.com/peanuts-router/peanuts-router/engine/condition"
)

// certainties finds rules that never fire, or for every event, and stats that count nothing.
func (c *linter) certainties() {
	for _, r := range c.judged() {
		c.certainty(r)
	}
	for _, s := range c.stats {
		if s.when == nil {
			continue
		}
		if never := s.when.Certain(nil).Never; never != nil {
			c.tellOf(s.When, never.Part, NeverFires, "no entry can ever be in this stat: "+why(never), "")
		}
	}
}

func (c *linter) certainty(r *rule) {
	if r.when == nil {
		return
	}
	asked := c.askedInVain(r)
	certainty := r.when.Certain(r.given())
	switch {
	case certainty.Never != nil:
		anyhow := r.when.Certain(nil).Never
		switch {
		case anyhow != nil:
			c.tellOf(r.When, anyhow.Part, NeverFires, "the rule can never fire: "+why(anyhow), "")
		case !asked:
			c.tellOf(r.When, certainty.Never.Part, NeverFires, "the rule can never fire: no event that reaches it meets this", "name the event in on:")
		}
	case certainty.Always && !r.hearsOnlyTheRouter():
		c.tellWhole(r.When, AlwaysFires, "the rule fires for every event that reaches it", "narrow the condition, to a helper for example")
	}
}

// hearsOnlyTheRouter tells whether on: alone says all that there is to say: the router's own events have one helper.
func (r *rule) hearsOnlyTheRouter() bool {
	for _, event := range r.On {
		if !isRouterEvent(event.Value) {
			return false
		}
	}
	return r.hasOn()
}

func why(never *condition.Contradiction) string {
	if never.Beside != nil {
		return "this contradicts " + never.Beside.Text
	}
	return "this never holds"
}

// askedInVain finds events that the condition asks for, and that do not reach the rule.
func (c *linter) askedInVain(r *rule) (found bool) {
	var all []string
	askedFor(r.when, true, func(_ *condition.Outline, event string) { all = append(all, event) })
	askedFor(r.when, true, func(part *condition.Outline, event string) {
		if event == "" || r.wants(event) {
			return
		}
		found = true
		hint := fmt.Sprintf("add %s to on:, or leave it out of the condition", event)
		if !r.hasOn() {
			hint = fmt.Sprintf("name what the rule is to hear of, as in on: [%s]", strings.Join(all, ", "))
		}
		c.tellOf(r.When, part, EventNotInOn, fmt.Sprintf("the condition asks for %s, which never reaches the rule", event), hint)
	})
	return found
}

// askedFor calls see for every name of an event that a condition asks for: event == "name", not event != "name".
func askedFor(o *condition.Outline, positive bool, see func(part *condition.Outline, event string)) {
	if o.Kind != condition.Operation {
		return
	}
	switch o.Operator {
	case "&&", "||":
		for _, operand := range o.Operands {
			askedFor(operand, positive, see)
		}
	case "not":
		askedFor(o.Operands[0], !positive, see)
	case "==", "!=", "in":
		if positive != (o.Operator == "!=") {
			for _, event := range comparedTexts(o, "event") {
				see(o, event)
			}
		}
	}
}

// comparedTexts are the texts that a comparison holds a path against.
func comparedTexts(o *condition.Outline, path string) []string {
	if !slices.Contains([]string{"==", "!=", "in"}, o.Operator) {
		return nil
	}
	found, constant, ok := againstConstant(o)
	if !ok || condition.PathText(found.Path) != path {
		return nil
	}
	list, isList := constant.Value.([]any)
	if !isList {
		list = []any{constant.Value}
	}
	var texts []string
	for _, item := range list {
		if text, isText := item.(string); isText {
			texts = append(texts, text)
		}
	}
	return texts
}

// againstConstant takes a comparison of a path with a constant apart.
func againstConstant(o *condition.Outline) (path, constant *condition.Outline, ok bool) {
	if o.Kind != condition.Operation || len(o.Operands) != 2 {
		return nil, nil, false
	}
	left, right := o.Operands[0], o.Operands[1]
	if left.Kind == condition.Constant {
		left, right = right, left
	}
	return left, right, left.Kind == condition.Path && right.Kind == condition.Constant
}
