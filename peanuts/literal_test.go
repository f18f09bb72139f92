package peanuts_test

import (
	"testing"

	"github.com/peanuts-router/peanuts-router/peanuts"
)

const sums = `{"event":"x", "n": {"plain": 612.50, "power" : 1e3, "zero":-0, "big":12345678901234567890,
	"text":"612.50", "list":[ 1.0 , [2.00], {"a":3E0} ], "nothing":null, "caf\u00e9":7.0, "a/b":8.0, "":9.0, "1":10.0}, "last":-1.10}`

func TestLiteralIsTheNumberAsItWasSent(t *testing.T) { // C6, R15
	e := parse(t, sums)
	for _, test := range []struct {
		path []string
		want string
	}{
		{[]string{"n", "plain"}, "612.50"},
		{[]string{"n", "power"}, "1e3"},
		{[]string{"n", "zero"}, "-0"},
		{[]string{"n", "big"}, "12345678901234567890"},
		{[]string{"n", "list", "0"}, "1.0"},
		{[]string{"n", "list", "1", "0"}, "2.00"},
		{[]string{"n", "list", "2", "a"}, "3E0"},
		{[]string{"n", "café"}, "7.0"},
		{[]string{"n", "a/b"}, "8.0"},
		{[]string{"n", ""}, "9.0"},
		{[]string{"n", "1"}, "10.0"},
		{[]string{"last"}, "-1.10"},
	} {
		if got, ok := e.Literal(test.path...); got != test.want || !ok {
			t.Errorf("Literal(%q) = %q, %v; want %q", test.path, got, ok, test.want)
		}
	}
}

func TestLiteralIsFalseWhereThereIsNoNumber(t *testing.T) { // C6: text stays text
	e := parse(t, sums)
	for _, path := range [][]string{
		{}, {"event"}, {"n"}, {"n", "text"}, {"n", "list"}, {"n", "nothing"}, {"absent"}, {"N", "plain"}, {"n", "plain", "x"},
		{"n", "text", "0"}, {"n", "list", "3"}, {"n", "list", "-1"}, {"n", "list", "+0"}, {"n", "list", "00"}, {"n", "list", ""},
		{"n", "list", "0", "0"}, {"n", "list", "99999999999999999999"}, {"plain"}, {"n", "list", "2", "a", "b"},
	} {
		if got, ok := e.Literal(path...); ok || got != "" {
			t.Errorf("Literal(%q) = %q, %v; want none", path, got, ok)
		}
	}
	for _, raw := range []string{"", "{", `{"n"`, `{"n":`, `{"n":1e}`, `["n"`} { // an event that Parse did not make
		if got, ok := (&peanuts.Event{Raw: []byte(raw)}).Literal("n"); ok {
			t.Errorf("Literal of %q = %q, want none", raw, got)
		}
	}
}

func TestRawValueIsAnyValueAsItWasSent(t *testing.T) { // C6
	e := parse(t, sums)
	for _, test := range []struct {
		path []string
		want string
	}{
		{nil, sums},
		{[]string{"event"}, `"x"`},
		{[]string{"n", "list"}, `[ 1.0 , [2.00], {"a":3E0} ]`},
		{[]string{"n", "nothing"}, "null"},
		{[]string{"last"}, "-1.10"},
	} {
		got, ok := e.RawValue(test.path...)
		if string(got) != test.want || !ok {
			t.Errorf("RawValue(%q) = %s, %v; want %s", test.path, got, ok, test.want)
		}
		if _ = append(got, "overwritten"...); string(e.Raw) != sums {
			t.Fatalf("appending to RawValue(%q) changed the event to %s", test.path, e.Raw)
		}
	}
	if got, ok := e.RawValue("n", "absent"); ok || got != nil {
		t.Errorf("RawValue of an absent member = %s, %v; want none", got, ok)
	}
}

func parse(t testing.TB, body string) *peanuts.Event {
	t.Helper()
	e, err := peanuts.Parse([]byte(body))
	if err != nil {
		t.Fatalf("Parse(%s) = %v", body, err)
	}
	return e
}

func BenchmarkLiteral(b *testing.B) {
	e := parse(b, string(example(b)))
	b.ReportAllocs()
	for b.Loop() {
		if _, ok := e.Literal("entry", "data", "amount"); !ok {
			b.Fatal("no literal")
		}
	}
}
