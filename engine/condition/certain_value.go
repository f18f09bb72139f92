package condition

import (
	"math"
	"slices"
	"time"
)

// outcome is what a condition comes to for the values that a witness stands for.
type outcome int

const (
	either outcome = iota // it differs among them, or is not known
	holds
	fails
)

// witness stands for all values of a path that the comparisons of a condition cannot tell apart.
type witness struct {
	value any
	// text is set when it stands for texts that are numbers: they compare with texts by it, with all else by value.
	text  string
	ghost bool
	exact bool // there is just this value
}

// maxConstants is how many constants a path may be compared with for its witnesses to be told.
const maxConstants = 32

// witnesses are values of a path, one for each sort that the conditions could tell apart; ok is false when there are too
// many.
func (p prover) witnesses(path string, conditions []*Outline) (all []witness, ok bool) {
	given, isText := p.given[path]
	if isText && given.Only != nil {
		for _, text := range given.Only {
			if !slices.Contains(given.Except, text) {
				all = append(all, witness{value: text, exact: true})
			}
		}
		return all, true
	}
	numbers, texts := constants(conditions)
	texts = append(texts, given.Except...)
	slices.Sort(texts)
	texts = slices.Compact(texts)
	if len(numbers)+len(texts) > maxConstants {
		return nil, false
	}
	all = textWitnesses(numbers, texts)
	if isText {
		return slices.DeleteFunc(all, func(w witness) bool {
			return w.exact && (w.value == "" || slices.Contains(given.Except, w.value.(string)))
		}), true
	}
	for _, value := range []any{nil, true, false} {
		all = append(all, witness{value: value, exact: true})
	}
	for _, value := range append(numberSorts(numbers), []any{}, map[string]any{}, time.Unix(0, 0)) {
		all = append(all, witness{value: value})
	}
	return all, true
}

// constants are the numbers and texts that conditions compare their path with. A text that is a number is both.
func constants(conditions []*Outline) (numbers []any, texts []string) {
	add := func(value any) {
		if text, ok := value.(string); ok {
			texts = append(texts, text)
		}
		if n, ok := asNumber(value); ok {
			numbers = append(numbers, n.value())
		}
	}
	for _, condition := range conditions {
		condition.Each(func(part *Outline) {
			list, isList := part.Value.([]any)
			for _, item := range list {
				add(item)
			}
			if part.Kind == Constant && !isList {
				add(part.Value)
			}
		})
	}
	return numbers, texts
}

func (n number) value() any {
	if n.isFloat {
		return n.float
	}
	return n.whole
}

// numberSorts are the numbers, and one between each two neighbours and on either side.
func numberSorts(numbers []any) []any {
	sorts := []any{math.Inf(-1), math.Inf(1), int64(0)}
	for _, a := range numbers {
		n, _ := asNumber(a)
		sorts = append(sorts, a, math.Nextafter(n.asFloat(), math.Inf(-1)), math.Nextafter(n.asFloat(), math.Inf(1)))
		if !n.isFloat && n.whole > math.MinInt64 && n.whole < math.MaxInt64 {
			sorts = append(sorts, n.whole-1, n.whole+1)
		}
	}
	return sorts
}

// textWitnesses are the texts, and one between each two neighbours and on either side: plain ones, and such as are
// numbers, of every sort of number.
func textWitnesses(numbers []any, texts []string) []witness {
	var all []witness
	var between []string
	if len(texts) == 0 || texts[0] != "" {
		between = append(between, "")
		all = append(all, witness{value: "", exact: true})
	}
	for i, text := range texts {
		all = append(all, witness{value: text, exact: true})
		if after := text + "\x00"; i+1 == len(texts) || after < texts[i+1] {
			between = append(between, after)
		}
	}
	for _, text := range between {
		all = append(all, witness{value: text})
		for _, number := range numberSorts(numbers) {
			all = append(all, witness{value: number, text: text, ghost: true})
		}
	}
	return all
}

// judge tells what the condition comes to for the values that a witness of its only path stands for.
func (o *Outline) judge(w witness) outcome {
	switch o.Kind {
	case Constant:
		return outcomeOf(o.Value == true)
	case Path:
		return outcomeOf(w.value == true)
	case Operation:
		switch o.Operator {
		case "not":
			return o.Operands[0].judge(w).reversed()
		case "&&", "||":
			return o.joined(w)
		}
		if o.isComparison() {
			return o.compare(w)
		}
	}
	return either
}

func (o *Outline) joined(w witness) outcome {
	decides := fails
	if o.Operator == "||" {
		decides = holds
	}
	joined := decides.reversed()
	for _, operand := range o.Operands {
		switch operand.judge(w) {
		case decides:
			return decides
		case either:
			joined = either
		}
	}
	return joined
}

func outcomeOf(truth bool) outcome {
	if truth {
		return holds
	}
	return fails
}

func (v outcome) reversed() outcome {
	switch v {
	case holds:
		return fails
	case fails:
		return holds
	}
	return either
}

// compare judges a comparison of the path with a constant, or with itself.
func (o *Outline) compare(w witness) outcome {
	left, right := o.Operands[0].against(o.Operands[1], w), o.Operands[1].against(o.Operands[0], w)
	switch o.Operator {
	case "==", "!=":
		if !isScalar(left) || !isScalar(right) {
			return o.ofLists(left, right, w)
		}
		return outcomeOf(equal(left, right) == (o.Operator == "=="))
	case "<":
		return outcomeOf(compare(left, right) == less)
	case "<=":
		return outcomeOf(compare(left, right) <= same)
	case ">":
		return outcomeOf(compare(left, right) == more)
	case ">=":
		return outcomeOf(compare(left, right) == same || compare(left, right) == more)
	}
	if left == nil || right == nil {
		return fails
	}
	if list, ok := right.([]any); ok && o.Operator == "in" && o.Operands[1].Kind == Constant {
		return o.isAmong(list, w)
	}
	if !w.exact {
		return either
	}
	truth, _, err := comparisons()[o.Operator](left, right, site{})
	if err != nil {
		return either
	}
	return outcomeOf(truth)
}

// against is the value of one side of a comparison with another.
func (o *Outline) against(other *Outline, w witness) any {
	if o.Kind == Constant {
		return o.Value
	}
	if _, isText := other.Value.(string); w.ghost && isText && other.Kind == Constant {
		return w.text
	}
	return w.value
}

// ofLists judges == and != where a side is no scalar. The witness of lists stands for any list, so that it is open what it
// equals, but itself and scalars.
func (o *Outline) ofLists(left, right any, w witness) outcome {
	itself := o.Operands[0].Kind == Path && o.Operands[1].Kind == Path
	switch {
	case itself:
		return outcomeOf(o.Operator == "==")
	case o.Operands[0].Kind == Constant && !isScalar(left), o.Operands[1].Kind == Constant && !isScalar(right):
		if w.value != nil && !isScalar(w.value) {
			return either
		}
	}
	return outcomeOf(o.Operator == "!=")
}

func isScalar(value any) bool {
	switch value.(type) {
	case nil, bool, string, int64, int, float64:
		return true
	}
	return false
}

// isAmong judges whether the path is in a list of constants.
func (o *Outline) isAmong(list []any, w witness) outcome {
	for _, item := range list {
		if !isScalar(item) {
			return either
		}
		value := w.value
		if _, isText := item.(string); isText && w.ghost {
			value = w.text
		}
		if item != nil && equal(value, item) {
			return holds
		}
	}
	return fails
}
