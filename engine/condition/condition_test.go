package condition

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/peanuts-router/peanuts-router/peanuts"
)

// noon is the time of all tests: a Monday.
func noon() time.Time { return time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC) }

// scopeWith is the scope of an event with these data.
func scopeWith(t interface{ Fatalf(string, ...any) }, data string) *Scope {
	return scopeOf(t, `{"event":"entry.created","timestamp":"2026-11-23T10:00:00Z","helper":{"id":"h","name":"Expenses","command":"/expenses"},`+
		`"entry":{"id":"entry-1","created_at":"2026-11-22T08:00:00Z","data":`+data+`},"user":{"id":"u"}}`)
}

func scopeOf(t interface{ Fatalf(string, ...any) }, body string) *Scope {
	event, err := peanuts.Parse([]byte(body))
	if err != nil {
		t.Fatalf("Parse(%s): %v", body, err)
	}
	return NewScope(event, noon(), nil)
}

func berlin(t *testing.T) *Dialect {
	zone, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	return New(Config{Zone: zone})
}

// judged is a result in one word: true, false or error, with an exclamation mark for each mismatch.
func judged(t *testing.T, d *Dialect, s *Scope, source string) string {
	t.Helper()
	c, err := d.Condition(source)
	if err != nil {
		t.Fatalf("Condition(%q): %v", source, err)
	}
	result := c.Judge(s)
	if result.Err != nil {
		return "error"
	}
	return fmt.Sprint(result.Holds) + strings.Repeat("!", len(result.Mismatches))
}

// R30, R31, P12, C7: the truth table of the contract, for entry.data and for a leaf of the envelope, as a condition
// and in {{ }}.
func TestTheTruthTable(t *testing.T) {
	columns := []string{"x > 500", "x <= 500", "x == 500", "x != 500", "not (x > 500)", "x == nil"}
	rows := []struct {
		values []string
		want   []string
	}{
		{[]string{`750`, `750.5`, `75e1`}, []string{"true", "false", "false", "true", "false", "false"}},
		{[]string{`"750"`, `"750.0"`, `"7.5e2"`}, []string{"true", "false", "false", "true", "false", "false"}},
		{[]string{`"500"`, `"500.0"`, `500`, `500.0`}, []string{"false", "true", "true", "false", "true", "false"}},
		{[]string{`"abc"`, `""`, `true`, `[1]`, `"007"`, `" 750"`, `"750 "`, `"+750"`, `"0x2EE"`, `{"a":1}`}, []string{"false!", "false!", "false", "true", "true!", "false"}},
		{[]string{`null`, ``}, []string{"false", "false", "false", "true", "true", "true"}},
	}
	d := New(Config{})
	for _, row := range rows {
		for _, value := range row.values {
			inData, inEnvelope := `{"x":`+value+`}`, `"name":`+value+`,`
			if value == "" {
				inData, inEnvelope = `{}`, ""
			}
			data := scopeWith(t, inData)
			envelope := scopeOf(t, `{"event":"e","helper":{`+inEnvelope+`"id":"h"}}`)
			for i, column := range columns {
				source := strings.ReplaceAll(column, "x", "entry.data.x")
				if got := judged(t, d, data, source); got != row.want[i] {
					t.Errorf("with x = %s: %s is %s, want %s", value, source, got, row.want[i])
				}
				inBraces := rendered(t, d, data, "{{ "+source+" }}", Plain)
				if want := strings.TrimRight(row.want[i], "!"); inBraces != want {
					t.Errorf("with x = %s: {{ %s }} is %s, want %s", value, source, inBraces, want)
				}
				// helper.name is text for the check, so it is compared through a path that is not checked.
				source = strings.ReplaceAll(column, "x", `(true ? helper.name : entry.data.none)`)
				if got := judged(t, d, envelope, source); got != row.want[i] {
					t.Errorf("with helper.name = %s: %s is %s, want %s", value, source, got, row.want[i])
				}
			}
		}
	}
}

