package actions

import (
	"encoding/json"
	"strconv"
	"strings"
	"testing"

	"github.com/peanuts-router/peanuts-router/engine"
)

// C6, C16: values arrive as they were sent, with every digit, in the types of the table.
func TestTypesAreKept(t *testing.T) {
	const pg, lite, strict = "postgres", "sqlite", "strict"
	cases := []struct {
		column, value string
		want          string            // what the database prints
		but           map[string]string // where it prints otherwise
	}{
		{"amount", `612.50`, "612.50", map[string]string{lite: "612.5", strict: "612.5"}},
		{"amount", `750`, "750", nil},
		{"amount", `9007199254740993`, "9007199254740993", nil},
		{"amount", `-0.1`, "-0.1", nil},
		{"amount", `"12.25"`, "12.25", nil},
		{"amount", `12345678901234567890.123456789`, "12345678901234567890.123456789", map[string]string{lite: "dead"}},
		{"amount", `1e3`, "1000", nil},
		{"count", `9223372036854775807`, "9223372036854775807", nil},
		{"count", `-9223372036854775808`, "-9223372036854775808", nil},
		{"count", `"42"`, "42", nil},
		{"count", `4.0`, "4", map[string]string{pg: "dead"}},
		{"ratio", `0.1`, "0.1", nil},
		{"ratio", `"2.5"`, "2.5", nil},
		{"ratio", `1.5e300`, "1.5e+300", nil},
		{"paid", `true`, "1", map[string]string{pg: "t"}},
		{"paid", `false`, "0", map[string]string{pg: "f"}},
		{"paid", `null`, "null", nil},
		{"tags", `["a","b \"c\"","ä,<"]`, `["a","b \"c\"","ä,<"]`, map[string]string{pg: `{a,"b \"c\"","ä,<"}`}},
		{"tags", `[]`, `[]`, map[string]string{pg: `{}`}},
		{"meta", `{"a":[1,2.50,null],"b":true}`, `{"a":[1,2.50,null],"b":true}`, map[string]string{pg: `{"a": [1, 2.50, null], "b": true}`}},
		{"meta", `"text"`, `text`, map[string]string{pg: `"text"`}},
		{"doc", `{"z":1,"a":2}`, `{"z":1,"a":2}`, map[string]string{pg: `{"a": 2, "z": 1}`}},
		{"note", `"007"`, "007", nil},
		{"note", `612.50`, "612.50", nil},
		{"note", `1e3`, "1000", nil},
		{"note", `-1.25E-2`, "-0.0125", nil},
		{"note", `12345678901234567890123456789`, "12345678901234567890123456789", nil},
		{"note", `true`, "true", nil},
		{"note", `["a"]`, `["a"]`, nil},
		{"note", `null`, "null", nil},
		{"note", `""`, "", nil},
		{"note", `"ein \ud800 fehlt"`, "ein \ufffd fehlt", nil},
		{"note", `"'); DROP TABLE expenses; --"`, "'); DROP TABLE expenses; --", nil},
		{"note", `"\\u0000 $1 ?1 :a"`, `\u0000 $1 ?1 :a`, nil},
		{"logged_at", `"2026-11-23T14:30:00.123456+02:00"`, "2026-11-23T14:30:00.123456+02:00", map[string]string{pg: "2026-11-23 12:30:00.123456+00"}},
		{"logged_at", `"2026-11-23"`, "2026-11-23", map[string]string{pg: "2026-11-23 00:00:00+00"}},
	}
	onBeds(t, func(t *testing.T, b bed) {
		sender := b.sender(t)
		for _, c := range cases {
			b.exec(t, "DELETE FROM expenses")
			want, read := c.want, c.column
			if other, ok := c.but[b.kind]; ok {
				want = other
			}
			if b.kind != pg {
				read += " || ''" // or the driver makes times of what looks like one
			}
			got := attempt(sender, upsert("v1", "external_id", `"e1"`, c.column, c.value))
			if want == "dead" {
				if got.Verdict != engine.VerdictDead {
					t.Errorf("%s = %s: outcome %+v, want dead", c.column, c.value, got)
				}
				continue
			}
			if got.Verdict != engine.VerdictDelivered {
				t.Errorf("%s = %s: outcome %+v", c.column, c.value, got)
			} else if got := b.query(t, "SELECT "+read+" FROM expenses"); got != want {
				t.Errorf("%s = %s is stored as %q, want %q", c.column, c.value, got, want)
			}
		}
	})
}

