package peanuts_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"math"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/peanuts-router/peanuts-router/peanuts"
)

func TestParseReadsTheGuidesMockPayload(t *testing.T) { // R2, R3, R104
	body := example(t)
	got, err := peanuts.Parse(body)
	if err != nil {
		t.Fatalf("Parse = %v", err)
	}
	at := time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)
	data := map[string]any{"amount": 99.99, "category": "Test", "description": "Mock entry for testing"}
	want := &peanuts.Event{
		Event: peanuts.EntryCreated, Timestamp: at,
		Helper: peanuts.Helper{ID: "test-helper", Name: "Test Tracker", Command: "/test"},
		Entry:  peanuts.Entry{ID: "entry-123", CreatedAt: at, Data: data},
		User:   peanuts.User{ID: "user-456"},
		Fields: map[string]any{
			"event": "entry.created", "timestamp": "2026-11-23T09:00:00.000Z",
			"helper": map[string]any{"id": "test-helper", "name": "Test Tracker", "command": "/test"},
			"entry":  map[string]any{"id": "entry-123", "created_at": "2026-11-23T09:00:00.000Z", "data": data},
			"user":   map[string]any{"id": "user-456"},
		},
		Raw: body,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("Parse, -want +got:\n%s", diff)
	}
}

func TestParseKeepsEveryKindOfValue(t *testing.T) { // R4, R5, R15, C4, C6, P11
	tests := []struct {
		json string
		want any
	}{
		{`null`, nil},
		{`true`, true},
		{`false`, false},
		{`""`, ""},
		{`"007"`, "007"},
		{`"\u00e9\/\n\u0000\ud83e\udd5c"`, "é/\n\x00🥜"},
		{`"\ud800"`, "\uFFFD"},
		{`"a\udc00b\ud83dc"`, "a\uFFFDb\uFFFDc"},
		{`"\ud800\ud83e\udd5c"`, "\uFFFD🥜"},
		{`"\ufeff"`, "\uFEFF"},
		{`0`, int64(0)},
		{`-0`, int64(0)},
		{`500`, int64(500)},
		{`500.0`, 500.0},
		{`1e3`, 1000.0},
		{`1E+2`, 100.0},
		{`9007199254740993`, int64(9007199254740993)},
		{`9223372036854775807`, int64(math.MaxInt64)},
		{`-9223372036854775808`, int64(math.MinInt64)},
		{`9223372036854775808`, 9223372036854775808.0},
		{`12345678901234567890`, 12345678901234567890.0},
		{`1.7976931348623157e308`, math.MaxFloat64},
		{`1e-999`, 0.0},
		{`0.` + strings.Repeat("0", 1000) + `1`, 0.0},
		{`[]`, []any{}},
		{`{}`, map[string]any{}},
		{`["travel","offsite"]`, []any{"travel", "offsite"}},
		{`[1,[2.5,{"a":null}],"x"]`, []any{int64(1), []any{2.5, map[string]any{"a": nil}}, "x"}},
		{`{"a":1,"A":2,"\u00e9":3}`, map[string]any{"a": int64(1), "A": int64(2), "é": int64(3)}},
		{`{"":1,"\ud800":2}`, map[string]any{"": int64(1), "\uFFFD": int64(2)}},
	}
	for _, test := range tests {
		e, err := peanuts.Parse([]byte(`{"event":"x","v":` + test.json + `}`))
		if err != nil {
			t.Errorf("Parse of %.60s = %v", test.json, err)
		} else if diff := cmp.Diff(test.want, e.Fields["v"]); diff != "" {
			t.Errorf("Parse of %.60s, -want +got:\n%s", test.json, diff)
		}
	}
}

