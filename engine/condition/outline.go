package condition

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/expr-lang/expr/ast"

	"github.com/peanuts-router/peanuts-router/peanuts"
)

// Outline is an expression as a tree to look at, as its author wrote it.
type Outline struct {
	Kind     OutlineKind
	Operator string     // of an Operation: && || not == != < <= > >= in contains startsWith endsWith matches, and expr's others
	Operands []*Outline // of an Operation; of Other what stands below it
	Path     []any      // of a Path: member names (string) and list indexes (int)
	Value    any        // of a Constant: nil, a boolean, a number, a text, or a list of these
	Text     string     // as written
	Offset   int        // where it stands, in bytes of the source

	normal string // the same for whatever differs in blanks, brackets and spelling only
	varies bool   // it comes out otherwise at another time
}

// OutlineKind is what a part of an expression is.
type OutlineKind int

// The kinds of parts.
const (
	Other     OutlineKind = iota // a function call, a predicate and the like
	Operation                    // an operator with its operands
	Path                         // a way into the event
	Constant                     // a literal, or what is made of literals only
)

// Outline takes an expression apart that compiles; of one that does not it is nil.
func (d *Dialect) Outline(source string) *Outline {
	tree, err := d.parse(source)
	if err != nil {
		return nil
	}
	o := outliner{dialect: d, source: source}
	return o.outline(tree.Node)
}

// String is the expression in a form that differs from another's only when they may come out differently.
func (o *Outline) String() string { return o.normal }

// Each calls see for the expression and every part of it.
func (o *Outline) Each(see func(*Outline)) {
	if o == nil {
		return
	}
	see(o)
	for _, operand := range o.Operands {
		operand.Each(see)
	}
}

// And are the operands of the topmost &&; the expression itself when it has none.
func (o *Outline) And() []*Outline { return o.chain("&&") }

// Or are the operands of the topmost ||; the expression itself when it has none.
func (o *Outline) Or() []*Outline { return o.chain("||") }

func (o *Outline) chain(operator string) []*Outline {
	if o.Kind != Operation || o.Operator != operator {
		return []*Outline{o}
	}
	var all []*Outline
	for _, operand := range o.Operands {
		all = append(all, operand.chain(operator)...)
	}
	return all
}

// PathText writes a path as an expression says it.
func PathText(p []any) string {
	var out strings.Builder
	for i, step := range p {
		switch step := step.(type) {
		case int:
			out.WriteString("[" + strconv.Itoa(step) + "]")
		case string:
			switch {
			case i > 0 && !isName(step):
				out.WriteString("[" + strconv.Quote(step) + "]")
			case i > 0:
				out.WriteString("." + step)
			default:
				out.WriteString(step)
			}
		}
	}
	return out.String()
}

func isName(text string) bool {
	for i := range len(text) {
		if text[i] == '.' || !isNamePart(text[i]) || i == 0 && text[i] >= '0' && text[i] <= '9' {
			return false
		}
	}
	return text != ""
}

// outliner takes one expression apart.
type outliner struct {
	dialect   *Dialect
	source    string
	predicate int // how many predicates stand around what is read: there, # has a value that is not known here
}

func (r *outliner) outline(node ast.Node) *Outline {
	if chain, ok := node.(*ast.ChainNode); ok {
		return r.outline(chain.Node)
	}
	o := &Outline{normal: node.String()}
	from, to := extent(r.source, node)
	o.Offset, o.Text = from, r.source[from:to]
	switch n := node.(type) {
	case *ast.IdentifierNode:
		r.identifier(o, n)
	case *ast.MemberNode:
		r.member(o, n)
	case *ast.UnaryNode:
		r.unary(o, n)
	case *ast.BinaryNode:
		r.operation(o, n.Operator, n.Left, n.Right)
	case *ast.CallNode:
		r.call(o, n)
	case *ast.PredicateNode:
		r.predicate++
		r.below(o, n)
		r.predicate--
	default:
		if value, ok := constantOf(node); ok {
			o.Kind, o.Value = Constant, value
			break
		}
		r.below(o, node)
	}
	r.fold(o)
	return o
}

