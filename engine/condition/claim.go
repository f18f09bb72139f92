package condition

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// longestClaim bounds the text of a claim, in bytes. What is longer keeps its beginning and a digest of the whole.
const longestClaim = 256

// Claim is the expression's value as one text by which equal values of one type are known, and no others: 1 and 1.0 are
// 1, the text 1 is "1", a time is its instant in UTC. Unlike for ==, a text that is a number is no number. there is false
// when the value is absent. A list, an object or a span of time makes no claim, and is an error.
func (e *Expression) Claim(s *Scope) (claim string, there bool, err error) {
	value, err := s.run(e.program)
	if err != nil || isNil(value) {
		return "", false, err
	}
	claim, err = e.claimOf(s, value)
	if len(claim) > longestClaim {
		digest := sha256.Sum256([]byte(claim))
		claim = strings.ToValidUTF8(claim[:longestClaim-100], "") + "… sha256:" + hex.EncodeToString(digest[:])
	}
	return claim, err == nil, err
}

func (e *Expression) claimOf(s *Scope, value any) (string, error) {
	switch v := value.(type) {
	case string:
		text, err := asJSON(v)
		return string(text), err
	case bool:
		return strconv.FormatBool(v), nil
	case time.Time:
		return v.UTC().Format(time.RFC3339Nano), nil
	case float64:
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return "", errors.New("this is no number that two events could share")
		}
		if sent, ok := s.literal(e.program.path); ok {
			return canonical(sent)
		}
		return canonical(strconv.FormatFloat(v, 'f', -1, 64))
	}
	if n, ok := asNumber(value); ok && !isSpan(value) {
		return strconv.FormatInt(n.whole, 10), nil
	}
	return "", fmt.Errorf("this is %s; it must be a text, a number, true, false or a time", typeName(value))
}

func isSpan(value any) bool {
	_, ok := asSpan(value)
	return ok
}

// canonical is the one way to write a decimal number: no exponent, no zeros that could be left out, no sign of zero.
func canonical(literal string) (string, error) {
	if err := bounded(literal); err != nil {
		return "", errors.New("this number is too large or too small to be told from others")
	}
	mantissa, exponent, _ := strings.Cut(strings.ToLower(literal), "e")
	shift, _ := strconv.Atoi(exponent) // bounded; 0 without one
	mantissa, negative := strings.CutPrefix(mantissa, "-")
	whole, fraction, _ := strings.Cut(mantissa, ".")
	digits, point := whole+fraction, len(whole)+shift
	if point < 0 {
		digits, point = strings.Repeat("0", -point)+digits, 0
	}
	if point > len(digits) {
		digits += strings.Repeat("0", point-len(digits))
	}
	text := strings.TrimLeft(digits[:point], "0")
	if text == "" {
		text = "0"
	}
	if rest := strings.TrimRight(digits[point:], "0"); rest != "" {
		text += "." + rest
	}
	if negative && text != "0" {
		text = "-" + text
	}
	return text, nil
}
