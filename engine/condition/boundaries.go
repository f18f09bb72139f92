package condition

import (
	"regexp"
	"strings"

	"github.com/expr-lang/expr/ast"
	"github.com/expr-lang/expr/parser"
)

// Boundary is a comparison of a path of the event with a constant, and what else the condition asks for, so that it is
// this comparison that decides.
type Boundary struct {
	Expr     string // the comparison, as written
	Offset   int    // where it stands, in bytes of the condition
	Path     []string
	Operator string // with the path on its left
	Value    any    // nil, bool, string, int64, float64, or []any of these
	// Rest is what an event may hold so that the condition holds, as far as that can be told from paths and constants
	// alone: it is to be tried. The boundary's own path is among it.
	Rest []Setting
}

// Setting is a value at a path.
type Setting struct {
	Path  []string
	Value any
}

// Boundaries are the comparisons of the condition with constants, in the order in which they stand. It takes the
// condition apart anew: it is for people who ask.
func (c *Condition) Boundaries() []Boundary {
	tree, err := parser.ParseWithConfig(c.program.source, c.dialect.parseConfig())
	if err != nil {
		return nil
	}
	var found []Boundary
	for _, node := range outside(tree.Node) {
		one, ok := boundaryOf(node)
		if !ok {
			continue
		}
		one.Offset = byteOffset(c.program.source, startOf(node))
		demands := &demands{focus: node}
		demands.ask(tree.Node, true)
		one.Rest = demands.settle()
		found = append(found, one)
	}
	return found
}

// outside are the nodes that speak of the event itself, and not of an item in a predicate, each before those below it.
func outside(node ast.Node) []ast.Node {
	nodes := []ast.Node{node}
	for _, child := range childrenOf(node) {
		if _, predicate := child.(*ast.PredicateNode); !predicate {
			nodes = append(nodes, outside(child)...)
		}
	}
	return nodes
}

// boundaryOf reads a comparison of a path with a constant.
func boundaryOf(node ast.Node) (Boundary, bool) {
	n, ok := node.(*ast.BinaryNode)
	if !ok || flipped(n.Operator) == "" && !oneWay(n.Operator) {
		return Boundary{}, false
	}
	b := Boundary{Expr: n.String(), Operator: n.Operator}
	if b.Path = writtenPath(n.Left); b.Path != nil && isConstant(n.Right) {
		b.Value = constantValue(n.Right)
		return b, true
	}
	if b.Path = writtenPath(n.Right); b.Path != nil && isConstant(n.Left) && flipped(n.Operator) != "" {
		b.Operator, b.Value = flipped(n.Operator), constantValue(n.Left)
		return b, true
	}
	return Boundary{}, false
}

// flipped is the operator with its sides changed; empty when there is none.
func flipped(operator string) string {
	return map[string]string{"<": ">", "<=": ">=", ">": "<", ">=": "<=", "==": "==", "!=": "!=", "in": "contains"}[operator]
}

// oneWay tells of the operators that can have a constant on their right only.
func oneWay(operator string) bool {
	switch operator {
	case "contains", "startsWith", "endsWith", "matches":
		return true
	}
	return false
}

// writtenPath is the path into the event that a node is as written; nil when it is none, or speaks of what was before.
func writtenPath(node ast.Node) []string {
	switch n := node.(type) {
	case *ast.ChainNode:
		return writtenPath(n.Node)
	case *ast.IdentifierNode:
		if _, ours := envelope()[n.Value]; ours && n.Value != oldName {
			return []string{n.Value}
		}
	case *ast.MemberNode:
		name, isName := n.Property.(*ast.StringNode)
		if before := writtenPath(n.Node); before != nil && isName && !n.Method {
			return append(before, name.Value)
		}
	}
	return nil
}

// constantValue is the value of a constant.
func constantValue(node ast.Node) any {
	switch n := node.(type) {
	case *ast.BoolNode:
		return n.Value
	case *ast.StringNode:
		return n.Value
	case *ast.IntegerNode:
		return int64(n.Value)
	case *ast.FloatNode:
		return n.Value
	case *ast.UnaryNode:
		switch v := constantValue(n.Node).(type) {
		case int64:
			return -v
		case float64:
			return -v
		}
	case *ast.ArrayNode:
		list := make([]any, len(n.Nodes))
		for i, item := range n.Nodes {
			list[i] = constantValue(item)
		}
		return list
	}
	return nil
}

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