func TestParseRefusesWithThePlace(t *testing.T) { // C4, R13, A12, A13
	tests := []struct{ name, body, want string }{
		{"nothing", "", "the body ends too early (at byte 0)"},
		{"white space", " \n", "the body ends too early (at byte 0)"},
		{"no JSON", "event=x", "the body is not JSON (at byte 0)"},
		{"a list", "[]", "the body is not a JSON object (at byte 0)"},
		{"null", "null", "the body is not a JSON object (at byte 0)"},
		{"text", `"a"`, "the body is not a JSON object (at byte 0)"},
		{"a byte order mark", "\uFEFF" + `{"event":"x"}`, "the body begins with a byte order mark (at byte 0)"},
		{"UTF-16", "{\x00\"\x00", "the body is not JSON (at byte 1)"},
		{"a bad byte in text", "{\"event\":\"x\",\"a\":\"\xff\"}", "the body is not UTF-8 (at byte 18)"},
		{"a bad byte in a name", "{\"event\":\"x\",\"\xc3\":1}", "the body is not UTF-8 (at byte 14)"},
		{"a raw surrogate", "{\"event\":\"\xed\xa0\x80\"}", "the body is not UTF-8 (at byte 10)"},
		{"an overlong slash", "{\"event\":\"\xc0\xaf\"}", "the body is not UTF-8 (at byte 10)"},
		{"a cut body", `{"event":"x"`, "the body ends too early (at byte 12)"},
		{"a second object", `{"event":"x"} {}`, "something follows the JSON object (at byte 13)"},
		{"a word after", `{"event":"x"}x`, "something follows the JSON object (at byte 13)"},
		{"a brace after", `{"event":"x"}}`, "something follows the JSON object (at byte 13)"},
		{"NUL after", "{\"event\":\"x\"}\x00", "something follows the JSON object (at byte 13)"},
		{"a no-break space after", "{\"event\":\"x\"}\u00a0", "something follows the JSON object (at byte 13)"},
		{"a form feed after", "{\"event\":\"x\"}\f", "something follows the JSON object (at byte 13)"},
		{"a comma at the end", `{"event":"x",}`, "the body is not JSON (at byte 12)"},
		{"a comment", `{"event":"x"/**/}`, "the body is not JSON (at byte 12)"},
		{"single quotes", `{'event':'x'}`, "the body is not JSON (at byte 1)"},
		{"a control character", "{\"event\":\"x\",\"a\":\"\x01\"}", "the body is not JSON (at byte 18, /a)"},
		{"a bad escape", `{"event":"x","a":"\x"}`, "the body is not JSON (at byte 18, /a)"},
		{"a leading zero", `{"event":"x","a":01}`, "the body is not JSON (at byte 18)"},
		{"a leading plus", `{"event":"x","a":+1}`, "the body is not JSON (at byte 17, /a)"},
		{"NaN", `{"event":"x","a":NaN}`, "the body is not JSON (at byte 17, /a)"},
		{"a word cut short", `{"event":"x","a":tru}`, "the body is not JSON (at byte 20, /a)"},
		{"a name twice", `{"event":"x","a":1,"a":2}`, "a member name stands twice in one object (at byte 19, /a)"},
		{"event twice", `{"event":"x","event":"x"}`, "a member name stands twice in one object (at byte 13, /event)"},
		{"a name twice, escaped", `{"event":"x","a":1,"\u0061":1}`, "a member name stands twice in one object (at byte 19, /a)"},
		{"a name twice, deep", `{"event":"x","a":[0,{"b":{"c":1,"c":2}}]}`, "a member name stands twice in one object (at byte 32, /a/1/b/c)"},
		{"two names that read as U+FFFD", `{"event":"x","\ud800":1,"\udfff":2}`, "a member name stands twice in one object (at byte 24, /\uFFFD)"},
		{"a number too large", `{"event":"x","a":1e309}`, "a number that is too large to hold (at byte 17, /a)"},
		{"a number too small", `{"event":"x","a":[1,{"b":-1e309}]}`, "a number that is too large to hold (at byte 25, /a/1/b)"},
		{"400 digits", `{"event":"x","a":1` + strings.Repeat("0", 400) + `}`, "a number that is too large to hold (at byte 17, /a)"},
	}
	for _, test := range tests {
		body := []byte(test.body)
		e, err := peanuts.Parse(body)
		var place *peanuts.ParseError
		if e != nil || !errors.As(err, &place) {
			t.Errorf("%s: Parse = %v, %v; want a *ParseError", test.name, e, err)
		} else if err.Error() != test.want {
			t.Errorf("%s: Parse = %q, want %q", test.name, err, test.want)
		}
		if string(body) != test.body {
			t.Errorf("%s: Parse changed the body to %q", test.name, body)
		}
	}
}