// below reads what stands below a node that is none of the others.
func (r *outliner) below(o *Outline, node ast.Node) {
	for _, child := range childrenOf(node) {
		part := r.outline(child)
		o.Operands, o.varies = append(o.Operands, part), o.varies || part.varies
	}
}

func (r *outliner) identifier(o *Outline, n *ast.IdentifierNode) {
	if _, ours := envelope()[n.Value]; ours {
		o.Kind, o.Path = Path, []any{n.Value}
	}
}

func (r *outliner) member(o *Outline, n *ast.MemberNode) {
	base := r.outline(n.Node)
	step, constant := constantStep(n.Property)
	if base.Kind == Path && constant && !n.Method {
		o.Kind, o.Path = Path, append(slices.Clone(base.Path), step)
		return
	}
	o.Operands, o.varies = []*Outline{base}, base.varies
	if !constant {
		property := r.outline(n.Property)
		o.Operands, o.varies = append(o.Operands, property), o.varies || property.varies
	}
}

func (r *outliner) unary(o *Outline, n *ast.UnaryNode) {
	if value, ok := constantOf(n); ok {
		o.Kind, o.Value = Constant, value
		return
	}
	r.operation(o, n.Operator, n.Node)
}

func (r *outliner) operation(o *Outline, operator string, operands ...ast.Node) {
	o.Kind, o.Operator = Operation, operator
	switch operator {
	case "and":
		o.Operator = "&&"
	case "or":
		o.Operator = "||"
	case "!":
		o.Operator = "not"
	}
	var normal []string
	for _, operand := range operands {
		part := r.outline(operand)
		o.Operands, o.varies = append(o.Operands, part), o.varies || part.varies
	}
	parts := o.Operands
	if o.Operator == "&&" || o.Operator == "||" {
		parts = o.chain(o.Operator)
	}
	for _, part := range parts {
		normal = append(normal, part.normal)
	}
	switch {
	case o.Operator == "&&" || o.Operator == "||":
		slices.Sort(normal)
		o.normal = "(" + strings.Join(slices.Compact(normal), " "+o.Operator+" ") + ")"
	case len(normal) == 1:
		o.normal = o.Operator + "(" + normal[0] + ")"
	default:
		o.normal = "(" + strings.Join(normal, " "+o.Operator+" ") + ")"
	}
}

// call reads a function's arguments. What changed() is asked of is a path below entry.data.
func (r *outliner) call(o *Outline, n *ast.CallNode) {
	callee, named := n.Callee.(*ast.IdentifierNode)
	if !named {
		r.below(o, n)
		return
	}
	for _, argument := range n.Arguments {
		part := r.outline(argument)
		o.Operands, o.varies = append(o.Operands, part), o.varies || part.varies
	}
	o.varies = o.varies || needsScope(callee.Value)
	if name, ok := o.firstText(); ok && callee.Value == "changed" {
		part := o.Operands[0]
		part.Kind, part.Path = Path, []any{"entry", "data"}
		for step := range strings.SplitSeq(name, ".") {
			part.Path = append(part.Path, step)
		}
	}
}

func (o *Outline) firstText() (string, bool) {
	if len(o.Operands) == 0 {
		return "", false
	}
	text, ok := o.Operands[0].Value.(string)
	return text, ok
}

// fold makes a constant of what is made of constants only, such as 2 * 250 or 1 > 2.
func (r *outliner) fold(o *Outline) {
	if o.Kind != Operation && o.Kind != Other || o.varies || r.predicate > 0 || o.reads() {
		return
	}
	p, err := r.dialect.compile(o.Text, false)
	if err != nil {
		return // it uses a name that is declared around it
	}
	value, err := NewScope(&peanuts.Event{Fields: map[string]any{}}, time.Time{}, nil).run(p)
	if err != nil {
		return
	}
	switch value.(type) {
	case nil, bool, string, int64, int, float64:
		o.Kind, o.Value, o.Operands = Constant, value, nil
	}
}

// reads tells whether the expression looks at the event.
func (o *Outline) reads() bool {
	found := false
	o.Each(func(part *Outline) { found = found || part.Kind == Path })
	return found
}
