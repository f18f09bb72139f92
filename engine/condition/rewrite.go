package condition

import (
	"regexp"

	"github.com/expr-lang/expr/ast"
)

// site is where a rewritten operator stood: its text for a report, and where it is.
type site struct {
	text    string
	offset  int            // in bytes of the source
	flipped bool           // the right operand is the one of interest: the left is a constant
	pattern *regexp.Regexp // of a matches with a constant pattern
}

// rewriter turns the operators of an expression into calls of ours, which judge by the table, and its paths into
// look-ups that lead nowhere instead of failing. Nodes are visited children first.
type rewriter struct {
	dialect *Dialect
	source  string
	sites   map[location]site // of the nodes as written
	at      map[ast.Node]site // of the nodes as they are now
	calm    map[ast.Node]bool // nodes that cannot bring a mismatch
	boolean map[ast.Node]bool // nodes that are true or false for certain
}

// location names a node by what it is and where it stands; both parses of a source agree on it.
type location struct {
	from, to int
	operator string
}

// readTexts notes each operator's text before anything is rewritten.
func (r *rewriter) readTexts(root ast.Node) {
	r.sites, r.at = map[location]site{}, map[ast.Node]site{}
	ast.Walk(&root, visit(func(node *ast.Node) {
		start := startOf(*node)
		s := site{text: (*node).String(), offset: byteOffset(r.source, start)}
		if binary, ok := (*node).(*ast.BinaryNode); ok {
			s.flipped = isConstant(binary.Left)
		}
		r.sites[locate(*node)] = s
	}))
}

func locate(node ast.Node) location {
	at := location{from: node.Location().From, to: node.Location().To}
	switch n := node.(type) {
	case *ast.BinaryNode:
		at.operator = n.Operator
	case *ast.UnaryNode:
		at.operator = "unary " + n.Operator
	case *ast.ConditionalNode:
		at.operator = "?:"
	case *ast.CallNode, *ast.BuiltinNode:
		at.operator = "call"
	case *ast.MemberNode:
		at.operator = "member"
	}
	return at
}

// visit is a visitor made of a function.
type visit func(node *ast.Node)

func (v visit) Visit(node *ast.Node) { v(node) }

// Visit rewrites one node; expr calls it.
func (r *rewriter) Visit(node *ast.Node) {
	s, known := r.sites[locate(*node)]
	r.rewrite(node)
	if known {
		r.at[*node] = s
	}
}

func (r *rewriter) rewrite(node *ast.Node) {
	switch n := (*node).(type) {
	case *ast.IdentifierNode:
		r.identifier(node, n)
	case *ast.MemberNode:
		r.member(node, n)
	case *ast.ChainNode:
		*node = n.Node // paths are safe without it
	case *ast.UnaryNode:
		r.unary(node, n)
	case *ast.BinaryNode:
		r.binary(node, n)
	case *ast.ConditionalNode:
		n.Cond = r.asBoolean(n.Cond)
	case *ast.CallNode:
		r.call(node, n)
	case *ast.BuiltinNode:
		r.builtin(node, n)
	case *ast.BoolNode:
		r.calm[n], r.boolean[n] = true, true
	}
}

// identifier turns a root of the envelope into a path.
func (r *rewriter) identifier(node *ast.Node, n *ast.IdentifierNode) {
	if _, ours := envelope()[n.Value]; ours {
		r.replace(node, pathCall, &ast.ConstantNode{Value: path{n.Value}})
	}
}

// member extends a path, or makes the step safe. Methods stay: they are checked against a list of their own.
func (r *rewriter) member(node *ast.Node, n *ast.MemberNode) {
	if n.Method {
		return
	}
	if p, ok := pathOf(n.Node); ok {
		if step, constant := constantStep(n.Property); constant {
			longer := append(append(path{}, p...), step)
			r.replace(node, pathCall, &ast.ConstantNode{Value: longer})
			return
		}
	}
	r.replace(node, memberCall, n.Node, n.Property)
}

func constantStep(node ast.Node) (step any, ok bool) {
	switch n := node.(type) {
	case *ast.StringNode:
		return n.Value, true
	case *ast.IntegerNode:
		return n.Value, true
	case *ast.UnaryNode:
		if inner, whole := n.Node.(*ast.IntegerNode); whole && n.Operator == "-" {
			return -inner.Value, true
		}
	}
	return nil, false
}

// pathOf is the path that a rewritten node looks up.
func pathOf(node ast.Node) (path, bool) {
	call, ok := node.(*ast.CallNode)
	if !ok {
		return nil, false
	}
	if callee, ok := call.Callee.(*ast.IdentifierNode); !ok || callee.Value != pathCall {
		return nil, false
	}
	p, ok := call.Arguments[1].(*ast.ConstantNode).Value.(path)
	return p, ok
}

func (r *rewriter) unary(node *ast.Node, n *ast.UnaryNode) {
	switch n.Operator {
	case "not", "!":
		n.Node = r.asBoolean(n.Node)
		r.boolean[n], r.calm[n] = true, r.calm[n.Node]
	case "-":
		if _, constant := constantStep(n); !constant {
			r.replace(node, subtractCall, &ast.IntegerNode{Value: 0}, n.Node)
		}
	}
}