func TestParseTakesNestingUpTo64(t *testing.T) { // C4, A12
	nested := func(open, inner, shut string, depth int) string {
		return `{"event":"x","v":` + strings.Repeat(open, depth) + inner + strings.Repeat(shut, depth) + `}`
	}
	for name, body := range map[string]string{
		"lists":   nested("[", "", "]", peanuts.MaxDepth-1),
		"objects": nested(`{"a":`, "1", "}", peanuts.MaxDepth-1),
	} {
		if _, err := peanuts.Parse([]byte(body)); err != nil {
			t.Errorf("Parse of %d nested %s = %v, want nil", peanuts.MaxDepth, name, err)
		}
	}
	for name, body := range map[string]string{
		"lists":                nested("[", "", "]", peanuts.MaxDepth),
		"objects":              nested(`{"a":`, "1", "}", peanuts.MaxDepth),
		"a megabyte of [":      nested("[", "", "", 1<<20),
		"lists after shut one": `{"event":"x","u":[[]],"v":` + strings.Repeat("[", peanuts.MaxDepth) + strings.Repeat("]", peanuts.MaxDepth) + `}`,
	} {
		if _, err := peanuts.Parse([]byte(body)); err == nil || !strings.HasPrefix(err.Error(), "nested more than 64 deep (at byte ") {
			t.Errorf("Parse of %d nested %s = %.80v, want nested more than 64 deep", peanuts.MaxDepth+1, name, err)
		}
	}
}

func TestParseRequiresANameAndForEntryEventsAnEntry(t *testing.T) { // C5, R6, R7, P10
	for _, body := range []string{
		`{"event":"entry.created","entry":{"id":"e"}}`,
		`{"event":"entry.moved","entry":{"id":"e"}}`,
		`{"event":"helper.renamed"}`,
		`{"event":"entries"}`,
		`{"event":"x","entry":null,"helper":7,"user":[],"timestamp":{}}`,
		`{"event":"x","entry":{"id":5,"data":"text"}}`,
		`{"event":"x","Event":"y","EVENT":null}`,
	} {
		if _, err := peanuts.Parse([]byte(body)); err != nil {
			t.Errorf("Parse(%s) = %v, want nil", body, err)
		}
	}
	for body, want := range map[string]string{
		`{}`:                                   "/event",
		`{"Event":"entry.created"}`:            "/event", // names differ by case
		`{"event":""}`:                         "/event",
		`{"event":null}`:                       "/event",
		`{"event":5}`:                          "/event",
		`{"event":["x"]}`:                      "/event",
		`{"event":"entry.created"}`:            "/entry/id",
		`{"event":"entry.created","entry":{}}`: "/entry/id",
		`{"event":"entry.updated","entry":{"id":""}}`:  "/entry/id",
		`{"event":"entry.deleted","entry":{"id":17}}`:  "/entry/id",
		`{"event":"entry.moved","entry":{"ID":"e"}}`:   "/entry/id",
		`{"event":"entry.created","entry":["id","e"]}`: "/entry/id",
	} {
		_, err := peanuts.Parse([]byte(body))
		var place *peanuts.ParseError
		if !errors.As(err, &place) || place.Pointer != want {
			t.Errorf("Parse(%s) = %v, want a *ParseError at %s", body, err, want)
		}
	}
}

func TestParseReadsTimesOfRFC3339(t *testing.T) { // R3
	at := func(nanos int) time.Time { return time.Date(2026, 11, 23, 10, 15, 0, nanos, time.UTC) }
	tests := map[string]time.Time{
		`"2026-11-23T10:15:00Z"`:           at(0),
		`"2026-11-23T10:15:00.5Z"`:         at(500_000_000),
		`"2026-11-23T10:15:00.123456789Z"`: at(123_456_789),
		`"2026-11-23T11:15:00+01:00"`:      at(0),
		`"2026-11-23 10:15:00Z"`:           {},
		`"2026-11-23T10:15:00"`:            {},
		`"2026-11-23"`:                     {},
		`"2026-02-30T10:15:00Z"`:           {},
		`"yesterday"`:                      {},
		`""`:                               {},
		`1795428900`:                       {},
		`null`:                             {},
	}
	for text, want := range tests {
		e, err := peanuts.Parse([]byte(`{"event":"x","timestamp":` + text + `,"entry":{"created_at":` + text + `}}`))
		if err != nil {
			t.Errorf("Parse with time %s = %v", text, err)
		} else if !e.Timestamp.Equal(want) || !e.Entry.CreatedAt.Equal(want) {
			t.Errorf("Parse with time %s = %v, %v; want %v", text, e.Timestamp, e.Entry.CreatedAt, want)
		}
	}
}

