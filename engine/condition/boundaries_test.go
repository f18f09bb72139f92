package condition

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// boundariesText is each boundary on a line: the path, the operator, the constant; and what else an event is to hold.
func boundariesText(t *testing.T, source string) []string {
	t.Helper()
	c, err := New(Config{}).Condition(source)
	if err != nil {
		t.Fatalf("Condition(%q): %v", source, err)
	}
	var lines []string
	for _, b := range c.Boundaries() {
		if !strings.HasPrefix(source[b.Offset:], b.Expr[:3]) {
			t.Errorf("%s stands at %d of %q", b.Expr, b.Offset, source)
		}
		line := fmt.Sprintf("%s %s %#v", strings.Join(b.Path, "."), b.Operator, b.Value)
		for _, s := range b.Rest {
			line += fmt.Sprintf(" | %s=%#v", strings.Join(s.Path, "."), s.Value)
		}
		lines = append(lines, line)
	}
	return lines
}

func TestBoundaries(t *testing.T) {
	for source, want := range map[string][]string{
		`entry.data.amount > 500`:  {`entry.data.amount > 500 | entry.data.amount=501`},
		`500 <= entry.data.amount`: {`entry.data.amount >= 500 | entry.data.amount=500`},
		`entry.data.amount < -1.5`: {`entry.data.amount < -1.5 | entry.data.amount=-2.5`},
		`helper.command == "/expenses" && entry.data.amount > 500`: {
			`helper.command == "/expenses" | helper.command="/expenses" | entry.data.amount=501`,
			`entry.data.amount > 500 | helper.command="/expenses" | entry.data.amount=501`,
		},
		`not (entry.data.a > 1) && entry.data.b != 2`: {
			`entry.data.a > 1 | entry.data.a=1 | entry.data.b=3`,
			`entry.data.b != 2 | entry.data.a=1 | entry.data.b=3`,
		},
		// Only one side of an or decides.
		`entry.data.a > 1 || entry.data.b == "x"`: {
			`entry.data.a > 1 | entry.data.a=2 | entry.data.b="xx"`,
			`entry.data.b == "x" | entry.data.a=1 | entry.data.b="x"`,
		},
		`entry.data.a > 1 && entry.data.a < 2`: {
			`entry.data.a > 1 | entry.data.a=1.01`,
			`entry.data.a < 2 | entry.data.a=1.01`,
		},
		`entry.data.due != nil && entry.data.done`:     {`entry.data.due != <nil> | entry.data.due="x" | entry.data.done=true`},
		`entry.data.due == nil && not entry.data.done`: {`entry.data.due == <nil> | entry.data.done=false`},
		`entry.data.kind in ["a", "b"]`:                {`entry.data.kind in []interface {}{"a", "b"} | entry.data.kind="a"`},
		`"a" in entry.data.tags`:                       {`entry.data.tags contains "a" | entry.data.tags="a"`},
		`entry?.data["field-x"] startsWith "ab"`:       {`entry.data.field-x startsWith "ab" | entry.data.field-x="ab"`},
		`entry.data.x matches "^a+$"`:                  {`entry.data.x matches "^a+$"`},
		// What is no comparison of the event with a constant.
		`entry.data.a > entry.data.b`:                nil,
		`any(entry.data.tags, # == "x")`:             nil,
		`old.amount > 5 && len(entry.data.tags) > 1`: nil,
	} {
		if diff := cmp.Diff(want, boundariesText(t, source)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", source, diff)
		}
	}
}
