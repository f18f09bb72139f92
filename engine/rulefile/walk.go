package rulefile

import (
	"fmt"
	"reflect"
	"strings"
	"unicode/utf8"

	"github.com/agnivade/levenshtein"
	"gopkg.in/yaml.v3"
)

const (
	maxSteps = 3_000_000 // how many nodes are walked, aliases counted each time they are followed
	maxDepth = 64
)

// walker reads a tree of YAML nodes into our types and gathers what is wrong.
type walker struct {
	source   *Source
	expander *expander // nil outside `actions`
	problems Problems
	steps    int
	depth    int
	keys     []string // on the way to the node that is read
}

// decoder is a type that reads itself from a node.
type decoder interface {
	decode(w *walker, node *yaml.Node)
}

func (w *walker) anchor(node *yaml.Node) anchored { return anchored{node: node, source: w.source} }

func (w *walker) problem(node *yaml.Node, code, message string) {
	w.add(node, Problem{Code: code, Message: w.subject() + message})
}

func (w *walker) add(node *yaml.Node, p Problem) {
	p.Place, p.source = w.source.place(node), w.source
	if p.Length == 0 && node.Kind == yaml.ScalarNode && !strings.Contains(node.Value, "\n") {
		p.Length = utf8.RuneCountInString(node.Value)
		if node.Style&(yaml.DoubleQuotedStyle|yaml.SingleQuotedStyle) != 0 {
			p.Length += 2
		}
	}
	w.problems = append(w.problems, p)
}

// subject names what a message speaks of: the key whose value is read.
func (w *walker) subject() string {
	if len(w.keys) == 0 {
		return "the file "
	}
	return w.keys[len(w.keys)-1] + " "
}

// decodeInto reads a node into a pointer to one of our types, following an alias.
func (w *walker) decodeInto(into any, node *yaml.Node) {
	w.steps++
	w.depth++
	defer func() { w.depth-- }()
	if w.steps > maxSteps || w.depth > maxDepth {
		if w.steps <= maxSteps+1 || w.depth == maxDepth+1 {
			w.steps = max(w.steps, maxSteps+1)
			w.problem(node, "too-large", "is nested too deep, or grows too large through its aliases")
			w.steps++
		}
		return
	}
	if node.Kind == yaml.AliasNode {
		w.decodeInto(into, node.Alias)
		return
	}
	if d, ok := into.(decoder); ok {
		d.decode(w, node)
		return
	}
	w.decodeValue(reflect.ValueOf(into).Elem(), node)
}

func (w *walker) decodeValue(into reflect.Value, node *yaml.Node) {
	switch into.Kind() {
	case reflect.Pointer:
		into.Set(reflect.New(into.Type().Elem()))
		w.decodeInto(into.Interface(), node)
	case reflect.Slice:
		w.decodeList(into, node)
	case reflect.Struct:
		w.decodeStruct(into, node)
	}
}

func (w *walker) decodeList(into reflect.Value, node *yaml.Node) {
	if node.Kind != yaml.SequenceNode {
		w.problem(node, "bad-value", "must be a list")
		return
	}
	for _, item := range node.Content {
		element := reflect.New(into.Type().Elem())
		w.decodeInto(element.Interface(), item)
		into.Set(reflect.Append(into, element.Elem()))
	}
}

func (w *walker) decodeStruct(into reflect.Value, node *yaml.Node) {
	if node.Kind != yaml.MappingNode {
		w.problem(node, "bad-value", "must be a mapping of "+strings.Join(keysOf(into.Type()), ", "))
		return
	}
	if at := into.FieldByName("Where"); at.IsValid() {
		at.Set(reflect.ValueOf(Anchor{w.anchor(node)}))
	}
	w.members(node, func(key, value *yaml.Node) {
		field, ok := fieldFor(into.Type(), key.Value)
		if !ok {
			w.unknownKey(key, keysOf(into.Type()))
			return
		}
		w.within(key.Value, func() {
			outer := w.expander
			if field.Tag.Get("expand") == "" && into.Type() == reflect.TypeFor[File]() {
				w.expander = nil
			}
			w.decodeInto(into.FieldByIndex(field.Index).Addr().Interface(), value)
			w.expander = outer
		})
	})
}

// members calls each for every member of a mapping, refusing what YAML allows and we do not.
func (w *walker) members(node *yaml.Node, each func(key, value *yaml.Node)) {
	seen := map[string]int{}
	for i := 0; i+1 < len(node.Content); i += 2 {
		key, value := node.Content[i], node.Content[i+1]
		switch first, twice := seen[key.Value]; {
		case key.Kind != yaml.ScalarNode:
			w.add(key, Problem{Code: "bad-key", Message: "a key must be text"})
		case key.Tag == "!!merge":
			w.add(key, Problem{Code: "bad-key", Message: "merge keys (<<) are not taken; write the values out"})
		case twice:
			w.add(key, Problem{Code: "repeated-key", Message: fmt.Sprintf("the key %q stands twice, first in line %d", key.Value, first)})
		default:
			seen[key.Value] = key.Line
			each(key, value)
		}
	}
}

