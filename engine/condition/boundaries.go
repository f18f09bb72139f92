package condition

import (
	"github.com/expr-lang/expr/ast"
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
	tree, err := c.dialect.parse(c.program.source)
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
		if n.Operator != "-" {
			return nil
		}
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
