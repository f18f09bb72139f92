package condition

import (
	"github.com/expr-lang/expr/ast"
	"github.com/expr-lang/expr/parser"
)

// Operand is an operand of the topmost && that was false, with the value that it met.
type Operand struct {
	Expr  string
	Value any // of a comparison: the side that is no constant; else the operand itself
}

// Because tells which operands of the topmost && are false in the scope; for a condition without && that is the
// condition itself. It compiles anew what it evaluates: it is for people who ask, not for every event.
func (c *Condition) Because(s *Scope) []Operand {
	shared := c.dialect.configs.Get().(*configs)
	tree, err := parser.ParseWithConfig(c.program.source, shared.running)
	c.dialect.configs.Put(shared)
	if err != nil {
		return nil
	}
	var because []Operand
	for _, node := range operandsOfAnd(tree.Node) {
		text := node.String()
		if holds, ok := c.dialect.evaluate(s, text, true).(bool); ok && holds {
			continue
		}
		because = append(because, Operand{Expr: text, Value: c.dialect.evaluate(s, telling(node).String(), false)})
	}
	return because
}

// operandsOfAnd takes a chain of && apart.
func operandsOfAnd(node ast.Node) []ast.Node {
	if n, ok := node.(*ast.BinaryNode); ok && (n.Operator == "&&" || n.Operator == "and") {
		return append(operandsOfAnd(n.Left), operandsOfAnd(n.Right)...)
	}
	return []ast.Node{node}
}

// telling is the part of an operand whose value tells why it is false.
func telling(node ast.Node) ast.Node {
	switch n := node.(type) {
	case *ast.BinaryNode:
		switch n.Operator {
		case "||", "or":
			return n
		}
		if isConstant(n.Left) {
			return n.Right
		}
		return n.Left
	case *ast.UnaryNode:
		return n.Node
	}
	return node
}

// evaluate is an expression's value; nil when it has none.
func (d *Dialect) evaluate(s *Scope, source string, boolean bool) any {
	p, err := d.compile(source, boolean)
	if err != nil {
		return nil
	}
	value, err := s.run(p)
	if err != nil {
		return nil
	}
	return value
}
