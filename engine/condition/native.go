package condition

import (
	"github.com/expr-lang/expr/ast"
)

// evaluator is a part of an expression that is evaluated without expr's machine, and without allocating. Most conditions
// are made of nothing but paths, constants and comparisons; one in which anything else stands is left to the machine
// whole. Both do what the rewriter asked for, by the same functions.
type evaluator func(s *Scope) any

// nativeOf turns a rewritten expression into an evaluator; nil when something in it needs the machine.
func nativeOf(node ast.Node) evaluator {
	if value, ok := constantOf(node); ok {
		return func(*Scope) any { return value }
	}
	switch n := node.(type) {
	case *ast.CallNode:
		if callee, ok := n.Callee.(*ast.IdentifierNode); ok {
			return nativeCall(callee.Value, n.Arguments)
		}
	case *ast.UnaryNode:
		if inner := nativeOf(n.Node); inner != nil && (n.Operator == "not" || n.Operator == "!") {
			return func(s *Scope) any { return inner(s) != true }
		}
	case *ast.BinaryNode:
		return nativeBinary(n)
	}
	return nil
}

// constantOf is the value of a constant, lists of constants included.
func constantOf(node ast.Node) (value any, ok bool) {
	switch n := node.(type) {
	case *ast.NilNode:
		return nil, true
	case *ast.BoolNode:
		return n.Value, true
	case *ast.StringNode:
		return n.Value, true
	case *ast.IntegerNode:
		return n.Value, true
	case *ast.FloatNode:
		return n.Value, true
	case *ast.UnaryNode:
		if number, ok := constantStep(n); ok {
			return number, true
		}
		float, ok := n.Node.(*ast.FloatNode)
		if ok && n.Operator == "-" {
			return -float.Value, true
		}
	case *ast.ArrayNode:
		list := make([]any, len(n.Nodes))
		for i, item := range n.Nodes {
			if list[i], ok = constantOf(item); !ok {
				return nil, false
			}
		}
		return list, true
	}
	return nil, false
}

// nativeCall is one of our calls; the scope is its first argument.
func nativeCall(name string, arguments []ast.Node) evaluator {
	switch name {
	case pathCall:
		p := arguments[1].(*ast.ConstantNode).Value.(path)
		return func(s *Scope) any { return s.value(p) }
	case booleanCall:
		at := arguments[2].(*ast.ConstantNode).Value.(site)
		if value := nativeOf(arguments[1]); value != nil {
			return func(s *Scope) any { return s.boolean(value(s), at) }
		}
	case equalCall:
		if a, b := nativeOf(arguments[1]), nativeOf(arguments[2]); a != nil && b != nil {
			return func(s *Scope) any { return equal(a(s), b(s)) }
		}
	}
	for operator, call := range comparisonCalls() {
		if name == call {
			return nativeComparison(operator, arguments[1:])
		}
	}
	return nil
}

// nativeComparison leaves a pattern that is made at run time to the machine: it may be none.
func nativeComparison(operator string, arguments []ast.Node) evaluator {
	a, b := nativeOf(arguments[0]), nativeOf(arguments[1])
	at := arguments[2].(*ast.ConstantNode).Value.(site)
	if a == nil || b == nil || operator == "matches" && at.pattern == nil {
		return nil
	}
	judge := comparisons()[operator]
	return func(s *Scope) any {
		holds, _ := s.compared(judge, a(s), b(s), at)
		return holds
	}
}

func nativeBinary(n *ast.BinaryNode) evaluator {
	if n.Operator == "&&" || n.Operator == "and" {
		if and := nativeAnd(n); and != nil {
			return and
		}
	}
	a, b := nativeOf(n.Left), nativeOf(n.Right)
	if a == nil || b == nil {
		return nil
	}
	switch n.Operator {
	case "&&", "and":
		return func(s *Scope) any { return a(s) == true && b(s) == true }
	case "||", "or":
		return func(s *Scope) any { return a(s) == true || b(s) == true }
	case "==":
		return nativeEquality(n, a, b, true)
	case "!=":
		return nativeEquality(n, a, b, false)
	}
	return nil
}

// nativeAnd is an && that takes mismatches back.
func nativeAnd(n *ast.BinaryNode) evaluator {
	left, right := ourCall(n.Left, leftCall), ourCall(n.Right, rightCall)
	if left == nil || right == nil {
		return nil
	}
	a, b := nativeOf(left[1]), nativeOf(right[0])
	if a == nil || b == nil {
		return nil
	}
	return func(s *Scope) any {
		start := len(s.mismatches)
		return s.left(start, a(s) == true) && s.right(b(s) == true)
	}
}

// ourCall gives the arguments of a call of ours, behind the scope; nil of another node.
func ourCall(node ast.Node, name string) []ast.Node {
	call, ok := node.(*ast.CallNode)
	if !ok {
		return nil
	}
	if callee, ok := call.Callee.(*ast.IdentifierNode); !ok || callee.Value != name {
		return nil
	}
	return call.Arguments[1:]
}

// nativeEquality is expr's own ==, of which one side is nil, a boolean, or a text that is no number.
func nativeEquality(n *ast.BinaryNode, a, b evaluator, want bool) evaluator {
	constant, other := n.Left, b
	if !judgedNatively(n.Left) {
		constant, other = n.Right, a
	}
	if !judgedNatively(constant) {
		return nil
	}
	value, _ := constantOf(constant)
	return func(s *Scope) any {
		switch met := other(s).(type) {
		case nil, bool, string:
			return (met == value) == want
		}
		return !want
	}
}
