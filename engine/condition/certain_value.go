package condition

import (
	"math"
	"slices"
	"time"
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
