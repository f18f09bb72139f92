package condition

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Expression is a compiled expression whose value is wanted.
type Expression struct {
	dialect *Dialect
	program *program
}

// Expression compiles an expression of any type. Its errors are of type *Error.
func (d *Dialect) Expression(source string) (*Expression, error) {
	p, err := d.compile(source, false)
	if err != nil {
		return nil, err
	}
	return &Expression{dialect: d, program: p}, nil
}

// Moment is the expression's value as a time; there is false when it is absent.
func (e *Expression) Moment(s *Scope) (moment time.Time, there bool, err error) {
	value, err := s.run(e.program)
	if err != nil {
		return time.Time{}, false, err
	}
	switch v := value.(type) {
	case nil:
		return time.Time{}, false, nil
	case time.Time:
		return v, true, nil
	case string:
		moment, err := parseMoment(v, e.dialect.zone)
		return moment, err == nil, err
	}
	return time.Time{}, false, fmt.Errorf("this is %s, not a time", typeName(value))
}

// Text is the expression's value as a message prints it; there is false when it is absent.
func (e *Expression) Text(s *Scope) (text string, there bool, err error) {
	return e.dialect.printed(s, e.program)
}

// maxDigits bounds the digits of a number that is added up, before and behind the point.
const maxDigits = 400

var errNoNumber = errors.New("this is no number")

// Decimal is the expression's value as a decimal number, with every digit that was sent: a number, or a text that is
// exactly one. Its error says that it is something else, or nothing at all.
func (e *Expression) Decimal(s *Scope) (string, error) {
	value, err := s.run(e.program)
	if err != nil {
		return "", err
	}
	text := ""
	switch v := value.(type) {
	case nil:
		return "", errors.New("there is no value")
	case int64:
		text = strconv.FormatInt(v, 10)
	case float64:
		text = strconv.FormatFloat(v, 'f', -1, 64)
		if sent, ok := s.literal(e.program.path); ok {
			text = sent
		}
	case string:
		if _, ok := numberInText(v); !ok {
			return "", errNoNumber
		}
		text = v
	default:
		number, ok := asNumber(value)
		if !ok {
			return "", errNoNumber
		}
		text = strconv.FormatInt(number.whole, 10)
	}
	return text, bounded(text)
}

// literal is the number at a path just as it was sent.
func (s *Scope) literal(p path) (string, bool) {
	if p == nil {
		return "", false
	}
	sent, ok := s.sent(p)
	return strings.TrimSpace(string(sent)), ok
}

// bounded refuses numbers that a sum of would be too long to write, such as 1e-999999999.
func bounded(text string) error {
	mantissa, exponent, scientific := strings.Cut(strings.ToLower(text), "e")
	power := 0
	if scientific {
		var err error
		if power, err = strconv.Atoi(exponent); err != nil || power > maxDigits || power < -maxDigits {
			return errors.New("this number is too large or too small to be added up")
		}
	}
	if len(mantissa) > maxDigits || strings.HasPrefix(text, "+") || strings.ContainsAny(text, "IN") {
		return errors.New("this number is too large or too small to be added up")
	}
	return nil
}
