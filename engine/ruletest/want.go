package ruletest

import (
	"fmt"
	"net/textproto"
	"slices"
	"time"

	"github.com/peanuts-router/peanuts-router/engine"
	"github.com/peanuts-router/peanuts-router/engine/rulefile"
)

// want is a finding as it is to be; what is empty is not compared.
type want struct {
	place        rulefile.Place
	rule, action string
	at           time.Time
	shadow       bool
	fields       []wanted
}

// wanted is a field of it.
type wanted struct {
	field string
	value any
	part  bool // the field is to contain the value
}

func (w wanted) met(got any, there bool) bool {
	switch {
	case !there:
		return false
	case w.part:
		return contains(got, w.value)
	}
	return equal(got, w.value)
}

// wants reads expectations; checked is false when there is no list of them.
func (r *reader) wants(from *[]expectation) (wants []want, checked bool) {
	if from == nil {
		return nil, false
	}
	for i := range *from {
		if (*from)[i].Where.IsSet() { // else it is no expectation, which has been told
			wants = append(wants, r.want(&(*from)[i]))
		}
	}
	return wants, true
}

func (r *reader) want(from *expectation) want {
	w := want{place: from.Where.Place(), rule: from.Rule.Value, action: from.Action.Value, at: r.time(from.At), shadow: from.Shadow.Value}
	if w.rule == "" && w.action == "" {
		r.tell(from.Where.Fault("missing-key", "rule or action is missing"))
	}
	r.isKnown("rule", from.Rule, r.names)
	r.isKnown("action", from.Action, r.actions)
	action, _ := r.loaded.Action(engine.ActionName(w.action))
	for _, said := range from.fields() {
		if known := fieldsOf(action.Kind); action.Kind != "" && !slices.Contains(known, said.field) {
			p := said.tree.Fault("bad-value", fmt.Sprintf("an action of kind %s sends no %s", action.Kind, said.field))
			p.Hint = "it sends " + listed(known[:len(known)-3])
			r.tell(p)
		}
		if w.shadow && (said.field == "error" || said.field == "mismatch") {
			r.tell(from.Shadow.Fault("bad-value", fmt.Sprintf("shadow does not go with %s: a rule on trial is judged as any other; leave shadow out", said.field)))
		}
		w.fields = append(w.fields, r.wanted(said))
	}
	return w
}

// isKnown tells of a name that no rule or action has.
func (r *reader) isKnown(what string, name rulefile.Text, known []string) {
	if !name.IsSet() || slices.Contains(known, name.Value) {
		return
	}
	p := name.Fault("unknown-"+what, fmt.Sprintf("the rules have no %s %q", what, name.Value))
	p.Suggestion = rulefile.Meant(name.Value, known)
	r.tell(p)
}

// fieldsOf are the fields of what an action of a kind sends, and at the end those of what was not sent.
func fieldsOf(kind engine.Kind) []string {
	var fields []string
	switch kind {
	case engine.KindSlack:
		fields = []string{"channel", "text", "blocks"}
	case engine.KindEmail:
		fields = []string{"to", "subject", "text", "html"}
	case engine.KindHTTP:
		fields = []string{"headers", "json", "body"}
	case engine.KindSQL:
		fields = []string{"upsert", "delete", "mark"}
	}
	return append(fields, "dead", "error", "mismatch")
}

// wanted reads what a field is to be: a value, or {contains: a part of it}.
func (r *reader) wanted(from said) wanted {
	w := wanted{field: from.field}
	tree := from.tree
	if len(tree.Members) == 1 && tree.Members[0].Name == "contains" {
		w.part, tree = true, tree.Members[0].Value
	}
	w.value = valueOf(tree)
	switch from.field {
	case "blocks", "json", "upsert", "delete":
	case "to":
		if _, isList := w.value.([]any); !isList {
			w.value = []any{w.value}
		}
	case "headers":
		w.value = r.headers(from.tree, w.value)
	default:
		w.value = r.text(from, w.part, tree)
	}
	return w
}

// headers are header names as they are sent.
func (r *reader) headers(tree *rulefile.Tree, value any) any {
	members, ok := value.(map[string]any)
	if !ok {
		r.tell(tree.Fault("bad-value", "headers must be a mapping of header names to values"))
	}
	named := make(map[string]any, len(members))
	for name, value := range members {
		named[textproto.CanonicalMIMEHeaderKey(name)] = value
	}
	return named
}

// text is what a field of text is to be: a text, or the pieces that it is to contain.
func (r *reader) text(from said, part bool, tree *rulefile.Tree) any {
	if tree.Literal == "null" {
		r.tell(tree.Fault("no-value", from.field+" has no value"))
	}
	if text, ok := textOf(tree); ok {
		return text
	}
	var pieces []any
	for _, item := range tree.List {
		if piece, ok := textOf(item); ok {
			pieces = append(pieces, piece)
		}
	}
	if !part || len(pieces) == 0 || len(pieces) != len(tree.List) {
		p := from.tree.Fault("bad-value", from.field+" must be a text, {contains: a text} or {contains: [texts]}")
		if !part && len(from.tree.Members) == 1 {
			p.Suggestion = rulefile.Meant(from.tree.Members[0].Name, []string{"contains"})
		}
		r.tell(p)
	}
	return pieces
}