func TestParseErrorsTellNoValueAndOneShortLine(t *testing.T) { // C19, R25, A33
	const value = "payload-text"
	bodies := []string{
		`{"event":"x","a":"` + value + `","b":tru}`,
		`{"event":"x","a":"` + value + `\x"}`,
		`{"event":"x","a":"` + value,
		`{"event":"x"}` + value,
		value,
		`{"event":"x","a":` + strings.Repeat("7", 400) + `}`,
		`{"event":"x","a":1,"` + strings.Repeat("long\\u001b[31m\\n\\u202e", 50_000) + `":{"b":1,"b":2}}`,
		`{"event":"entry.` + value + `"}`,
	}
	for _, body := range bodies {
		_, err := peanuts.Parse([]byte(body))
		var place *peanuts.ParseError
		if !errors.As(err, &place) {
			t.Errorf("Parse(%.40s) = %v, want a *ParseError", body, err)
			continue
		}
		text := err.Error()
		if strings.Contains(text, value) || strings.Contains(text, "777") || strings.ContainsAny(text, "\n\x1b\u202e") {
			t.Errorf("Parse(%.40s) = %q, which tells too much", body, text)
		}
		if len(text) > 1024 || len(place.Pointer) > 256 {
			t.Errorf("Parse(%.40s): an error of %d bytes, a pointer of %d", body, len(text), len(place.Pointer))
		}
	}
}

func TestParseWorksOffAMegabyteOfMalice(t *testing.T) { // A12
	members := new(strings.Builder)
	for n := range 100_000 {
		members.WriteString(`,"` + string(rune('a'+n%26)) + strings.Repeat("\\u0061", n%3) + strconv.Itoa(n) + `":0`)
	}
	bodies := map[string]string{
		"100,000 members": `{"event":"x"` + members.String() + `}`,
		"500,000 items":   `{"event":"x","a":[0` + strings.Repeat(",0", 500_000) + `]}`,
		"a long number":   `{"event":"x","a":0.` + strings.Repeat("1", 1<<20) + `}`,
		"a long exponent": `{"event":"x","a":1e-` + strings.Repeat("9", 1<<20) + `}`,
		"escapes":         `{"event":"x","a":"` + strings.Repeat(`\u0041`, 170_000) + `"}`,
		"surrogates":      `{"event":"x","a":"` + strings.Repeat(`\ud800`, 170_000) + `"}`,
	}
	for name, body := range bodies {
		began := time.Now()
		if _, err := peanuts.Parse([]byte(body)); err != nil {
			t.Errorf("%s: Parse = %.100v, want nil", name, err)
		}
		// 50 ms is the figure on an idle machine; a quadratic parser would take minutes.
		if took := time.Since(began); took > 20*time.Second {
			t.Errorf("%s: Parse took %v", name, took)
		}
	}
}

// One parser serves one body after another; nothing of one may show in the next.
func TestParseLeavesNothingOfABodyForTheNext(t *testing.T) { // C8
	bad := []byte(`{"event":"entry.created","entry":{"id":"other","data":{"a":[1,{"b":`)
	for range 50 {
		if _, err := peanuts.Parse(bad); err == nil {
			t.Fatal("Parse of a cut body = nil")
		}
		e, err := peanuts.Parse([]byte(`{"event":"x","entry":{"data":{"a":1}}}`))
		if err != nil || e.Entry.ID != "" || len(e.Fields) != 2 {
			t.Fatalf("Parse after a cut body = %+v, %v", e, err)
		}
	}
}

func BenchmarkParse(b *testing.B) {
	body := example(b)
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := peanuts.Parse(body); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkEncodingJSON is what BenchmarkParse is measured against: the same tree, without the checks.
func BenchmarkEncodingJSON(b *testing.B) {
	body := example(b)
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	for b.Loop() {
		decoder := json.NewDecoder(bytes.NewReader(body))
		decoder.UseNumber()
		var fields map[string]any
		if err := decoder.Decode(&fields); err != nil {
			b.Fatal(err)
		}
	}
}

// example is the guide's mock payload.
func example(t testing.TB) []byte {
	t.Helper()
	body, err := os.ReadFile("../testdata/guide-mock.json")
	if err != nil {
		t.Fatal(err)
	}
	return body
}