func (r *rewriter) binary(node *ast.Node, n *ast.BinaryNode) {
	switch n.Operator {
	case "&&", "and":
		r.and(node, n)
	case "||", "or":
		n.Left, n.Right = r.asBoolean(n.Left), r.asBoolean(n.Right)
		r.boolean[n], r.calm[n] = true, r.calm[n.Left] && r.calm[n.Right]
	case "==", "!=":
		r.equality(node, n)
	case "+", "-", "*", "%", "**", "^":
		r.replace(node, arithmeticCalls()[n.Operator], n.Left, n.Right)
	case "<", "<=", ">", ">=", "in", "contains", "startsWith", "endsWith", "matches":
		r.comparison(node, n)
	}
}

// and keeps a native && where the left operand cannot bring a mismatch: then there is nothing to take back. Else the
// right operand is evaluated too when the left is false by a mismatch, to see whether it is plainly false.
func (r *rewriter) and(node *ast.Node, n *ast.BinaryNode) {
	where := locate(n)
	n.Left, n.Right = r.asBoolean(n.Left), r.asBoolean(n.Right)
	r.boolean[n] = true
	if r.calm[n.Left] {
		r.calm[n] = r.calm[n.Right]
		return
	}
	left := r.ours(where, leftCall, r.ours(where, beginCall), n.Left)
	right := r.ours(where, rightCall, n.Right)
	r.boolean[left], r.boolean[right] = true, true
	n.Left, n.Right = left, right
}

func (r *rewriter) equality(node *ast.Node, n *ast.BinaryNode) {
	negated := n.Operator == "!="
	where := locate(n)
	if !judgedNatively(n.Left) && !judgedNatively(n.Right) {
		r.replaceAt(node, where, equalCall, n.Left, n.Right)
		if negated {
			r.calm[*node], r.boolean[*node] = true, true
			*node = &ast.UnaryNode{Operator: "not", Node: *node}
		}
	}
	r.calm[*node], r.boolean[*node] = true, true
}

// judgedNatively tells whether expr's own == agrees with the table when one side is this constant.
func judgedNatively(node ast.Node) bool {
	switch n := node.(type) {
	case *ast.NilNode, *ast.BoolNode:
		return true
	case *ast.StringNode:
		_, numeric := numberInText(n.Value)
		return !numeric
	}
	return false
}

func (r *rewriter) comparison(node *ast.Node, n *ast.BinaryNode) {
	where := locate(n)
	s := r.sites[where]
	if text, ok := n.Right.(*ast.StringNode); ok && n.Operator == "matches" {
		// The check has compiled it already; one that fails here fails there.
		s.pattern, _ = regexp.Compile(text.Value)
	}
	r.replaceAt(node, where, comparisonCalls()[n.Operator], n.Left, n.Right, &ast.ConstantNode{Value: s})
	r.boolean[*node] = true
}

// asBoolean makes a node fit for where true or false is expected.
func (r *rewriter) asBoolean(node ast.Node) ast.Node {
	if r.boolean[node] {
		return node
	}
	s, known := r.at[node]
	if !known {
		s = site{text: "the value", offset: -1}
	}
	wrapped := r.ours(locate(node), booleanCall, node, &ast.ConstantNode{Value: s})
	r.boolean[wrapped] = true
	return wrapped
}

// call hands the scope to those of our functions that need the time.
func (r *rewriter) call(_ *ast.Node, n *ast.CallNode) {
	if callee, ok := n.Callee.(*ast.IdentifierNode); ok && needsScope(callee.Value) {
		n.Arguments = append([]ast.Node{&ast.IdentifierNode{Value: scopeName}}, n.Arguments...)
	}
}

// builtin makes the body of a predicate boolean, and sums with a check for overflow.
func (r *rewriter) builtin(node *ast.Node, n *ast.BuiltinNode) {
	switch n.Name {
	case "all", "none", "any", "one", "filter", "find", "findIndex", "findLast", "findLastIndex", "count":
		if len(n.Arguments) == 2 {
			if predicate, ok := n.Arguments[1].(*ast.PredicateNode); ok {
				predicate.Node = r.asBoolean(predicate.Node)
			}
		}
		switch n.Name {
		case "all", "none", "any", "one":
			r.boolean[n] = true
		}
	case "sum":
		var item ast.Node = &ast.PointerNode{}
		if len(n.Arguments) == 2 {
			item = n.Arguments[1].(*ast.PredicateNode).Node
		}
		body := r.ours(locate(n), addCall, &ast.PointerNode{Name: "acc"}, item)
		*node = &ast.BuiltinNode{Name: "reduce", Arguments: []ast.Node{
			n.Arguments[0], &ast.PredicateNode{Node: body}, &ast.IntegerNode{Value: 0},
		}}
	}
}

// replace puts a call of ours in a node's place.
func (r *rewriter) replace(node *ast.Node, name string, arguments ...ast.Node) {
	r.replaceAt(node, locate(*node), name, arguments...)
}

func (r *rewriter) replaceAt(node *ast.Node, where location, name string, arguments ...ast.Node) {
	call := r.ours(where, name, arguments...)
	ast.Patch(node, call)
}

func (r *rewriter) ours(where location, name string, arguments ...ast.Node) ast.Node {
	call := &ast.CallNode{
		Callee:    &ast.IdentifierNode{Value: name},
		Arguments: append([]ast.Node{&ast.IdentifierNode{Value: scopeName}}, arguments...),
	}
	at := call.Location()
	at.From, at.To = where.from, where.to
	call.SetLocation(at)
	return call
}
