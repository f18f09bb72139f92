package condition

import (
	"errors"
	"fmt"
	"math"
	"time"
)

var (
	errOverflow = errors.New("a whole number grew beyond 64 bits")
	errTooLong  = errors.New("a text grew beyond its bound of 65536 bytes")
)

// maxText is how long a text may grow in an expression, in bytes.
const maxText = 64 << 10

// add is +: of numbers, texts, and times with durations.
func (d *Dialect) add(a, b any) (any, error) {
	switch x := a.(type) {
	case string:
		if y, ok := b.(string); ok {
			if len(x)+len(y) > maxText {
				return nil, errTooLong
			}
			return x + y, nil
		}
	case time.Time:
		if y, ok := asSpan(b); ok {
			return y.after(x, d.zone), nil
		}
	}
	if x, ok := asSpan(a); ok {
		switch y := b.(type) {
		case time.Time:
			return x.after(y, d.zone), nil
		case span, time.Duration:
			z, _ := asSpan(y)
			return span{days: x.days + z.days, rest: x.rest + z.rest}, nil
		}
	}
	return arithmetic("+", a, b)
}

// subtract is -: of numbers, times, and times with durations.
func (d *Dialect) subtract(a, b any) (any, error) {
	if y, ok := asSpan(b); ok {
		if _, isTime := a.(time.Time); isTime {
			return d.add(a, y.negated())
		}
		if _, isSpan := asSpan(a); isSpan {
			return d.add(a, y.negated())
		}
	}
	if x, ok := a.(time.Time); ok {
		if y, ok := b.(time.Time); ok {
			return x.Sub(y), nil
		}
	}
	return arithmetic("-", a, b)
}

// arithmetic works on two numbers, checking whole ones for overflow. Text is no number here: number() makes it one.
func arithmetic(operator string, a, b any) (any, error) {
	x, ok := operand(a)
	y, ok2 := operand(b)
	if !ok || !ok2 {
		return nil, fmt.Errorf("%s is not possible between %s and %s", operator, typeName(a), typeName(b))
	}
	if operator == "%" {
		return modulo(x, y)
	}
	if operator == "**" || x.isFloat || y.isFloat {
		return floats(operator, x.asFloat(), y.asFloat()), nil
	}
	return wholes(operator, x.whole, y.whole)
}

func operand(value any) (number, bool) {
	if _, isText := value.(string); isText || value == nil {
		return number{}, false
	}
	return asNumber(value)
}

func (n number) asFloat() float64 {
	if n.isFloat {
		return n.float
	}
	return float64(n.whole)
}

func floats(operator string, x, y float64) float64 {
	switch operator {
	case "+":
		return x + y
	case "-":
		return x - y
	case "*":
		return x * y
	}
	return math.Pow(x, y)
}

func wholes(operator string, x, y int64) (any, error) {
	var result int64
	overflow := false
	switch operator {
	case "+":
		result = x + y
		overflow = (result > x) != (y > 0) && y != 0
	case "-":
		result = x - y
		overflow = (result < x) != (y > 0) && y != 0
	case "*":
		result = x * y
		overflow = x != 0 && (result/x != y || x == -1 && y == math.MinInt64)
	}
	if overflow {
		return nil, errOverflow
	}
	return result, nil
}

func modulo(x, y number) (any, error) {
	if x.isFloat || y.isFloat {
		return nil, errors.New("% is possible between whole numbers only")
	}
	if y.whole == 0 {
		return nil, errors.New("% by zero")
	}
	if y.whole == -1 {
		return int64(0), nil
	}
	return x.whole % y.whole, nil
}

// typeName is a value's type in words for people.
func typeName(value any) string {
	switch value.(type) {
	case nil:
		return "an absent value"
	case string:
		return "text"
	case bool:
		return "a boolean"
	case time.Time:
		return "a time"
	case span, time.Duration:
		return "a duration"
	case map[string]any:
		return "an object"
	}
	if _, ok := asNumber(value); ok {
		return "a number"
	}
	if _, ok := asList(value); ok {
		return "a list"
	}
	return "a value of another kind"
}
