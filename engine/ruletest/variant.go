package ruletest

import (
	"encoding/json"
	"math/big"
	"strconv"
	"strings"
)

// variant is a value that is tried in the place of a constant.
type variant struct {
	what   string
	value  any
	absent bool
}

// variants are the values around a constant, where a comparison with it turns; given is what the event has now.
func variants(operator string, constant, given any) []variant {
	var all []variant
	switch v := constant.(type) {
	case int64:
		all = aroundNumber(strconv.FormatInt(v, 10))
	case float64:
		all = aroundNumber(strconv.FormatFloat(v, 'f', -1, 64))
	case string:
		all = aroundText(operator, v)
	case bool:
		all = []variant{{what: "the same", value: v}, {what: "the other", value: !v}, {what: "as text", value: strconv.FormatBool(v)}}
	case []any:
		for _, item := range v {
			all = append(all, variant{what: "of the list", value: item})
		}
		all = append(all, variant{what: "another", value: "none of these"})
	default:
		if given != nil && given != "x" {
			all = append(all, variant{what: "as given", value: given})
		}
		all = append(all, variant{what: "a text", value: "x"}, variant{what: "empty text", value: ""})
	}
	return append(all, variant{what: "null"}, variant{what: "absent", absent: true})
}

// aroundNumber are a number, the next below and above it by a hundredth, or by its own last digit where that is finer,
// and the number as text.
func aroundNumber(text string) []variant {
	number, ok := new(big.Rat).SetString(text)
	if !ok {
		return nil
	}
	_, fraction, _ := strings.Cut(text, ".")
	places := max(2, len(fraction))
	step := new(big.Rat).SetFrac(big.NewInt(1), new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(places)), nil))
	below := new(big.Rat).Sub(number, step).FloatString(places)
	above := new(big.Rat).Add(number, step).FloatString(places)
	return []variant{
		{what: "below", value: json.Number(below)}, {what: "at", value: json.Number(text)}, {what: "above", value: json.Number(above)},
		{what: "as text", value: text},
	}
}

// aroundText are a text, the same in other letters, another, and none.
func aroundText(operator, text string) []variant {
	another := text + "x"
	switch operator {
	case "contains", "startsWith", "endsWith", "matches":
		another = "?"
	}
	all := []variant{{what: "the same", value: text}}
	if other := otherCase(text); other != text {
		all = append(all, variant{what: "other case", value: other})
	}
	return append(all, variant{what: "another", value: another}, variant{what: "empty text", value: ""})
}

// otherCase is a text in small letters, or in capitals where it is small already.
func otherCase(text string) string {
	if small := strings.ToLower(text); small != text {
		return small
	}
	return strings.ToUpper(text)
}
