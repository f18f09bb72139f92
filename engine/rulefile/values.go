package rulefile

import (
	"encoding/json"
	"strconv"
	"strings"
	"time"

	"gopkg.in/yaml.v3"
)

// anchored is what stands somewhere in a file.
type anchored struct {
	node   *yaml.Node
	source *Source
}

// Place is where it stands.
func (a anchored) Place() Place { return a.source.place(a.node) }

// IsSet tells whether the file says anything of it.
func (a anchored) IsSet() bool { return a.node != nil }

// Anchor is the place of a mapping.
type Anchor struct{ anchored }

// Text is a scalar.
type Text struct {
	anchored
	Value string // expanded
}

// Template is a scalar that may hold {{ }}. A variable's value in it never does.
type Template struct{ Text }

// PlaceAt is the place of a byte of the value. In a value with variables it is the place of the value.
func (t Text) PlaceAt(offset int) Place {
	if t.node == nil || t.node.Value != t.Value {
		return t.Place()
	}
	return t.source.placeIn(t.node, offset)
}

// Problem tells of something wrong within the value: length characters from a byte offset on.
func (t Text) Problem(offset, length int, code, message string) Problem {
	p := Problem{Place: t.PlaceAt(offset), Code: code, Message: message, source: t.source}
	if p.Place != t.Place() || offset == 0 {
		p.Length = length
	}
	if t.cutByComment() {
		p.Hint = "YAML takes \" #\" for the start of a comment; quote the value or use a block scalar (|)"
	}
	return p
}

// cutByComment tells whether a comment follows a plain value on its line: what was meant may have gone on there.
func (t Text) cutByComment() bool {
	return t.node != nil && t.node.Style == 0 && strings.HasPrefix(t.node.LineComment, "#")
}

func (t *Text) decode(w *walker, node *yaml.Node) {
	// What could not be read is there all the same: nobody is told that it is missing, too.
	value, _ := w.scalar(node, false)
	*t = Text{anchored: w.anchor(node), Value: value}
}

func (t *Template) decode(w *walker, node *yaml.Node) {
	value, _ := w.scalar(node, true)
	t.Text = Text{anchored: w.anchor(node), Value: value}
}

// Count is a whole number.
type Count struct {
	anchored
	Value int
	bad   bool // and a problem that has been told
}

func (c *Count) decode(w *walker, node *yaml.Node) {
	text, ok := c.read(w, node)
	if !ok {
		return
	}
	n, err := strconv.Atoi(text)
	if err != nil {
		w.problem(node, "bad-value", "must be a whole number")
		c.bad = true
		return
	}
	c.Value = n
}

// Number is a decimal number.
type Number struct {
	anchored
	Value float64
	bad   bool
}

func (n *Number) decode(w *walker, node *yaml.Node) {
	text, ok := n.read(w, node)
	if !ok {
		return
	}
	value, err := strconv.ParseFloat(text, 64)
	if err != nil || !isJSONNumber(text) {
		w.problem(node, "bad-value", "must be a number")
		n.bad = true
		return
	}
	n.Value = value
}

// Duration is a length of time, such as 30s, 5m or 2h30m.
type Duration struct {
	anchored
	Value time.Duration
}

func (d *Duration) decode(w *walker, node *yaml.Node) {
	text, ok := d.read(w, node)
	if !ok {
		return
	}
	value, err := time.ParseDuration(text)
	switch {
	case err != nil && isJSONNumber(text):
		w.problem(node, "bad-value", "must say its unit, as in "+text+"s")
	case err != nil:
		w.problem(node, "bad-value", "must be a duration such as 30s, 5m or 2h")
	case value <= 0:
		w.problem(node, "bad-value", "must be longer than nothing")
	default:
		d.Value = value
	}
}

// read gives the text of a scalar, and notes its place. A variable that is not set, which has been told, is as if nothing
// stood there. Where none is expanded it is a value like any other.
func (a *anchored) read(w *walker, node *yaml.Node) (text string, ok bool) {
	text, ok = w.scalar(node, false)
	if ok && w.expander != nil && isVariable(text) {
		return "", false
	}
	*a = w.anchor(node)
	return text, ok
}

// isVariable tells whether a variable that is not set stayed in a value as it was written.
func isVariable(text string) bool { return strings.Contains(text, "${") }

// isJSONNumber tells whether a text is exactly a JSON number.
func isJSONNumber(text string) bool {
	if text == "" || text[0] != '-' && (text[0] < '0' || text[0] > '9') {
		return false
	}
	return json.Valid([]byte(text))
}

// Tree is a YAML tree that becomes JSON. Just one of Scalar, List and Members is set, or Literal.
type Tree struct {
	anchored
	// Literal is a scalar that is no text, as JSON: true, false, null, or a number with the digits of the file. What
	// YAML would make of yes, 010 or 2026-11-23 stays text.
	Literal string
	Scalar  *Template
	List    []*Tree // not nil for an empty list
	Members []TreeMember
}

// TreeMember is a member of a mapping, in the order of the file.
type TreeMember struct {
	Name  string
	Value *Tree
}

func (t *Tree) decode(w *walker, node *yaml.Node) {
	t.anchored = w.anchor(node)
	switch node.Kind {
	case yaml.SequenceNode:
		t.List = make([]*Tree, 0, len(node.Content))
		for _, item := range node.Content {
			child := &Tree{}
			w.decodeInto(child, item)
			t.List = append(t.List, child)
		}
	case yaml.MappingNode:
		if w.bracesUnquoted(node) {
			return
		}
		w.members(node, func(key, value *yaml.Node) {
			child := &Tree{}
			w.decodeInto(child, value)
			t.Members = append(t.Members, TreeMember{Name: key.Value, Value: child})
		})
	default:
		t.decodeScalar(w, node)
	}
}

func (t *Tree) decodeScalar(w *walker, node *yaml.Node) {
	if w.badTag(node) {
		return
	}
	if node.Style&^yaml.TaggedStyle == 0 {
		switch {
		case node.Value == "" || node.Value == "~" || node.Value == "null":
			t.Literal = "null"
			return
		case node.Value == "true" || node.Value == "false" || isJSONNumber(node.Value):
			t.Literal = node.Value
			return
		}
	}
	t.Scalar = &Template{}
	t.Scalar.decode(w, node)
}
