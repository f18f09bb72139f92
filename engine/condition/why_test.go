package condition

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"github.com/peanuts-router/peanuts-router/peanuts"
)

func TestWhyNamesTheSmallestPartsThatDecided(t *testing.T) {
	type reasons = []Reason
	for source, want := range map[string]reasons{
		`helper.command == "/tasks" && (entry.data.amount > 500 || entry.data.x == 1) && not entry.data.done`: {
			{Expr: `helper.command == "/tasks"`, Value: "/expenses"},
			{Expr: `entry.data.amount > 500`, Offset: 31, Value: 12.4},
			{Expr: `entry.data.x == 1`, Offset: 58},
			{Expr: `entry.data.done`, Offset: 84, Value: true, Holds: true},
		},
		`helper.command == "/expenses" && (entry.data.amount > 500 || 10 < entry.data.amount)`: {
			{Expr: `helper.command == "/expenses"`, Value: "/expenses", Holds: true},
			{Expr: `10 < entry.data.amount`, Offset: 61, Value: 12.4, Holds: true},
		},
		`not (entry.data.done and (entry.data.amount>500 or "x" in entry.data.tags))`: {
			{Expr: `entry.data.amount>500`, Offset: 26, Value: 12.4},
			{Expr: `"x" in entry.data.tags`, Offset: 51, Value: []any{"ü", ")"}},
		},
		`entry.data.tags[1] == ")" && (helper.command) not in ["/a", "/expenses"]`: {
			{Expr: `(helper.command) not in ["/a", "/expenses"]`, Offset: 29, Value: "/expenses"},
		},
		`entry.data.tags[0] == "ü" && entry.data.amount > 500`: {{Expr: `entry.data.amount > 500`, Offset: 30, Value: 12.4}},
		`entry.data.x != nil && len(entry.data.x) > 3`: {
			{Expr: `entry.data.x != nil`},
			{Expr: `len(entry.data.x) > 3`, Offset: 23, Err: cmpopts.AnyError},
		},
		`1 < entry.data.amount < 10`:                     {{Expr: `1 < entry.data.amount < 10`, Value: true}},
		`let x = entry.data.amount; x > 500 && x < 1000`: {{Expr: `let x = entry.data.amount; x > 500 && x < 1000`, Value: false}},
		`any(entry.data.tags, # == "x") || false`:        {{Expr: `any(entry.data.tags, # == "x")`, Value: false}, {Expr: `false`, Offset: 34, Value: false}},
	} {
		c, err := New(Config{}).Condition(source)
		if err != nil {
			t.Fatal(err)
		}
		got := c.Why(scopeWith(t, `{"amount":12.4,"done":true,"tags":["ü",")"]}`))
		if diff := cmp.Diff(want, got, cmpopts.EquateErrors(), cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("%s (-want +got):\n%s", source, diff)
		}
	}
}

// The explained verdict is the engine's, and had the named parts come out the other way, it had, too.
func TestWhatWhyNamesIsWhatDecides(t *testing.T) {
	d := New(Config{})
	pairs, turned := 0, map[bool]int{}
	before := &peanuts.Event{Event: "entry.created", Entry: peanuts.Entry{Data: map[string]any{"a": int64(500)}}}
	rapid.Check(t, func(t *rapid.T) {
		for range 40 {
			source, body := anyCondition(3).Draw(t, "condition"), anyEvent.Draw(t, "event")
			c, err := d.Condition(source)
			event, unread := peanuts.Parse([]byte(body))
			if err != nil || unread != nil {
				continue
			}
			s := NewScope(event, time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC), func() *peanuts.Event { return before })
			verdict := c.Judge(s)
			if verdict.Err != nil {
				continue // named by its error
			}
			pairs++
			holds := verdict.Holds
			reasons := c.Why(s)
			if len(reasons) == 0 {
				t.Fatalf("%s for %s is %t, and nothing says why", source, body, holds)
			}
			slices.SortFunc(reasons, func(a, b Reason) int { return b.Offset - a.Offset })
			other := source
			for _, r := range reasons {
				if source[r.Offset:r.Offset+len(r.Expr)] != r.Expr {
					t.Fatalf("%s names %q at %d", source, r.Expr, r.Offset)
				}
				other = other[:r.Offset] + fmt.Sprintf(" %t ", !r.Holds) + other[r.Offset+len(r.Expr):]
			}
			c, err = d.Condition(other)
			if err != nil {
				t.Fatalf("%s, of %s: %v", other, source, err)
			}
			turned[holds]++
			if r := c.Judge(s); r.Err != nil || r.Holds == holds {
				t.Fatalf("%s for %s is %t because of %+v, and %s is %+v", source, body, holds, reasons, other, r)
			}
		}
	})
	if pairs < 1000 || turned[true] < 50 || turned[false] < 500 {
		t.Errorf("%d pairs, turned %v: the test tells little", pairs, turned)
	}
}