func TestConditions(t *testing.T) {
	s := scopeWith(t, `{"amount":612.50,"text":"abc","number":"612.5","flag":true,"done":false,"none":null,"tags":["a","b"],
		"mixed":[1,"2",null,"x"],"big":9007199254740993,"max":9223372036854775807,"due":"2026-11-24","field-x":7,"nested":{"a":{"b":1}},"word":"yes"}`)
	d := New(Config{})
	for source, want := range map[string]string{
		`helper.command == "/expenses" && entry.data.amount > 500`: "true", // R27
		// Paths that lead nowhere are absent, also through what has no members.
		`entry.data.a.b.c == nil`:        "true",
		`entry.data.amount.cents == nil`: "true",
		`entry.data["field-x"] == 7`:     "true",
		`entry.data.nested.a.b == 1`:     "true",
		`entry?.data?.missing == nil`:    "true",
		`entry.data.tags[5] == nil`:      "true",
		`entry.data.tags[-1] == "b"`:     "true",
		`entry.data.missing.x > 1`:       "false",
		// Whole numbers are exact, and compare exactly with decimals (C6).
		`entry.data.big == 9007199254740993`:     "true",
		`entry.data.big == 9007199254740992`:     "false",
		`entry.data.big > 9007199254740992.0`:    "true",
		`entry.data.max == 9223372036854775807`:  "true",
		`entry.data.number == entry.data.amount`: "true",
		`"10" < "9"`:                             "true", // two texts compare as text
		// Where true or false is expected.
		`entry.data.flag`:                       "true",
		`entry.data.missing`:                    "false",
		`entry.data.word`:                       "false!",
		`not entry.data.word`:                   "true!",
		`not entry.data.missing`:                "true",
		`entry.data.missing || entry.data.flag`: "true",
		`entry.data.word || entry.data.flag`:    "true!",
		`entry.data.amount ? true : false`:      "false!",
		`any(entry.data.tags, # == "b")`:        "true",
		`all(entry.data.mixed, # > 0)`:          "false",
		`any(entry.data.mixed, # > 1)`:          "true",
		`filter(entry.data.tags, {#}) == []`:    "true!!",
		// Membership shares the equality of ==.
		`2 in entry.data.mixed`:            "true",
		`"1" in entry.data.mixed`:          "true",
		`entry.data.missing in ["a", nil]`: "false",
		`entry.data.tags contains "a"`:     "true",
		`entry.data.mixed contains 2`:      "true",
		`entry.data.text contains "b"`:     "true",
		`entry.data.amount contains "6"`:   "false!",
		`entry.data.missing contains "6"`:  "false",
		`entry.data.text in "abc"`:         "false!",
		`"a" in entry.data.nested`:         "true",
		`entry.data.text startsWith "a"`:   "true",
		`entry.data.amount endsWith "0"`:   "false!",
		`entry.data.text matches "^a.c$"`:  "true",
		`entry.data.amount matches "6"`:    "false!",
		`entry.data.amount in 1..1000`:     "false",
		// An operand of the same && that is plainly false takes a mismatch back, wherever it stands.
		`entry.data.text > 5 && helper.command == "/tasks"`:                      "false",
		`helper.command == "/tasks" && entry.data.text > 5`:                      "false",
		`entry.data.text > 5 && helper.command == "/expenses"`:                   "false!",
		`helper.command == "/expenses" && entry.data.text > 5`:                   "false!",
		`entry.data.flag && entry.data.text > 5 && helper.command == "/tasks"`:   "false",
		`entry.data.text > 5 && (entry.data.flag && helper.command == "/tasks")`: "false",
		`not (entry.data.text > 5) && helper.command == "/tasks"`:                "false",
		`not (entry.data.text > 5) && helper.command == "/expenses"`:             "true!",
		`entry.data.text > 5 || helper.command == "/tasks"`:                      "false!",
		`any(entry.data.mixed, # > 1 && # == "nothing")`:                         "false",
		`entry.data.missing != nil && len(entry.data.missing) > 1`:               "false", // a guard guards
		// Times.
		`timestamp > entry.created_at`:                  "true",
		`timestamp - entry.created_at > duration("1d")`: "true",
		`now() - duration("2h") == timestamp`:           "true",
		`timestamp.Hour() == 10`:                        "true",
		`weekday(timestamp) in ["mon", "tue"]`:          "true",
		`days_until(entry.data.due) <= 1`:               "true",
		`date(entry.data.due) - duration("1d") < now()`: "true",
		`date(entry.data.missing) == nil`:               "true",
		`days_until(entry.data.missing) <= 1`:           "false",
		`timestamp == nil`:                              "false",
		`user.id != nil and event startsWith "entry."`:  "true",
		// Arithmetic.
		`entry.data.amount * 2 == 1225`:       "true",
		`-entry.data.amount < 0`:              "true",
		`sum([1, 2, 3]) == 6`:                 "true",
		`sum(entry.data.tags, {1}) == 2`:      "true",
		`7 % 2 == 1 && 2 ** 3 == 8`:           "true",
		`number(entry.data.number) + 1 > 613`: "true",
		`let x = entry.data.amount; x > 500`:  "true",
		// What fails is an error, never a crash and never silence (C7).
		`entry.data.missing + 1 > 0`:                 "error",
		`len(entry.data.missing) > 0`:                "error",
		`entry.data.max + 1 > 0`:                     "error",
		`-9223372036854775807 - 2 < 0`:               "error",
		`entry.data.max * 2 > 0`:                     "error",
		`sum([entry.data.max, 1]) > 0`:               "error",
		`1 % 0 == 0`:                                 "error",
		`entry.data.number + 1 > 0`:                  "error", // text is no number
		`date(entry.data.text) == nil`:               "error",
		`number(entry.data.text) == 1`:               "error",
		`entry.data.none.Hour() == 1`:                "error",
		`timestamp.Hour() == entry.data.text.Hour()`: "error",
	} {
		if got := judged(t, d, s, source); got != want {
			t.Errorf("%s is %s, want %s", source, got, want)
		}
	}
}

