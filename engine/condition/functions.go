package condition

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/expr-lang/expr"
)

// function is one function of the language: its name, its signatures as expr checks them, and what it does. Those
// with a scope are called with it as their first argument.
type function struct {
	name       string
	signatures []any
	call       func(s *Scope, args []any) (any, error)
}

// needsScope tells whether calls of the function are handed the scope.
func needsScope(name string) bool { return name == "now" || name == "days_until" || name == "changed" }

// all are the functions besides those of expr that we leave as they are. Nil stays nil: what is absent stays absent.
func (d *Dialect) all() []function {
	return []function{
		{name: "now", signatures: []any{new(func() time.Time)}, call: func(s *Scope, _ []any) (any, error) { return s.now.In(d.zone), nil }},
		{name: "changed", signatures: []any{new(func(string) bool)}, call: changed},
		{name: "date", signatures: []any{new(func(any) time.Time)}, call: d.date},
		{name: "duration", signatures: []any{new(func(string) time.Duration), new(func(any) time.Duration)}, call: duration},
		{name: "day", signatures: []any{new(func(any) string)}, call: d.day},
		{name: "format", signatures: []any{new(func(any, string) string)}, call: d.format},
		{name: "weekday", signatures: []any{new(func(any) string)}, call: d.weekday},
		{name: "days_until", signatures: []any{new(func(any) int)}, call: d.daysUntil},
		{name: "number", signatures: []any{new(func(any) any)}, call: toNumber},
		{name: "int", signatures: []any{new(func(any) int)}, call: toInt},
		{name: "float", signatures: []any{new(func(any) float64)}, call: toFloat},
		{name: "string", signatures: []any{new(func(any) string)}, call: d.toText},
		{name: "money", signatures: []any{new(func(any, string) string), new(func(any, any) string)}, call: money},
		{name: "fixed", signatures: []any{new(func(any, int) string)}, call: fixed},
		{name: "join", signatures: []any{new(func(any) string), new(func(any, string) string)}, call: d.join},
		{name: "split", signatures: []any{new(func(any, string) []any), new(func(any, string, int) []any)}, call: split},
		{name: "replace", signatures: []any{new(func(any, string, string) string)}, call: replace},
		{name: "repeat", signatures: []any{new(func(any, int) string)}, call: repeat},
	}
}

// signatures declares the functions as expressions are checked against.
func (d *Dialect) signatures() []expr.Option {
	var options []expr.Option
	for _, f := range d.all() {
		options = append(options, expr.Function(f.name, func(...any) (any, error) {
			return nil, errors.New("only for checking")
		}, f.signatures...))
	}
	return options
}

// functions declares the functions as expressions call them.
func (d *Dialect) functions() []expr.Option {
	var options []expr.Option
	for _, f := range d.all() {
		options = append(options, expr.Function(f.name, func(params ...any) (any, error) {
			if needsScope(f.name) {
				return f.call(params[0].(*Scope), params[1:])
			}
			return f.call(nil, params)
		}))
	}
	return options
}

// methodAllowed tells whether a method may be called: those of times and durations that only read.
func methodAllowed(name string) bool {
	return slices.Contains([]string{
		"Year", "Month", "Day", "Hour", "Minute", "Second", "Weekday", "YearDay", "Unix", "UnixMilli",
		"Before", "After", "Equal", "Hours", "Minutes", "Seconds", "Milliseconds",
	}, name)
}

func toNumber(_ *Scope, args []any) (any, error) {
	if args[0] == nil {
		return nil, nil
	}
	n, ok := asNumber(args[0])
	if !ok {
		return nil, fmt.Errorf("number() takes a number or a text that is one, not %s", typeName(args[0]))
	}
	if n.isFloat {
		return n.float, nil
	}
	return n.whole, nil
}

func toInt(_ *Scope, args []any) (any, error) {
	n, ok := asNumber(args[0])
	if !ok {
		return nil, fmt.Errorf("int() takes a number or a text that is one, not %s", typeName(args[0]))
	}
	if !n.isFloat {
		return n.whole, nil
	}
	if whole := math.Trunc(n.float); whole >= -(1<<63) && whole < 1<<63 {
		return int64(whole), nil
	}
	return nil, errOverflow
}

func toFloat(_ *Scope, args []any) (any, error) {
	n, ok := asNumber(args[0])
	if !ok {
		return nil, fmt.Errorf("float() takes a number or a text that is one, not %s", typeName(args[0]))
	}
	return n.asFloat(), nil
}

func (d *Dialect) toText(_ *Scope, args []any) (any, error) {
	if args[0] == nil {
		return nil, nil
	}
	return d.print(args[0])
}

func (d *Dialect) join(_ *Scope, args []any) (any, error) {
	list, ok := asList(args[0])
	if !ok {
		if args[0] == nil {
			return nil, nil
		}
		return nil, fmt.Errorf("join() takes a list, not %s", typeName(args[0]))
	}
	separator := ", "
	if len(args) == 2 {
		given, ok := args[1].(string)
		if !ok {
			return nil, fmt.Errorf("join() takes a text between the items, not %s", typeName(args[1]))
		}
		separator = given
	}
	return d.joined(list, separator)
}

func (d *Dialect) joined(list []any, separator string) (string, error) {
	var out strings.Builder
	for i, item := range list {
		if i > 0 {
			out.WriteString(separator)
		}
		text, err := d.print(item)
		if err != nil {
			return "", err
		}
		if out.WriteString(text); out.Len() > maxText {
			return "", errTooLong
		}
	}
	return out.String(), nil
}

// textArguments are the leading arguments of a function as text; absent ones are an error.
func textArguments(name string, args []any, n int) ([]string, error) {
	var given []string
	for _, arg := range args[:n] {
		text, ok := arg.(string)
		if !ok {
			return nil, fmt.Errorf("%s() takes text, not %s", name, typeName(arg))
		}
		given = append(given, text)
	}
	return given, nil
}

func split(_ *Scope, args []any) (any, error) {
	text, err := textArguments("split", args, 2)
	if err != nil {
		return nil, err
	}
	if len(text[0]) > maxText {
		return nil, errTooLong
	}
	most := -1
	if len(args) == 3 {
		n, ok := asNumber(args[2])
		if !ok || n.isFloat {
			return nil, errors.New("split() takes a whole number of parts")
		}
		most = int(n.whole)
	}
	parts := []any{}
	for _, part := range strings.SplitN(text[0], text[1], most) {
		parts = append(parts, part)
	}
	return parts, nil
}

func replace(_ *Scope, args []any) (any, error) {
	text, err := textArguments("replace", args, 3)
	if err != nil {
		return nil, err
	}
	grown := len(text[0]) + strings.Count(text[0], text[1])*(len(text[2])-len(text[1]))
	if len(text[0]) > maxText || grown > maxText {
		return nil, errTooLong
	}
	return strings.ReplaceAll(text[0], text[1], text[2]), nil
}

func repeat(_ *Scope, args []any) (any, error) {
	text, err := textArguments("repeat", args, 1)
	if err != nil {
		return nil, err
	}
	n, ok := asNumber(args[1])
	if !ok || n.isFloat || n.whole < 0 {
		return nil, errors.New("repeat() takes a whole number that is not negative")
	}
	if n.whole > maxText || int64(len(text[0]))*n.whole > maxText {
		return nil, errTooLong
	}
	return strings.Repeat(text[0], int(n.whole)), nil
}
