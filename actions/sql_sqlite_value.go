package actions

import (
	"encoding/json"
	"errors"
	"math"
	"math/big"
	"regexp"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

// sqliteType is what a declared type means (https://sqlite.org/datatype3.html, section 3.1), told apart a little further
// than SQLite does: a column declared DATETIME or JSON has what SQLite calls NUMERIC affinity, but is meant for text.
type sqliteType int

const (
	sqliteInteger sqliteType = iota
	sqliteText
	sqliteReal
	sqliteNumeric // numbers of any kind
	sqliteLoose   // text that SQLite turns into a number where it looks like one
	sqliteAny     // as it comes
)

// sqliteTypes are the words that SQLite looks for in a declared type, in its order; those of sqliteNumeric are ours.
var sqliteTypes = []struct {
	word string
	is   sqliteType
}{
	{"INT", sqliteInteger},
	{"CHAR", sqliteText}, {"CLOB", sqliteText}, {"TEXT", sqliteText},
	{"BLOB", sqliteAny},
	{"REAL", sqliteReal}, {"FLOA", sqliteReal}, {"DOUB", sqliteReal},
	{"NUM", sqliteNumeric}, {"DEC", sqliteNumeric}, {"BOOL", sqliteNumeric}, {"MONEY", sqliteNumeric},
}

func typeOfSQLite(declared string) sqliteType {
	declared = strings.ToUpper(declared)
	if declared == "" || declared == "ANY" {
		return sqliteAny
	}
	for _, t := range sqliteTypes {
		if strings.Contains(declared, t.word) {
			return t.is
		}
	}
	return sqliteLoose
}

var (
	jsonNumber = regexp.MustCompile(`^-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?$`)
	// looksNumeric is what SQLite turns into a number.
	looksNumeric = regexp.MustCompile(`^[\s\v]*[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?[\s\v]*$`)

	errNotNumber = errors.New("the value is no number, as the column's type asks for")
)

// toSQLite turns a clean JSON value into what is stored in a column of a declared type. Its errors hold no value.
func toSQLite(value json.RawMessage, declared string) (any, error) {
	is := typeOfSQLite(declared)
	switch value[0] {
	case 'n':
		return nil, nil
	case 't', 'f':
		if is == sqliteText {
			return string(value), nil
		}
		return int64(len("false") - len(value)), nil
	case '"':
		text, err := jsontext.AppendUnquote(nil, value)
		if err != nil {
			return nil, errors.New("the value cannot be read")
		}
		return textToSQLite(string(text), is)
	case '{', '[':
		if is == sqliteInteger || is == sqliteReal || is == sqliteNumeric {
			return nil, errNotNumber
		}
		return string(value), nil
	}
	return numberToSQLite(string(value), is)
}

func textToSQLite(text string, is sqliteType) (any, error) {
	switch {
	case is == sqliteText, is == sqliteAny, is == sqliteLoose && !looksNumeric.MatchString(text):
		return text, nil
	case jsonNumber.MatchString(text):
		return numberToSQLite(text, is)
	case is == sqliteLoose:
		return nil, errors.New("SQLite would turn this text into a number, as the column is declared; declare the column TEXT")
	}
	return nil, errNotNumber
}

// What takes longer than that to write is not calculated with: a number's point far from its digits, or digits without
// end.
const (
	maxExponent = 400
	maxDigits   = 1000
)

var errFraction = errors.New("the value has a fraction, and the column holds integers")

// numberToSQLite keeps every digit: as an integer, as the nearest binary number if that reads the same, or as text.
func numberToSQLite(digits string, is sqliteType) (any, error) {
	if len(digits) <= digitsOfFloat && !strings.ContainsAny(digits, "eE") {
		return fewToSQLite(digits, is)
	}
	return manyToSQLite(digits, is)
}

// manyToSQLite is numberToSQLite for any number.
func manyToSQLite(digits string, is sqliteType) (any, error) {
	exact, ok := exactly(digits)
	if is == sqliteText {
		if ok && strings.ContainsAny(digits, "eE") {
			return plainly(exact), nil
		}
		return digits, nil
	}
	if ok && exact.IsInt() && exact.Num().IsInt64() && is != sqliteReal {
		return exact.Num().Int64(), nil
	}
	if is == sqliteInteger {
		if ok && !exact.IsInt() {
			return nil, errFraction
		}
		return nil, errors.New("the value is out of the column's range")
	}
	float, err := strconv.ParseFloat(digits, 64)
	if err != nil {
		return nil, errors.New("the value is out of the column's range")
	}
	if is == sqliteReal {
		return float, nil
	}
	if read, ok2 := exactly(strconv.FormatFloat(float, 'g', -1, 64)); ok && ok2 && read.Cmp(exact) == 0 {
		return float, nil
	}
	if is == sqliteAny {
		return digits, nil
	}
	return nil, errors.New("the value has more digits than the column can hold; declare the column TEXT")
}

// digitsOfFloat is how many decimal digits a binary number of 64 bits always keeps (DBL_DIG of C).
const digitsOfFloat = 15

// fewToSQLite is numberToSQLite for a number without an exponent, of no more digits than a binary number keeps.
func fewToSQLite(digits string, is sqliteType) (any, error) {
	float, err := strconv.ParseFloat(digits, 64)
	if err != nil {
		return nil, errNotNumber
	}
	whole := float == math.Trunc(float)
	switch {
	case is == sqliteText:
		return digits, nil
	case is == sqliteReal:
		return float, nil
	case whole:
		return int64(float), nil
	case is == sqliteInteger:
		return nil, errFraction
	}
	return float, nil
}

// exactly reads a JSON number; not one that would take up memory or time.
func exactly(digits string) (*big.Rat, bool) {
	if len(digits) > maxDigits {
		return nil, false
	}
	if at := strings.IndexAny(digits, "eE"); at >= 0 {
		exponent, err := strconv.Atoi(digits[at+1:])
		if err != nil || exponent < -maxExponent || exponent > maxExponent {
			return nil, false
		}
	}
	return new(big.Rat).SetString(digits)
}

// plainly writes a number without an exponent, as PostgreSQL does.
func plainly(exact *big.Rat) string {
	places, _ := exact.FloatPrec() // a decimal always ends
	return exact.FloatString(places)
}
