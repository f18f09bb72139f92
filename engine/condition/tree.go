package condition

import (
	"fmt"

	"github.com/expr-lang/expr/ast"
)

// startOf is the first rune of all that a node covers; an operator's own place is in its middle.
func startOf(node ast.Node) int {
	start := node.Location().From
	ast.Walk(&node, visit(func(child *ast.Node) {
		start = min(start, (*child).Location().From)
	}))
	return start
}

func isConstant(node ast.Node) bool {
	switch n := node.(type) {
	case *ast.NilNode, *ast.BoolNode, *ast.StringNode, *ast.IntegerNode, *ast.FloatNode, *ast.ConstantNode:
		return true
	case *ast.UnaryNode:
		return isConstant(n.Node)
	case *ast.ArrayNode:
		for _, item := range n.Nodes {
			if !isConstant(item) {
				return false
			}
		}
		return true
	}
	return false
}

// byteOffset turns an offset in runes, as expr counts, into one in bytes.
func byteOffset(source string, runes int) int {
	for at := range source {
		if runes == 0 {
			return at
		}
		runes--
	}
	return len(source)
}

// checkTree refuses what the types allow and we do not.
func checkTree(source string, root ast.Node) error {
	if depth := predicateDepth(root); depth > maxPredicateDepth {
		return &Error{Offset: 0, Code: "too-complex", Message: fmt.Sprintf("predicates nested %d deep, of at most %d", depth, maxPredicateDepth)}
	}
	var fault *Error
	ast.Walk(&root, visit(func(node *ast.Node) {
		if fault == nil {
			fault = checkNode(source, *node)
		}
	}))
	if fault != nil {
		return fault
	}
	return nil
}

func checkNode(source string, node ast.Node) *Error {
	offset := byteOffset(source, startOf(node))
	switch n := node.(type) {
	case *ast.IdentifierNode:
		if n.Value == "$env" {
			return &Error{Offset: offset, Length: len(n.Value), Code: "unknown-name", Message: "unknown name $env"}
		}
	case *ast.MemberNode:
		if name, ok := n.Property.(*ast.StringNode); ok && n.Method && !methodAllowed(name.Value) {
			return &Error{Offset: offset, Code: "unknown-name", Message: fmt.Sprintf("unknown method %s", name.Value)}
		}
	case *ast.CallNode:
		if callee, ok := n.Callee.(*ast.IdentifierNode); ok {
			if problem := checkConstants(callee.Value, n.Arguments); problem != "" {
				return &Error{Offset: offset, Code: "bad-constant", Message: problem}
			}
		}
	}
	return nil
}

// checkConstants finds arguments that can never work, before an event does.
func checkConstants(function string, arguments []ast.Node) string {
	if len(arguments) == 0 {
		return ""
	}
	text, ok := arguments[0].(*ast.StringNode)
	if !ok {
		return ""
	}
	switch function {
	case "duration":
		if _, err := parseSpan(text.Value); err != nil {
			return fmt.Sprintf("%v, not %q", err, text.Value)
		}
	case "date":
		if _, err := parseMoment(text.Value, nil); err != nil {
			return fmt.Sprintf("%v, not %q", err, text.Value)
		}
	}
	return ""
}

// predicateDepth is how deep predicates stand in one another. Children are walked before their parents.
func predicateDepth(root ast.Node) int {
	heights := map[ast.Node]int{}
	ast.Walk(&root, visit(func(node *ast.Node) {
		height := 0
		for _, child := range childrenOf(*node) {
			height = max(height, heights[child])
		}
		if _, ok := (*node).(*ast.PredicateNode); ok {
			height++
		}
		heights[*node] = height
	}))
	return heights[root]
}

// childrenOf are the nodes right below one.
func childrenOf(node ast.Node) []ast.Node {
	switch n := node.(type) {
	case *ast.UnaryNode:
		return []ast.Node{n.Node}
	case *ast.BinaryNode:
		return []ast.Node{n.Left, n.Right}
	case *ast.ChainNode:
		return []ast.Node{n.Node}
	case *ast.MemberNode:
		return []ast.Node{n.Node, n.Property}
	case *ast.SliceNode:
		return present(n.Node, n.From, n.To)
	case *ast.CallNode:
		return append([]ast.Node{n.Callee}, n.Arguments...)
	case *ast.BuiltinNode:
		return n.Arguments
	case *ast.PredicateNode:
		return []ast.Node{n.Node}
	case *ast.VariableDeclaratorNode:
		return []ast.Node{n.Value, n.Expr}
	case *ast.SequenceNode:
		return n.Nodes
	case *ast.ConditionalNode:
		return []ast.Node{n.Cond, n.Exp1, n.Exp2}
	case *ast.ArrayNode:
		return n.Nodes
	case *ast.MapNode:
		return n.Pairs
	case *ast.PairNode:
		return []ast.Node{n.Key, n.Value}
	}
	return nil
}

func present(nodes ...ast.Node) []ast.Node {
	var there []ast.Node
	for _, node := range nodes {
		if node != nil {
			there = append(there, node)
		}
	}
	return there
}