// R3: each field of the guide's event can be compared in a condition, and told in a message.
func TestEveryFieldOfTheGuideCanBeUsed(t *testing.T) {
	s := scopeOf(t, `{"event":"entry.created","timestamp":"2026-11-23T10:00:00Z","helper":{"id":"h-1","name":"Expenses","command":"/expenses"},`+
		`"entry":{"id":"e-1","created_at":"2026-11-22T08:00:00Z","data":{"amount":612.50,"category":"Travel","tags":["a","b"]}},"user":{"id":"u-1"}}`)
	d := New(Config{})
	for field, want := range map[string]string{
		"event": "entry.created", "helper.id": "h-1", "helper.name": "Expenses", "helper.command": "/expenses", "entry.id": "e-1",
		"user.id": "u-1", "entry.data.category": "Travel", "entry.data.amount": "612.50", "entry.data.tags[1]": "b",
		"timestamp": "2026-11-23T10:00:00Z", "entry.created_at": "2026-11-22T08:00:00Z",
	} {
		if got := rendered(t, d, s, "{{ "+field+" }}", Plain); got != want {
			t.Errorf("{{ %s }} prints %q, want %q", field, got, want)
		}
		equal := fmt.Sprintf("%s == %q", field, want)
		if strings.HasSuffix(want, "Z") {
			equal = fmt.Sprintf("%s == date(%q)", field, want)
		}
		if got := judged(t, d, s, equal); got != "true" {
			t.Errorf("%s is %s, want true", equal, got)
		}
	}
}

func TestFaultsAreFoundWhenAConditionIsCompiled(t *testing.T) {
	d := New(Config{})
	for _, c := range []struct{ source, code, want string }{
		{`helper.comand == "/tasks"`, "unknown-name", `0+13: unknown name helper.comand, did you mean helper.command?`},
		{`event == "x" && helper.comand == "/tasks"`, "unknown-name", `16+13: unknown name helper.comand, did you mean helper.command?`},
		{`"ä" == event && entry.foo == 1`, "unknown-name", `17+9: unknown name entry.foo, did you mean entry.id?`},
		{`amount > 500`, "unknown-name", `0+6: unknown name amount, did you mean entry.data.amount?`},
		{`__scope == nil`, "unknown-name", ""}, {`__path(1)`, "unknown-name", ""}, {`$env == nil`, "unknown-name", ""},
		{`event == 5`, "bad-expression", `6+0: invalid operation: == (mismatched types text and number)`},
		{`event > 5`, "bad-expression", `6+0: invalid operation: > (mismatched types text and number)`},
		{`helper.command + 1 == 2`, "bad-expression", ""},
		{`timestamp > "2026-01-01"`, "bad-expression", ""},
		{`helper.command`, "bad-expression", `0+14: a condition must be true or false, and this is text`},
		{`entry.data.amount >`, "bad-expression", ""}, {``, "bad-expression", ""}, {`(`, "bad-expression", ""},
		{`entry.data.x matches "("`, "bad-expression", ""},
		{`timestamp > duration("1x")`, "bad-expression", ""},
		{`now() > timestamp - duration("1x")`, "bad-constant", ""},
		{`date("nope") == nil`, "bad-constant", ""},
		{`timestamp.GobEncode() == nil`, "unknown-name", ""},
		{`timezone("UTC") == nil`, "unknown-name", ""}, {`fromJSON("1") == 1`, "unknown-name", ""},
		{`any(entry.data.a, any(entry.data.b, any(entry.data.c, # > 1)))`, "too-complex", ""},
		{strings.Repeat("entry.data.a + ", 2000) + "1 > 1", "bad-expression", ""},
	} {
		_, err := d.Condition(c.source)
		var e *Error
		if !errors.As(err, &e) {
			t.Errorf("Condition(%.60q) = %v, want an *Error", c.source, err)
			continue
		}
		if e.Code != c.code {
			t.Errorf("Condition(%.60q) has code %s (%v), want %s", c.source, e.Code, e, c.code)
		}
		if got := fmt.Sprintf("%d+%d: %v", e.Offset, e.Length, e); c.want != "" && got != c.want {
			t.Errorf("Condition(%.60q)\n  = %s\nwant %s", c.source, got, c.want)
		}
		for _, goism := range []string{"interface", "map[", "time.Time", "float64", "int64", "struct"} {
			if strings.Contains(e.Message, goism) {
				t.Errorf("Condition(%.60q) speaks Go: %s", c.source, e.Message)
			}
		}
	}
}

