package actions

import (
	"testing"

	"pgregory.net/rapid"
)

// C6: the short way of numbers with few digits leads where the exact one does.
func TestNumbersOfFewDigitsAreStoredAsAnyOther(t *testing.T) {
	number := rapid.StringMatching(`-?(0|[1-9][0-9]{0,14})(\.[0-9]{1,12})?`).Filter(func(s string) bool { return len(s) <= digitsOfFloat })
	types := rapid.SampledFrom([]sqliteType{sqliteInteger, sqliteText, sqliteReal, sqliteNumeric, sqliteLoose, sqliteAny})
	rapid.Check(t, func(t *rapid.T) {
		digits, is := number.Draw(t, "number"), types.Draw(t, "type")
		got, gotErr := fewToSQLite(digits, is)
		want, wantErr := manyToSQLite(digits, is)
		if got != want || (gotErr == nil) != (wantErr == nil) {
			t.Errorf("%s in a column of type %d is %v, %v; want %v, %v", digits, is, got, gotErr, want, wantErr)
		}
	})
}
