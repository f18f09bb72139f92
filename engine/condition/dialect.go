package condition

import (
	"sync"
	"time"

	"github.com/expr-lang/expr"
	"github.com/expr-lang/expr/ast"
	"github.com/expr-lang/expr/checker"
	"github.com/expr-lang/expr/compiler"
	"github.com/expr-lang/expr/conf"
	"github.com/expr-lang/expr/parser"
	"github.com/expr-lang/expr/types"
	"github.com/expr-lang/expr/vm"
)

const (
	maxNodes          = 1000 // of one expression
	maxPredicateDepth = 2    // of predicates inside one another
	scopeName         = "__scope"
	oldName           = "old"
)

// Dialect compiles expressions. It does not change and is safe for concurrent use.
type Dialect struct {
	zone     *time.Location
	standing bool
	configs  sync.Pool
}

// Config says what a Dialect takes for granted.
type Config struct {
	Zone *time.Location // of dates without one, of days and months; nil means UTC
	// Standing refuses what tells of more than the entry as it stands: old, changed() and the time now. What is made of
	// entries without them comes out the same whenever it is made.
	Standing bool
}

// New makes a Dialect.
func New(config Config) *Dialect {
	if config.Zone == nil {
		config.Zone = time.UTC
	}
	d := &Dialect{zone: config.Zone, standing: config.Standing}
	d.configs.New = d.newConfigs
	return d
}

// program is one compiled expression.
type program struct {
	source string
	code   *vm.Program
	// path is set when the expression is nothing but a path into the event.
	path   path
	guard  guard     // of a condition
	native evaluator // evaluates it without the machine; nil where that cannot be
}

// envelope is the shape that expressions are checked against. What it says is not relied upon when they run.
func envelope() types.Map {
	moment := types.TypeOf(time.Time{})
	return types.Map{
		"event":     types.String,
		"timestamp": moment,
		"helper":    types.Map{"id": types.String, "name": types.String, "command": types.String},
		"entry":     types.Map{"id": types.String, "created_at": moment, "data": types.Map{types.Extra: types.Any}},
		"user":      types.Map{"id": types.String},
		oldName:     types.Map{types.Extra: types.Any},
	}
}

// compile checks an expression against the envelope, then compiles it for events whose every leaf may be absent.
func (d *Dialect) compile(source string, boolean bool) (*program, error) {
	shared := d.configs.Get().(*configs)
	defer d.configs.Put(shared)
	if err := d.check(source, shared.checking[boolean]); err != nil {
		return nil, err
	}
	tree, err := parser.ParseWithConfig(source, shared.running)
	if err != nil {
		return nil, compileError(source, err)
	}
	p := &program{source: source}
	if boolean {
		p.guard = guardOf(tree.Node)
	}
	rewriting := &rewriter{dialect: d, source: source, calm: map[ast.Node]bool{}, boolean: map[ast.Node]bool{}}
	rewriting.readTexts(tree.Node)
	ast.Walk(&tree.Node, rewriting)
	if _, err := checker.Check(tree, shared.running); err != nil {
		return nil, compileError(source, err)
	}
	if p.code, err = compiler.Compile(tree, shared.running); err != nil {
		return nil, compileError(source, err)
	}
	p.path, _ = pathOf(tree.Node)
	p.native = nativeOf(tree.Node)
	return p, nil
}

// check reports what is wrong with an expression, in its own words and place.
func (d *Dialect) check(source string, config *conf.Config) error {
	checked, err := checker.ParseCheck(source, config)
	if err != nil {
		return compileError(source, err)
	}
	if err := checkTree(source, checked.Node); err != nil || !d.standing {
		return err
	}
	return checkStanding(source, checked.Node)
}

// parse reads an expression as it was written, which compiled once before.
func (d *Dialect) parse(source string) (*parser.Tree, error) {
	shared := d.configs.Get().(*configs)
	defer d.configs.Put(shared)
	return parser.ParseWithConfig(source, shared.running)
}

// configs are what expr takes for granted: costly to make, and for one compilation at a time.
type configs struct {
	checking map[bool]*conf.Config // by whether the expression has to be boolean
	running  *conf.Config
}

func (d *Dialect) newConfigs() any {
	checking := append(d.signatures(), expr.Env(envelope()), expr.MaxNodes(maxNodes), expr.Optimize(false), expr.Patch(visit(membershipOfAny)),
		expr.Function(anyCall, func(...any) (any, error) { return nil, nil }, new(func(any) any)))
	checking = append(checking, disabled()...)
	return &configs{
		checking: map[bool]*conf.Config{false: newConfig(checking), true: newConfig(append(checking, expr.AsBool()))},
		running:  newConfig(d.runOptions()),
	}
}

func newConfig(options []expr.Option) *conf.Config {
	config := conf.CreateNew()
	for _, option := range options {
		option(config)
	}
	for name := range config.Disabled {
		delete(config.Builtins, name)
	}
	return config
}

// membershipOfAny lets contains ask for a number, too: expr takes it for a question about text only.
func membershipOfAny(node *ast.Node) {
	if n, ok := (*node).(*ast.BinaryNode); ok && n.Operator == "contains" {
		call := &ast.CallNode{Callee: &ast.IdentifierNode{Value: anyCall}, Arguments: []ast.Node{n.Right}}
		call.SetLocation(n.Right.Location())
		n.Right = call
	}
}

// runOptions are those under which expressions run: nothing is in sight but the scope and our functions.
func (d *Dialect) runOptions() []expr.Option {
	options := []expr.Option{
		expr.Env(map[string]any{scopeName: (*Scope)(nil)}),
		expr.AllowUndefinedVariables(),
		expr.Optimize(false), // it would fold what our comparisons judge
		expr.MaxNodes(maxNodes),
	}
	options = append(options, d.operators()...)
	options = append(options, d.functions()...)
	return append(options, disabled()...)
}

// disabled are the builtins of expr that are replaced by nothing.
func disabled() []expr.Option {
	var options []expr.Option
	for _, name := range []string{"timezone", "fromJSON", "splitAfter"} {
		options = append(options, expr.DisableBuiltin(name))
	}
	return options
}

// Condition is a compiled condition.
type Condition struct {
	dialect *Dialect
	program *program
}

// Mismatch is a comparison that met a value of the wrong type.
type Mismatch struct {
	Expr   string // the comparison
	Offset int    // where it stands, in bytes of the source
	Value  any    // what was met
}

// Result is what a condition made of an event.
type Result struct {
	Holds      bool
	Mismatches []Mismatch // valid until the scope is used again
	Err        error      // the condition could not be judged
}

// Condition compiles a condition. Its errors are of type *Error.
func (d *Dialect) Condition(source string) (*Condition, error) {
	p, err := d.compile(source, true)
	if err != nil {
		return nil, err
	}
	return &Condition{dialect: d, program: p}, nil
}

// Judge tells whether the condition holds. One that a plain comparison rules out does not hold, whatever else of it goes
// wrong and wherever that stands: it is no matter of order.
func (c *Condition) Judge(s *Scope) Result {
	value, err := s.run(c.program)
	if err != nil {
		if c.program.guard.rulesOut(s) {
			return Result{}
		}
		return Result{Err: err}
	}
	holds := s.boolean(value, site{text: c.program.source})
	return Result{Holds: holds, Mismatches: s.mismatches}
}