// C19: an error says what went wrong without a word of the event.
func TestRunErrorsHoldNoTextOfTheEvent(t *testing.T) {
	s := scopeWith(t, `{"secret":"canary","list":["canary"],"map":{"canary":"canary"}}`)
	d := New(Config{})
	for _, source := range []string{
		`entry.data.secret + 1 > 0`, `number(entry.data.secret) > 0`, `int(entry.data.secret) > 0`, `float(entry.data.secret) > 0`,
		`date(entry.data.secret) == nil`, `duration(entry.data.secret) == nil`, `len(entry.data.missing) > 0`,
		`entry.data.list + 1 > 0`, `sum(entry.data.list) > 0`, `abs(entry.data.secret) > 0`, `entry.data.map - 1 > 0`,
		`max(entry.data.list) > 0`, `entry.data.secret matches entry.data.secret + "("`, `repeat(entry.data.secret, 100000) == ""`,
		`money(entry.data.secret, "USD") == ""`, `fixed(entry.data.secret, 2) == ""`, `round(entry.data.secret) > 0`,
	} {
		c, err := d.Condition(source)
		if err != nil {
			t.Errorf("Condition(%q): %v", source, err)
			continue
		}
		result := c.Judge(s)
		if result.Err == nil {
			t.Errorf("%s is %v, want an error", source, result.Holds)
		} else if strings.Contains(result.Err.Error(), "canary") {
			t.Errorf("%s failed with text of the event: %v", source, result.Err)
		}
	}
}

// C23, A37: what would cost too much ends with an error, or was refused before.
func TestExpensiveExpressionsAreBounded(t *testing.T) {
	s := scopeWith(t, `{"text":"`+strings.Repeat("ab", 20_000)+`","list":[`+strings.Repeat("1,", 2000)+`1]}`)
	d := New(Config{})
	for _, source := range []string{
		`len(1..10000000) > 0`,
		`len(map(1..1000, map(1..1000, 1))) > 0`,
		`replace(entry.data.text, "a", entry.data.text) == ""`,
		`repeat(entry.data.text, 1000) == ""`,
		`len(entry.data.text + entry.data.text) > 0`,
		`len(join(map(entry.data.list, entry.data.text))) > 0`,
		`"a" matches repeat("(a*)*", 10000)`,
	} {
		c, err := d.Condition(source)
		if err != nil {
			continue // refused before it could run
		}
		if result := c.Judge(s); result.Err == nil {
			t.Errorf("%s is %v, want an error", source, result.Holds)
		}
	}
}

// What an error says is for people: nothing of how expr and Go came to it.
func TestErrorsSpeakOfTheRule(t *testing.T) {
	s := scopeWith(t, `{"n":1}`)
	for source, want := range map[string]string{
		`any(entry.data.none, # == "x")`: `what should be a list is absent, or is none (in any(entry.data.none, # == "x"))`,
		`len(entry.data.none) > 1`:       `len() of an absent value (in len(entry.data.none) > 1)`,
		`len(entry.data.n) > 1`:          `an operation met a value of the wrong type (in len(entry.data.n) > 1)`,
		`1 % entry.data.none == 1`:       `% is not possible between a number and an absent value (in 1 % entry.data.none == 1)`,
	} {
		c, err := New(Config{}).Condition(source)
		if err != nil {
			t.Fatal(err)
		}
		if r := c.Judge(s); r.Err == nil || r.Err.Error() != want {
			t.Errorf("%s: %v, want %s", source, r.Err, want)
		}
	}
}

// operandTexts are operands of every kind: plainly true, plainly false, and false by a mismatch.
func operandTexts() []string {
	return []string{
		`entry.data.n > 1`, `entry.data.n > 5`, `entry.data.t > 1`, `entry.data.t`, `not (entry.data.t > 1)`, `entry.data.none > 1`,
		`helper.command == "/expenses"`, `helper.command == "/x"`, `(entry.data.t > 1 || entry.data.n > 1)`, `any([1, 2], # > 1)`, `entry.data.n in [3]`,
	}
}

