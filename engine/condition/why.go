package condition

import (
	"strings"

	"github.com/expr-lang/expr/ast"
	"github.com/expr-lang/expr/file"
	"github.com/expr-lang/expr/parser/lexer"
)

// Reason is a part of a condition that decided its verdict, and that &&, || and not do not take further apart.
type Reason struct {
	Expr   string // as it stands in the source
	Offset int    // where, in bytes of the source
	Holds  bool
	Value  any   // of a comparison: the side that is no constant; else of the part itself
	Err    error // it cannot be judged by itself, as len(x) where x is absent
}

// deciding is a reason under construction.
type deciding struct {
	Reason
	negated bool // an odd number of nots stand before it
}

// Why tells which parts of the condition decided whether it holds: had all of them come out the other way, it had, too.
// It compiles anew what it evaluates: it is for people who ask, not for every event.
func (c *Condition) Why(s *Scope) []Reason {
	tree, err := c.dialect.parse(c.program.source)
	if err != nil {
		return nil
	}
	tokens, err := lexer.Lex(file.NewSource(c.program.source))
	if err != nil {
		return nil
	}
	w := why{dialect: c.dialect, scope: s, source: []rune(c.program.source), tokens: tokens}
	v, deciding := w.decide(tree.Node, 0, len(w.source))
	reasons := make([]Reason, len(deciding))
	for i, d := range deciding {
		if d.Err != nil { // as if it had come out so as to bring the verdict about
			d.Holds = (v == yes) != d.negated
		}
		reasons[i] = d.Reason
	}
	return reasons
}

// why takes one condition apart in one scope. Places are in runes of the source, as expr counts.
type why struct {
	dialect *Dialect
	scope   *Scope
	source  []rune
	tokens  []lexer.Token
}

// verdict is what a part came to.
type verdict int

const (
	no verdict = iota
	yes
	failed
)

// decide judges a node, whose source lies between from and to, and gives the reasons of its verdict.
func (w *why) decide(node ast.Node, from, to int) (verdict, []deciding) {
	from, to = w.inside(from, to)
	at := node.Location()
	switch n := node.(type) {
	case *ast.BinaryNode:
		switch string(w.source[at.From:at.To]) { // a chain such as 1 < x < 5 is an && that nobody wrote
		case "&&", "and":
			return w.both(n, from, to, no)
		case "||", "or":
			return w.both(n, from, to, yes)
		}
	case *ast.UnaryNode:
		if (n.Operator == "not" || n.Operator == "!") && at.From == from { // not the one of "not in"
			return negated(w.decide(n.Node, at.To, to))
		}
	}
	return w.leaf(node, from, to)
}

func negated(v verdict, reasons []deciding) (verdict, []deciding) {
	for i := range reasons {
		reasons[i].negated = !reasons[i].negated
	}
	return map[verdict]verdict{no: yes, yes: no, failed: failed}[v], reasons
}

// both judges an && or an ||, which comes to the decisive verdict when one operand does, and fails when the left one fails
// first. What failed is named beside what decided: it stood in the way, too.
func (w *why) both(n *ast.BinaryNode, from, to int, decisive verdict) (verdict, []deciding) {
	at := n.Location()
	left, leftReasons := w.decide(n.Left, from, at.From)
	right, rightReasons := w.decide(n.Right, at.To, to)
	result := left
	if left != decisive && left != failed || left == no && right == failed && w.mismatched(from, at.From) {
		result = right
	}
	named := func(v verdict) bool { return v == result || v == failed || v == decisive }
	var reasons []deciding
	if named(left) {
		reasons = append(reasons, leftReasons...)
	}
	if named(right) {
		reasons = append(reasons, rightReasons...)
	}
	return result, reasons
}

// mismatched tells whether a part brings a mismatch: then an && looks at its right operand, too.
func (w *why) mismatched(from, to int) bool {
	_, _ = w.dialect.evaluate(w.scope, string(w.source[from:to]), true)
	return len(w.scope.mismatches) > 0
}

// leaf judges a part that is not taken further apart.
func (w *why) leaf(node ast.Node, from, to int) (verdict, []deciding) {
	text := string(w.source[from:to])
	reason := Reason{Expr: text, Offset: len(string(w.source[:from]))}
	value, err := w.dialect.evaluate(w.scope, text, true)
	reason.Holds, reason.Err = value == true, err
	reason.Value, _ = w.dialect.evaluate(w.scope, telling(node).String(), false)
	v := no
	switch {
	case err != nil:
		v = failed
	case reason.Holds:
		v = yes
	}
	return v, []deciding{{Reason: reason}}
}

// inside leaves out the space around a part, and the parentheses that hold all of it.
func (w *why) inside(from, to int) (int, int) {
	for {
		for from < to && strings.ContainsRune(" \t\r\n", w.source[from]) {
			from++
		}
		for from < to && strings.ContainsRune(" \t\r\n", w.source[to-1]) {
			to--
		}
		if !w.parenthesised(from, to) {
			return from, to
		}
		from, to = from+1, to-1
	}
}

// parenthesised tells whether the first token of a part is a parenthesis that its last one closes.
func (w *why) parenthesised(from, to int) bool {
	depth := 0
	for _, token := range w.tokens {
		if token.From < from || token.To > to || token.Kind != lexer.Bracket {
			continue
		}
		switch token.Value {
		case "(", "[", "{":
			if depth == 0 && (token.Value != "(" || token.From != from) {
				return false
			}
			depth++
		default:
			depth--
			if depth == 0 {
				return token.To == to
			}
		}
	}
	return false
}

// telling is the part of a comparison whose value tells why it came out as it did.
func telling(node ast.Node) ast.Node {
	switch n := node.(type) {
	case *ast.BinaryNode:
		if isConstant(n.Left) {
			return n.Right
		}
		return n.Left
	case *ast.UnaryNode:
		return telling(n.Node)
	}
	return node
}

// evaluate is an expression's value in a scope.
func (d *Dialect) evaluate(s *Scope, source string, boolean bool) (any, error) {
	p, err := d.compile(source, boolean)
	if err != nil {
		return nil, err
	}
	value, err := s.run(p)
	if err == nil && boolean {
		value = s.boolean(value, site{text: source})
	}
	return value, err
}
