package condition

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"math/big"
	"reflect"
	"strconv"
	"strings"
	"time"
)

// print writes a value for people: computed numbers as plain decimals, times in the zone, lists with commas.
func (d *Dialect) print(value any) (string, error) {
	switch v := value.(type) {
	case nil:
		return "", nil
	case string:
		return v, nil
	case bool:
		return strconv.FormatBool(v), nil
	case time.Time:
		return v.In(d.zone).Format(time.RFC3339), nil
	case fmt.Stringer: // a span, a time.Duration, a time.Month
		return v.String(), nil
	case map[string]any:
		text, err := asJSON(v)
		return string(text), err
	}
	if n, ok := asNumber(value); ok {
		return n.String(), nil
	}
	if list, ok := asList(value); ok {
		return d.joined(list, ", ")
	}
	return "", fmt.Errorf("%s cannot be printed", typeName(value))
}

// String prints a number as a plain decimal, without an exponent below 1e21.
func (n number) String() string {
	if !n.isFloat {
		return strconv.FormatInt(n.whole, 10)
	}
	if math.Abs(n.float) >= 1e21 {
		return strconv.FormatFloat(n.float, 'g', -1, 64)
	}
	if n.float == 0 {
		return "0" // also of -0
	}
	return strconv.FormatFloat(n.float, 'f', -1, 64)
}

// plain writes a number's text, as it was sent, without an exponent: 1e3 as 1000, 612.50 as it stands.
func plain(literal string) string {
	mantissa, exponent, found := strings.Cut(strings.ToLower(literal), "e")
	if !found {
		return literal
	}
	shift, err := strconv.Atoi(exponent)
	if err != nil || shift > 20 || shift < -400 {
		return literal
	}
	mantissa, negative := strings.CutPrefix(mantissa, "-")
	whole, fraction, _ := strings.Cut(mantissa, ".")
	digits, point := whole+fraction, len(whole)+shift
	if point < 1 {
		digits, point = strings.Repeat("0", 1-point)+digits, 1
	}
	if point > len(digits) {
		digits += strings.Repeat("0", point-len(digits))
	}
	text := strings.TrimLeft(digits[:point], "0")
	if text == "" {
		text = "0"
	}
	if rest := digits[point:]; rest != "" {
		text += "." + rest
	}
	if negative {
		text = "-" + text
	}
	return text
}

// jsonValue writes a value as JSON.
func (d *Dialect) jsonValue(value any) (json.RawMessage, error) {
	switch v := value.(type) {
	case time.Time, fmt.Stringer:
		text, err := d.print(v)
		if err != nil {
			return nil, err
		}
		return asJSON(text)
	case string, bool, nil, map[string]any:
		return asJSON(v)
	}
	if n, ok := asNumber(value); ok {
		if math.IsInf(n.float, 0) || math.IsNaN(n.float) {
			return nil, errors.New("a number that JSON cannot hold")
		}
		return json.RawMessage(n.String()), nil
	}
	return asJSON(value)
}

func asJSON(value any) (json.RawMessage, error) {
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(value); err != nil {
		return nil, errors.New("a value that JSON cannot hold")
	}
	return bytes.TrimSuffix(out.Bytes(), []byte("\n")), nil
}

// fixed prints a number with a fixed number of decimal places, halves rounded away from zero.
func fixed(_ *Scope, args []any) (any, error) {
	if args[0] == nil {
		return nil, nil
	}
	places, ok := asNumber(args[1])
	if !ok || places.isFloat || places.whole < 0 || places.whole > 20 {
		return nil, errors.New("fixed() takes 0 to 20 decimal places")
	}
	return fixedText("fixed", args[0], int(places.whole))
}

func fixedText(function string, value any, places int) (string, error) {
	n, ok := asNumber(value)
	if !ok || n.isFloat && (math.IsInf(n.float, 0) || math.IsNaN(n.float)) {
		return "", fmt.Errorf("%s() takes a number or a text that is one, not %s", function, typeName(value))
	}
	exact, ok := new(big.Rat).SetString(n.String())
	if !ok {
		return "", fmt.Errorf("%s() takes a number or a text that is one, not %s", function, typeName(value))
	}
	return exact.FloatString(places), nil
}

// money prints an amount with the sign of its currency and separated thousands: $1,843.20. A currency without a
// sign of its own stands as its code: CHF 1,843.20.
func money(_ *Scope, args []any) (any, error) {
	if args[0] == nil || args[1] == nil {
		return nil, nil
	}
	currency, ok := args[1].(string)
	if !ok {
		return nil, fmt.Errorf("money() takes the currency as text, not %s", typeName(args[1]))
	}
	places := 2
	switch currency {
	case "JPY", "KRW", "VND", "CLP", "ISK": // ISO 4217: no minor unit
		places = 0
	case "BHD", "KWD", "OMR", "TND", "JOD":
		places = 3
	}
	text, err := fixedText("money", args[0], places)
	if err != nil {
		return nil, err
	}
	text, negative := strings.CutPrefix(text, "-")
	text = currencySign(currency) + thousands(text)
	if negative {
		text = "-" + text
	}
	return text, nil
}

func currencySign(currency string) string {
	signs := map[string]string{"USD": "$", "EUR": "€", "GBP": "£", "JPY": "¥", "INR": "₹", "KRW": "₩"}
	if sign, ok := signs[currency]; ok {
		return sign
	}
	return currency + " "
}

// thousands separates the whole digits of a decimal text by threes.
func thousands(text string) string {
	whole, fraction, hasFraction := strings.Cut(text, ".")
	for at := len(whole) - 3; at > 0; at -= 3 {
		whole = whole[:at] + "," + whole[at:]
	}
	if hasFraction {
		whole += "." + fraction
	}
	return whole
}

// isNil tells whether a value is absent, whatever type its nil has.
func isNil(value any) bool {
	if value == nil {
		return true
	}
	v := reflect.ValueOf(value)
	return (v.Kind() == reflect.Map || v.Kind() == reflect.Slice || v.Kind() == reflect.Pointer) && v.IsNil()
}