// C7, C23: neither the order of the operands of an && nor their nesting changes the verdict or what is counted.
func TestTheOrderOfOperandsChangesNothing(t *testing.T) {
	d := New(Config{})
	s := scopeWith(t, `{"n":3,"t":"abc"}`)
	rapid.Check(t, func(t *rapid.T) {
		operands := rapid.SliceOfN(rapid.SampledFrom(operandTexts()), 2, 5).Draw(t, "operands")
		shuffled := rapid.Permutation(operands).Draw(t, "shuffled")
		nested := shuffled[0] + " && (" + strings.Join(shuffled[1:], " && ") + ")"
		verdicts := map[string]bool{}
		for _, source := range []string{strings.Join(operands, " && "), strings.Join(shuffled, " && "), nested} {
			c, err := d.Condition(source)
			if err != nil {
				t.Fatalf("Condition(%q): %v", source, err)
			}
			r := c.Judge(s)
			verdicts[fmt.Sprint(r.Holds, r.Err, countPlain(r))] = true
		}
		if len(verdicts) != 1 {
			t.Errorf("%v gives %v", operands, verdicts)
		}
	})
}

// countPlain is how many mismatches a result has, and whether any.
func countPlain(r Result) int { return min(len(r.Mismatches), 1) }

// C6: of <, == and > exactly one holds between two numbers, whether written as numbers or as text.
func TestOfLessEqualAndMoreExactlyOneHolds(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		draw := func(name string) any {
			switch rapid.IntRange(0, 3).Draw(t, name+" kind") {
			case 0:
				return rapid.Int64().Draw(t, name)
			case 1:
				return rapid.Float64().Draw(t, name)
			case 2:
				return fmt.Sprint(rapid.Int64().Draw(t, name))
			}
			return float64(rapid.Int64Range(-1<<60, 1<<60).Draw(t, name))
		}
		a, b := draw("a"), draw("b")
		if _, bothText := a.(string); bothText {
			if _, ok := b.(string); ok {
				return
			}
		}
		o := compare(a, b)
		if o != less && o != same && o != more {
			t.Fatalf("compare(%v, %v) = %d", a, b, o)
		}
		if back := compare(b, a); back != -o {
			t.Errorf("compare(%v, %v) = %d, yet the other way round %d", a, b, o, back)
		}
		if equal(a, b) != (o == same) {
			t.Errorf("equal(%v, %v) = %v, yet compare gives %d", a, b, equal(a, b), o)
		}
	})
}

// A38: nothing but these can be called; a rule that could call more would show here.
func TestOnlyKnownFunctionsCanBeCalled(t *testing.T) {
	d := New(Config{})
	for _, name := range []string{"print", "println", "exec", "env", "getenv", "readFile", "http", "panic", "eval", "import", "type_", "recover"} {
		if _, err := d.Condition(name + `("x") == nil`); err == nil {
			t.Errorf("%s can be called", name)
		}
	}
	for _, f := range d.all() {
		if !strings.Contains("now changed date duration day format weekday days_until number int float string money fixed join split replace repeat", f.name) {
			t.Errorf("the function %s is not in the list of this test", f.name)
		}
	}
}

func FuzzCondition(f *testing.F) {
	for _, seed := range append(operandTexts(), `let x = 1; x`, `{"a": 1}.a`, `[1,2][entry.data.n]`, `entry.data.tags | filter(# > 1) | len()`, `(((`, `"`, `#`) {
		f.Add(seed)
	}
	d := New(Config{})
	f.Fuzz(func(t *testing.T, source string) {
		if len(source) > 500 {
			return
		}
		c, err := d.Condition(source)
		var e *Error
		if err != nil {
			if !errors.As(err, &e) || e.Offset < 0 || e.Offset > len(source) {
				t.Fatalf("Condition(%q) failed with %#v", source, err)
			}
			return
		}
		s := scopeWith(t, `{"n":3,"t":"abc","tags":[1,"2",null]}`)
		c.Judge(s)
		c.Why(s)
	})
}

func BenchmarkJudge(b *testing.B) {
	for _, c := range []struct{ name, data string }{{"fires", `{"amount":612.5}`}, {"silent", `{"amount":12.5}`}} {
		b.Run(c.name, func(b *testing.B) {
			s := scopeWith(b, c.data)
			condition, err := New(Config{}).Condition(`helper.command == "/expenses" && entry.data.amount > 500`)
			if err != nil {
				b.Fatal(err)
			}
			b.ReportAllocs()
			for b.Loop() {
				condition.Judge(s)
			}
		})
	}
}