// Storage classes of SQLite: a number is one where the column is declared for numbers, a text is never turned into one.
func TestStorageClassesOfSQLite(t *testing.T) {
	zeros := strings.Repeat("0", 2000)
	b := sqliteBed(t, "sqlite", `CREATE TABLE expenses (external_id TEXT PRIMARY KEY, i INTEGER, n DECIMAL(10,2), r REAL, t TEXT, d DATE, b BLOB, x, updated_at TEXT)`)
	for _, c := range []struct{ column, value, want string }{
		{"i", `5`, "integer|5"}, {"i", `"5"`, "integer|5"}, {"i", `true`, "integer|1"}, {"i", `5e0`, "integer|5"},
		{"n", `5`, "integer|5"}, {"n", `5.25`, "real|5.25"}, {"n", `"5.25"`, "real|5.25"},
		{"r", `5`, "real|5.0"}, {"t", `5`, "text|5"}, {"t", `"5"`, "text|5"},
		{"d", `"2026-11-23"`, "text|2026-11-23"}, {"d", `"5"`, "integer|5"}, {"d", `20261123`, "integer|20261123"},
		{"b", `"text"`, "text|text"}, {"b", `5.5`, "real|5.5"}, {"x", `"007"`, "text|007"}, {"x", `7`, "integer|7"},
		{"x", `0.1234567890123456789`, "text|0.1234567890123456789"},
		{"d", `"007"`, "dead"}, {"d", `" 7"`, "dead"}, {"n", `"abc"`, "dead"}, {"n", `""`, "dead"}, {"i", `"x"`, "dead"}, {"i", `4.5`, "dead"},
		{"t", "0." + zeros + "1", "text|0." + zeros + "1"}, {"n", "0." + zeros + "1", "dead"}, {"i", "1" + zeros, "dead"},
		{"i", `[1]`, "dead"}, {"r", `{}`, "dead"}, {"r", `1e999`, "dead"}, {"i", `1e999999999999`, "dead"}, {"i", `9223372036854775808`, "dead"},
	} {
		sender := b.sender(t)
		b.exec(t, "DELETE FROM expenses")
		got := attempt(sender, upsert("v1", "external_id", `"e1"`, c.column, c.value))
		if c.want == "dead" {
			if got.Verdict != engine.VerdictDead {
				t.Errorf("%s = %s: %+v, want dead", c.column, c.value, got)
			}
			continue
		}
		if got := b.query(t, "SELECT typeof("+c.column+"), CAST("+c.column+" AS TEXT) FROM expenses"); got != c.want {
			t.Errorf("%s = %s is stored as %q, want %q", c.column, c.value, got, c.want)
		}
	}
}

// C6, C21: whatever is sent, a value is stored as it is or refused; an integer never changes.
func FuzzValuesForSQLite(f *testing.F) {
	for _, value := range []string{`1`, `-0.5e3`, `"007"`, `"\u0000"`, `[1,{"a":"\ud800"}]`, `1e999999999999`, `null`, `true`, `{"a":1,"a":2}`} {
		for _, declared := range []string{"INTEGER", "TEXT", "REAL", "DECIMAL(10,2)", "DATE", "BLOB", ""} {
			f.Add(value, declared)
		}
	}
	f.Fuzz(func(t *testing.T, value, declared string) {
		if !json.Valid([]byte(value)) {
			return
		}
		cleaned, err := clean(json.RawMessage(value))
		if err != nil {
			return
		}
		stored, err := toSQLite(cleaned, declared)
		if err != nil {
			return
		}
		if text, ok := stored.(string); ok && strings.ContainsRune(text, 0) {
			t.Errorf("toSQLite(%s, %s) = %q with U+0000", value, declared, text)
		}
		want, err := strconv.ParseInt(string(cleaned), 10, 64)
		if got, ok := stored.(int64); ok && err == nil && got != want {
			t.Errorf("toSQLite(%s, %s) = %d", value, declared, got)
		}
	})
}
