package engine

import (
	"fmt"
	"strings"

	"github.com/shopspring/decimal"
)

// Amount is an exact decimal number. The zero value is 0.
type Amount struct{ decimal decimal.Decimal }

// NewAmount reads a decimal number such as 612.50 or 1e3. It takes what Contribution.Value holds.
func NewAmount(text string) (Amount, error) {
	d, err := decimal.NewFromString(text)
	if err != nil {
		return Amount{}, fmt.Errorf("reading an amount: %q is no decimal number", text)
	}
	return Amount{d}, nil
}

// Plus is the sum of the two, to the last digit.
func (a Amount) Plus(b Amount) Amount { return Amount{a.decimal.Add(b.decimal)} }

// Minus is the difference of the two, to the last digit.
func (a Amount) Minus(b Amount) Amount { return Amount{a.decimal.Sub(b.decimal)} }

// fewestPlaces is how many places an average has at least.
const fewestPlaces = 2

// Over is the amount divided by a count that is not 0, rounded half up (away from zero) to the amount's own places, at
// least two.
func (a Amount) Over(count int) Amount {
	places := max(a.places(), fewestPlaces)
	return Amount{a.decimal.DivRound(decimal.NewFromInt(int64(count)), places)}
}

// places is how many digits stand behind the point; zeros at the end do not count, so that they tell nothing of how the
// amount came about.
func (a Amount) places() int32 {
	text := a.decimal.String()
	for i := len(text) - 1; i >= 0; i-- {
		if text[i] == '.' {
			return int32(len(text) - 1 - i)
		}
	}
	return 0
}

// String prints all digits, without an exponent, and without zeros at the end.
func (a Amount) String() string { return a.decimal.String() }

// Text prints the amount for people, with at least two places and commas between the thousands.
func (a Amount) Text() string {
	whole, places, _ := strings.Cut(a.decimal.StringFixed(max(a.places(), fewestPlaces)), ".")
	digits := strings.TrimPrefix(whole, "-")
	for at := len(digits) - 3; at > 0; at -= 3 {
		digits = digits[:at] + "," + digits[at:]
	}
	return strings.TrimSuffix(whole, strings.TrimPrefix(whole, "-")) + digits + "." + places
}

// AmountText is an amount for people; a dash when there is none.
func AmountText(amount *Amount) string {
	if amount == nil {
		return "–"
	}
	return amount.Text()
}

// Compare is negative, 0 or positive as the amount is less than, equal to or more than another.
func (a Amount) Compare(b Amount) int { return a.decimal.Cmp(b.decimal) }

// Float is about the amount, for drawing.
func (a Amount) Float() float64 { return a.decimal.InexactFloat64() }

// MarshalJSON writes a number with all its digits.
func (a Amount) MarshalJSON() ([]byte, error) { return []byte(a.String()), nil }
