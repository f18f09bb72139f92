package condition

import (
	"github.com/expr-lang/expr/ast"
)

// guard is what a condition asks of single values, as far as its source tells: clauses that must all hold. An event for
// which one of them is plainly false makes the whole condition plainly false: whatever else stands in it, it does not
// hold, and brings neither mismatch nor error.
type guard []clause

// clause holds when one of its tests does.
type clause []test

// test compares the value at a path with a constant.
type test struct {
	path     path
	at       string // the path as text, which is another for another path
	operator string // "==", or one of < <= > >=
	constant any    // of ==: a text, a number or a boolean
	limit    number // of the others
}

// maxClause is how many tests a clause may have; a longer one is no guard.
const maxClause = 1000

// guardOf reads the guard of an expression as it was written.
func guardOf(node ast.Node) guard {
	if n, ok := node.(*ast.BinaryNode); ok {
		switch n.Operator {
		case "&&", "and":
			return append(guardOf(n.Left), guardOf(n.Right)...)
		case "||", "or":
			either, or := guardOf(n.Left).narrowest(), guardOf(n.Right).narrowest()
			if either == nil || or == nil || len(either)+len(or) > maxClause {
				return nil
			}
			return guard{append(append(clause{}, either...), or...)}
		case "in":
			return among(n)
		}
		if t, ok := testOf(n); ok {
			return guard{clause{t}}
		}
	}
	return nil
}

// narrowest is the clause that fewest values pass, as far as can be told without values; nil of no guard.
func (g guard) narrowest() clause {
	var best clause
	for _, c := range g {
		if best == nil || c.exact() && !best.exact() || c.exact() == best.exact() && len(c) < len(best) {
			best = c
		}
	}
	return best
}

// exact tells whether the clause asks for certain values only.
func (c clause) exact() bool {
	for _, t := range c {
		if t.operator != "==" {
			return false
		}
	}
	return true
}

// among reads path in [constants].
func among(n *ast.BinaryNode) guard {
	list, isList := n.Right.(*ast.ArrayNode)
	p, isPath := sourcePath(n.Left)
	if !isList || !isPath || len(list.Nodes) > maxClause {
		return nil
	}
	asked := clause{}
	for _, item := range list.Nodes {
		if _, isNil := item.(*ast.NilNode); isNil {
			continue // nothing is in a list by being absent
		}
		constant, ok := scalar(item)
		if !ok {
			return nil
		}
		asked = append(asked, test{path: p, at: PathText(p), operator: "==", constant: constant})
	}
	return guard{asked}
}

// testOf reads a comparison of a path with a constant, whichever of them stands first.
func testOf(n *ast.BinaryNode) (test, bool) {
	operator := n.Operator
	p, isPath := sourcePath(n.Left)
	constant, isConstant := scalar(n.Right)
	if !isPath || !isConstant {
		p, isPath = sourcePath(n.Right)
		constant, isConstant = scalar(n.Left)
		operator = map[string]string{"==": "==", "<": ">", "<=": ">=", ">": "<", ">=": "<="}[operator]
	}
	if !isPath || !isConstant {
		return test{}, false
	}
	t := test{path: p, at: PathText(p), operator: operator, constant: constant}
	switch operator {
	case "==":
		return t, true
	case "<", "<=", ">", ">=":
		if _, isText := constant.(string); isText {
			return test{}, false // texts order otherwise
		}
		limit, isNumber := asNumber(constant)
		t.limit = limit
		return t, isNumber
	}
	return test{}, false
}

// scalar is a constant text, number or boolean.
func scalar(node ast.Node) (any, bool) {
	value := constantValue(node)
	switch value.(type) {
	case string, bool, int64, float64:
		return value, true
	}
	return nil, false
}

// sourcePath is the path that a node looks up, as it was written: into the event itself, for what was before is fetched
// only when it is asked for, and times are no scalars.
func sourcePath(node ast.Node) (path, bool) {
	switch n := node.(type) {
	case *ast.ChainNode:
		return sourcePath(n.Node)
	case *ast.IdentifierNode:
		_, known := envelope()[n.Value]
		return path{n.Value}, known && n.Value != oldName && n.Value != "timestamp"
	case *ast.MemberNode:
		p, ok := sourcePath(n.Node)
		step, constant := constantStep(n.Property)
		if !ok || !constant || n.Method {
			return nil, false
		}
		p = append(append(path{}, p...), step)
		return p, !p.isTime()
	}
	return nil, false
}

// rulesOut tells whether a clause of the guard is plainly false.
func (g guard) rulesOut(s *Scope) bool {
	for _, c := range g {
		if !c.mayHold(s) {
			return true
		}
	}
	return false
}

func (c clause) mayHold(s *Scope) bool {
	for _, t := range c {
		if t.mayHold(s.value(t.path)) {
			return true
		}
	}
	return false
}

// mayHold tells whether a value passes the test, or is of a type that it has something to say about.
func (t *test) mayHold(value any) bool {
	if value == nil {
		return false
	}
	if t.operator == "==" {
		return equal(value, t.constant)
	}
	n, isNumber := asNumber(value)
	return !isNumber || t.passes(n.compare(t.limit))
}

func (t *test) passes(o order) bool {
	switch t.operator {
	case "<":
		return o == less || o == incomparable
	case "<=":
		return o != more
	case ">":
		return o == more || o == incomparable
	}
	return o != less
}
