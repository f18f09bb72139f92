package condition

import (
	"regexp"
	"strings"

	"github.com/expr-lang/expr/ast"
)

// demands are what a condition asks of paths so that it comes out as wanted, and the comparison in focus decides.
type demands struct {
	focus ast.Node
	paths [][]string // in the order in which they were met
	of    map[string][]demand
}

// demand is a comparison that is to hold, or not.
type demand struct {
	operator string
	value    any
	holds    bool
}

// ask gathers what makes a node true, or false.
func (d *demands) ask(node ast.Node, holds bool) {
	switch n := node.(type) {
	case *ast.UnaryNode:
		if n.Operator == "not" || n.Operator == "!" {
			d.ask(n.Node, !holds)
		}
		return
	case *ast.BinaryNode:
		switch n.Operator {
		case "&&", "and", "||", "or":
			d.askBoth(n, holds)
			return
		}
	}
	if one, ok := boundaryOf(node); ok {
		d.add(one.Path, demand{one.Operator, one.Value, holds})
	} else if path := writtenPath(node); path != nil {
		d.add(path, demand{"==", true, holds})
	}
}

// askBoth asks both operands for the same where each of them can undo the other; else the one with the focus, and the
// other for the opposite.
func (d *demands) askBoth(n *ast.BinaryNode, holds bool) {
	conjunction := n.Operator == "&&" || n.Operator == "and"
	switch inRight := d.holdsFocus(n.Right); {
	case conjunction == holds:
		d.ask(n.Left, holds)
		d.ask(n.Right, holds)
	default:
		d.ask(n.Left, holds != inRight)
		d.ask(n.Right, holds == inRight)
	}
}

func (d *demands) holdsFocus(node ast.Node) bool {
	if node == d.focus {
		return true
	}
	for _, child := range childrenOf(node) {
		if d.holdsFocus(child) {
			return true
		}
	}
	return false
}

func (d *demands) add(path []string, one demand) {
	key := strings.Join(path, "\x00")
	if d.of == nil {
		d.of = map[string][]demand{}
	}
	if d.of[key] == nil {
		d.paths = append(d.paths, path)
	}
	d.of[key] = append(d.of[key], one)
}

// settle finds a value for each path that meets all that is asked of it, where one is near.
func (d *demands) settle() []Setting {
	var settings []Setting
	for _, path := range d.paths {
		asked := d.of[strings.Join(path, "\x00")]
		if value, ok := valueFor(asked); ok && value != nil {
			settings = append(settings, Setting{Path: path, Value: value})
		}
	}
	return settings
}

func valueFor(asked []demand) (any, bool) {
	for _, one := range asked {
		for _, candidate := range one.candidates() {
			met := true
			for _, other := range asked {
				met = met && other.meets(candidate)
			}
			if met {
				return candidate, true
			}
		}
	}
	return nil, false
}

func (d demand) meets(value any) bool {
	switch d.operator {
	case "==":
		return equal(value, d.value) == d.holds
	case "!=":
		return equal(value, d.value) != d.holds
	}
	if value == nil || d.value == nil {
		return !d.holds
	}
	at := site{}
	if pattern, isText := d.value.(string); isText && d.operator == "matches" {
		at.pattern, _ = regexp.Compile(pattern)
	}
	holds, _, err := comparisons()[d.operator](value, d.value, at)
	return err == nil && holds == d.holds
}

// candidates are values around what the comparison speaks of, the plainest first.
func (d demand) candidates() []any {
	switch v := d.value.(type) {
	case nil:
		return []any{"x", nil}
	case bool:
		return []any{v, !v}
	case int64:
		return []any{v, v + 1, v - 1, float64(v) + 0.01, float64(v) - 0.01, []any{v}}
	case float64:
		return []any{v, v + 1, v - 1, v + 0.01, v - 0.01, []any{v}}
	case string:
		return []any{v, v + "x", "x", []any{v}, []any{}}
	case []any:
		return append(append([]any{}, v...), "x", int64(0))
	}
	return nil
}