func (w *walker) within(key string, do func()) {
	w.keys = append(w.keys, key)
	do()
	w.keys = w.keys[:len(w.keys)-1]
}

func (w *walker) unknownKey(key *yaml.Node, known []string) {
	p := Problem{Code: "unknown-key", Message: fmt.Sprintf("unknown key %q", key.Value)}
	if near := nearest(key.Value, known); near != "" {
		p.Suggestion = fmt.Sprintf("%q", near)
	} else {
		p.Hint = "known here are " + strings.Join(known, ", ")
	}
	w.add(key, p)
}

// scalar is the text of a scalar, expanded where variables are.
func (w *walker) scalar(node *yaml.Node, template bool) (string, bool) {
	switch {
	case w.badTag(node):
		return "", false
	case node.Kind == yaml.MappingNode && w.bracesUnquoted(node):
		return "", false
	case node.Kind != yaml.ScalarNode:
		w.problem(node, "bad-value", "must be a text, not a list or a mapping")
		return "", false
	case node.Tag == "!!null":
		w.nothing(node)
		return "", false
	case w.expander == nil:
		return node.Value, true
	}
	return w.expander.expand(w, node, template)
}

// nothing tells of a key without a value, and of the trap that is often behind it.
func (w *walker) nothing(node *yaml.Node) {
	p := Problem{Code: "no-value", Message: w.subject() + "has no value", Length: 1}
	if strings.HasPrefix(node.LineComment, "#") || strings.Contains(w.source.Line(node.Line), " #") {
		p.Hint = "YAML takes \" #\" for the start of a comment; quote the value"
	}
	w.add(node, p)
}

// badTag refuses YAML's tags, which a leading exclamation mark makes.
func (w *walker) badTag(node *yaml.Node) bool {
	if node.Style&yaml.TaggedStyle == 0 {
		return false
	}
	w.add(node, Problem{
		Code: "yaml-tag", Message: fmt.Sprintf("YAML takes %q for a tag", node.Tag),
		Hint: "quote the value or use a block scalar (|)", Length: utf8.RuneCountInString(node.Tag),
	})
	return true
}

// bracesUnquoted finds the mapping that YAML makes of an unquoted {{ }}.
func (w *walker) bracesUnquoted(node *yaml.Node) bool {
	line := []rune(w.source.Line(node.Line))
	if node.Style&yaml.FlowStyle == 0 || !strings.HasPrefix(string(line[min(node.Column-1, len(line)):]), "{{") {
		return false
	}
	w.add(node, Problem{
		Code: "unquoted-template", Message: "YAML takes an unquoted {{ for a mapping", Length: 2,
		Hint: "quote the value or use a block scalar (|)",
	})
	return true
}

func fieldFor(of reflect.Type, key string) (reflect.StructField, bool) {
	for field := range of.Fields() {
		if name := field.Tag.Get("yaml"); name == key && name != "-" {
			return field, true
		}
	}
	return reflect.StructField{}, false
}

func keysOf(of reflect.Type) []string {
	var keys []string
	for field := range of.Fields() {
		if name := field.Tag.Get("yaml"); name != "" && name != "-" {
			keys = append(keys, name)
		}
	}
	return keys
}

func (a *Actions) decode(w *walker, node *yaml.Node) {
	if node.Kind != yaml.MappingNode {
		w.problem(node, "bad-value", "must be a mapping of names to actions")
		return
	}
	w.members(node, func(key, value *yaml.Node) {
		action := Action{Name: Text{anchored: w.anchor(key), Value: key.Value}}
		w.within(key.Value, func() { w.decodeValue(reflect.ValueOf(&action).Elem(), value) })
		*a = append(*a, action)
	})
}

func (h *Headers) decode(w *walker, node *yaml.Node) {
	if node.Kind != yaml.MappingNode {
		w.problem(node, "bad-value", "must be a mapping of header names to values")
		return
	}
	w.members(node, func(key, value *yaml.Node) {
		header := Header{Name: Text{anchored: w.anchor(key), Value: key.Value}}
		w.within(key.Value, func() { w.decodeInto(&header.Value, value) })
		*h = append(*h, header)
	})
}

// nearest is the known word that differs least from another; empty when none comes near.
func nearest(word string, known []string) string {
	best, fewest := "", (len(word)+2)/3
	for _, candidate := range known {
		if d := levenshtein.ComputeDistance(strings.ToLower(word), candidate); d < fewest || d == fewest && best == "" {
			best, fewest = candidate, d
		}
	}
	return best
}
