package condition

import (
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/expr-lang/expr"
)

// The names of our calls. A rule cannot use them: they are unknown where expressions are checked.
const (
	pathCall     = "__path"
	memberCall   = "__member"
	equalCall    = "__equal"
	booleanCall  = "__boolean"
	beginCall    = "__begin"
	leftCall     = "__left"
	rightCall    = "__right"
	addCall      = "__add"
	subtractCall = "__subtract"
	anyCall      = "__any" // only while checking: hides an operand's type
)

func comparisonCalls() map[string]string {
	return map[string]string{
		"<": "__less", "<=": "__atMost", ">": "__more", ">=": "__atLeast",
		"in": "__in", "contains": "__contains", "startsWith": "__startsWith", "endsWith": "__endsWith", "matches": "__matches",
	}
}

func arithmeticCalls() map[string]string {
	return map[string]string{
		"+": addCall, "-": subtractCall, "*": "__multiply", "%": "__modulo", "**": "__power", "^": "__power",
	}
}

// operation is one of our calls: a and b are its operands, s its scope.
type operation func(s *Scope, args []any) (any, error)

// operators declares our calls to expr. The first argument of each is the scope.
func (d *Dialect) operators() []expr.Option {
	options := []expr.Option{}
	declare := func(name string, op operation) {
		options = append(options, expr.Function(name, func(params ...any) (any, error) {
			return op(params[0].(*Scope), params[1:])
		}))
	}
	declare(pathCall, func(s *Scope, args []any) (any, error) { return s.value(args[0].(path)), nil })
	declare(memberCall, func(_ *Scope, args []any) (any, error) { return member(args[0], args[1]), nil })
	declare(equalCall, func(_ *Scope, args []any) (any, error) { return equal(args[0], args[1]), nil })
	declare(booleanCall, func(s *Scope, args []any) (any, error) { return s.boolean(args[0], args[1].(site)), nil })
	declare(beginCall, func(s *Scope, _ []any) (any, error) { return len(s.mismatches), nil })
	declare(leftCall, func(s *Scope, args []any) (any, error) { return s.left(args[0].(int), args[1].(bool)), nil })
	declare(rightCall, func(s *Scope, args []any) (any, error) { return s.right(args[0].(bool)), nil })
	declare(addCall, func(_ *Scope, args []any) (any, error) { return d.add(args[0], args[1]) })
	declare(subtractCall, func(_ *Scope, args []any) (any, error) { return d.subtract(args[0], args[1]) })
	for operator, name := range arithmeticCalls() {
		if name != addCall && name != subtractCall {
			operator = strings.ReplaceAll(operator, "^", "**")
			declare(name, func(_ *Scope, args []any) (any, error) { return arithmetic(operator, args[0], args[1]) })
		}
	}
	for operator, name := range comparisonCalls() {
		judge := comparisons()[operator]
		declare(name, func(s *Scope, args []any) (any, error) { return s.compared(judge, args[0], args[1], args[2].(site)) })
	}
	return options
}

// comparison judges two values that are both there; ok is false when one is of the wrong type.
type comparison func(a, b any, at site) (holds, ok bool, err error)

func comparisons() map[string]comparison {
	ordered := func(holds func(order) bool) comparison {
		return func(a, b any, _ site) (bool, bool, error) {
			o := compare(a, b)
			return o < absent && holds(o), o != incomparable, nil
		}
	}
	return map[string]comparison{
		"<":          ordered(func(o order) bool { return o == less }),
		"<=":         ordered(func(o order) bool { return o != more }),
		">":          ordered(func(o order) bool { return o == more }),
		">=":         ordered(func(o order) bool { return o != less }),
		"in":         func(a, b any, _ site) (bool, bool, error) { return isIn(a, b) },
		"contains":   func(a, b any, _ site) (bool, bool, error) { return contains(a, b) },
		"startsWith": texts(strings.HasPrefix),
		"endsWith":   texts(strings.HasSuffix),
		"matches":    matches,
	}
}

func texts(holds func(a, b string) bool) comparison {
	return func(a, b any, _ site) (bool, bool, error) {
		x, ok := a.(string)
		y, ok2 := b.(string)
		return ok && ok2 && holds(x, y), ok && ok2, nil
	}
}

func isIn(a, b any) (holds, ok bool, err error) {
	if object, isObject := b.(map[string]any); isObject {
		name, isText := a.(string)
		_, there := object[name]
		return isText && there, isText, nil
	}
	list, isList := asList(b)
	for _, item := range list {
		if item != nil && equal(a, item) {
			return true, true, nil
		}
	}
	return false, isList, nil
}

// contains asks a text for a part, or a list for a member.
func contains(a, b any) (holds, ok bool, err error) {
	if text, isText := a.(string); isText {
		part, isText := b.(string)
		return isText && strings.Contains(text, part), isText, nil
	}
	if _, isObject := a.(map[string]any); isObject {
		return false, false, nil
	}
	return isIn(b, a)
}

// maxPattern is how long a pattern that is made at run time may be.
const maxPattern = 1000

func matches(a, b any, at site) (holds, ok bool, err error) {
	text, isText := a.(string)
	if at.pattern != nil {
		return isText && at.pattern.MatchString(text), isText, nil
	}
	pattern, isPattern := b.(string)
	if !isText || !isPattern {
		return false, false, nil
	}
	if len(pattern) > maxPattern {
		return false, false, fmt.Errorf("a pattern of more than %d bytes", maxPattern)
	}
	compiled, err := regexp.Compile(pattern)
	if err != nil {
		return false, false, errors.New("the pattern of matches is no regular expression")
	}
	return compiled.MatchString(text), true, nil
}

// compared judges a comparison by the table: false when one side is absent, false and a mismatch when one is of the
// wrong type.
func (s *Scope) compared(judge comparison, a, b any, at site) (bool, error) {
	if a == nil || b == nil {
		return false, nil
	}
	holds, ok, err := judge(a, b, at)
	if err != nil {
		return false, err
	}
	if !ok {
		value := a
		if at.flipped {
			value = b
		}
		s.mismatches = append(s.mismatches, Mismatch{Expr: at.text, Offset: at.offset, Value: value})
	}
	return ok && holds, nil
}

// boolean is a value where true or false is expected: absent is false, anything else is false and a mismatch.
func (s *Scope) boolean(value any, at site) bool {
	switch v := value.(type) {
	case bool:
		return v
	case nil:
		return false
	}
	s.mismatches = append(s.mismatches, Mismatch{Expr: at.text, Offset: at.offset, Value: value})
	return false
}

// frame is an && whose left operand has been judged and whose right operand is being judged.
type frame struct {
	start, between int // how many mismatches there were before the left operand, and after it
	left           bool
}

// left judges the left operand of an && that began when there were start mismatches. It tells whether the right one
// is to be judged too: also when the left is false by a mismatch, which a plainly false right operand takes back.
func (s *Scope) left(start int, holds bool) bool {
	if !holds && len(s.mismatches) == start {
		return false
	}
	s.frames = append(s.frames, frame{start: start, between: len(s.mismatches), left: holds})
	return true
}

// right ends the && with its right operand.
func (s *Scope) right(holds bool) bool {
	last := len(s.frames) - 1
	f := s.frames[last]
	s.frames = s.frames[:last]
	if !holds && len(s.mismatches) == f.between {
		s.mismatches = s.mismatches[:f.start]
	}
	return f.left && holds
}
