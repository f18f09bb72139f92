package condition

import (
	"cmp"
	"math"
	"math/big"
	"reflect"
	"strconv"
	"time"

	"github.com/go-json-experiment/json/jsontext"
)

// order is how two values stand to each other.
type order int

const (
	less         order = -1
	same         order = 0
	more         order = 1
	absent       order = 2 // one of them is not there
	incomparable order = 3 // one of them is of the wrong type
)

// compare orders two values by the table of the rules' language.
func compare(a, b any) order {
	if a == nil || b == nil {
		return absent
	}
	if x, ok := a.(string); ok {
		if y, ok := b.(string); ok {
			return order(cmp.Compare(x, y))
		}
	}
	if x, ok := a.(time.Time); ok {
		if y, ok := b.(time.Time); ok {
			return order(x.Compare(y))
		}
		return incomparable
	}
	if x, ok := asSpan(a); ok {
		if y, ok := asSpan(b); ok {
			return order(cmp.Compare(x.length(), y.length()))
		}
		return incomparable
	}
	return compareNumbers(a, b)
}

func compareNumbers(a, b any) order {
	x, ok := asNumber(a)
	if !ok {
		return incomparable
	}
	y, ok := asNumber(b)
	if !ok {
		return incomparable
	}
	return x.compare(y)
}

// number is a whole number or a float.
type number struct {
	whole   int64
	float   float64
	isFloat bool
}

// asNumber takes a number, or a text that is exactly a JSON number.
func asNumber(value any) (number, bool) {
	switch v := value.(type) {
	case int64:
		return number{whole: v}, true
	case float64:
		return number{float: v, isFloat: true}, true
	case int:
		return number{whole: int64(v)}, true
	case string:
		return numberInText(v)
	}
	switch v := reflect.ValueOf(value); v.Kind() {
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64: // a time.Month, say
		return number{whole: v.Int()}, true
	}
	return number{}, false
}

// numberInText reads a text that is exactly a JSON number: not "007", not " 7", not "+7".
func numberInText(text string) (number, bool) {
	if text == "" || len(text) > 400 || text[0] != '-' && (text[0] < '0' || text[0] > '9') {
		return number{}, false
	}
	if last := text[len(text)-1]; last < '0' || last > '9' || !jsontext.Value(text).IsValid() {
		return number{}, false
	}
	if whole, err := strconv.ParseInt(text, 10, 64); err == nil {
		return number{whole: whole}, true
	}
	float, _ := strconv.ParseFloat(text, 64) // beyond float64 it is infinite, and compares as such
	return number{float: float, isFloat: true}, true
}

func (n number) compare(m number) order {
	switch {
	case !n.isFloat && !m.isFloat:
		return order(cmp.Compare(n.whole, m.whole))
	case n.isFloat && m.isFloat:
		if math.IsNaN(n.float) || math.IsNaN(m.float) {
			return incomparable
		}
		return order(cmp.Compare(n.float, m.float))
	case n.isFloat:
		return compareExactly(m.whole, n.float).reversed()
	}
	return compareExactly(n.whole, m.float)
}

// reversed is the order of the same two values the other way round.
func (o order) reversed() order {
	if o == incomparable {
		return o
	}
	return -o
}

// compareExactly compares without rounding the whole number to a float.
func compareExactly(whole int64, float float64) order {
	switch {
	case math.IsNaN(float):
		return incomparable
	case math.IsInf(float, 1):
		return less
	case math.IsInf(float, -1):
		return more
	}
	const exact = 1 << 53
	if whole > -exact && whole < exact {
		return order(cmp.Compare(float64(whole), float))
	}
	return order(new(big.Float).SetInt64(whole).Cmp(big.NewFloat(float)))
}

// equal is the one equality of ==, in and contains. Nothing equals an absent value but another.
func equal(a, b any) bool {
	if a == nil || b == nil {
		return a == nil && b == nil
	}
	switch x := a.(type) {
	case bool:
		y, ok := b.(bool)
		return ok && x == y
	case []any:
		return equalLists(x, b)
	case map[string]any:
		return equalObjects(x, b)
	}
	if list, ok := asList(a); ok {
		return equalLists(list, b)
	}
	return compare(a, b) == same
}

func equalLists(a []any, other any) bool {
	b, ok := asList(other)
	if !ok || len(a) != len(b) {
		return false
	}
	for i := range a {
		if !equal(a[i], b[i]) {
			return false
		}
	}
	return true
}

func equalObjects(a map[string]any, other any) bool {
	b, ok := other.(map[string]any)
	if !ok || len(a) != len(b) {
		return false
	}
	for name, value := range a {
		if twin, there := b[name]; !there || !equal(value, twin) {
			return false
		}
	}
	return true
}

// asList takes a list of any type of items: expr makes lists of its own, such as ranges.
func asList(value any) ([]any, bool) {
	if list, ok := value.([]any); ok {
		return list, true
	}
	v := reflect.ValueOf(value)
	if v.Kind() != reflect.Slice {
		return nil, false
	}
	list := make([]any, v.Len())
	for i := range list {
		list[i] = v.Index(i).Interface()
	}
	return list, true
}
