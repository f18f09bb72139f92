package ruletest

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func value(t *testing.T, text string) any {
	t.Helper()
	v, err := readJSON([]byte(text))
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return v
}

func TestEqualAndContains(t *testing.T) {
	for _, c := range []struct {
		value, part      string
		equal, contained bool
	}{
		{`612.50`, `612.5`, true, true},
		{`1e3`, `1000`, true, true},
		{`9007199254740993`, `9007199254740992`, false, false},
		{`"5"`, `5`, false, false},
		{`null`, `null`, true, true},
		{`null`, `0`, false, false},
		{`[1]`, `null`, false, false},
		{`{"a":1}`, `"a"`, false, false},
		{`"High: 5"`, `"High"`, false, true},
		{`"High: 5"`, `["High", "5"]`, false, true},
		{`"High: 5"`, `["High", "6"]`, false, false},
		{`[1, "a", {"b": 2, "c": 3}]`, `[{"c": 3}, 1]`, false, true},
		{`[1, 2]`, `[1, 2]`, true, true},
		{`[1, 2]`, `[2, 1]`, false, true},
		{`[1, 2]`, `3`, false, false},
		{`{"a": {"b": 1, "c": [1, 2]}, "d": null}`, `{"a": {"c": [2]}}`, false, true},
		{`{"a": 1}`, `{"a": 1, "b": null}`, false, false},
		{`{"a": 1, "b": 2}`, `{"b": 2, "a": 1.0}`, true, true},
	} {
		v, part := value(t, c.value), value(t, c.part)
		if equal(v, part) != c.equal || equal(part, v) != c.equal || contains(v, part) != c.contained {
			t.Errorf("%s and %s: equal is %t and %t, contains is %t; want %t and %t", c.value, c.part, equal(v, part), equal(part, v), contains(v, part), c.equal, c.contained)
		}
	}
}

// An expectation that fits many findings leaves those that others need.
func TestMatchSatisfiesAsManyAsCanBe(t *testing.T) {
	found := []finding{
		{rule: "a", action: "x", fields: map[string]any{"text": "one"}},
		{rule: "a", action: "y", fields: map[string]any{"text": "two"}},
		{rule: "b", action: "x", fields: map[string]any{"dead": "why"}},
	}
	wants := []want{
		{rule: "a"},
		{rule: "a", fields: []wanted{{field: "text", value: "one"}}},
		{action: "x"}, // neither the one that is taken, nor the one that died
		{rule: "b", fields: []wanted{{field: "dead", value: "w", part: true}}},
	}
	if diff := cmp.Diff([]int{1, 0, -1, 2}, match(wants, found)); diff != "" {
		t.Errorf("match() (-want +got):\n%s", diff)
	}
}

// Without the lines of the other, a difference is each of the two.
func TestALineDiffHoldsBothSides(t *testing.T) {
	lines := rapid.SliceOfN(rapid.SampledFrom([]string{"a", "b", "c"}), 0, 8)
	rapid.Check(t, func(r *rapid.T) {
		want, got := lines.Draw(r, "want"), lines.Draw(r, "got")
		var left, right []string
		common := 0
		for _, line := range lineDiff(want, got) {
			switch sign, text := line[:4], line[4:]; sign {
			case "  - ":
				left = append(left, text)
			case "  + ":
				right = append(right, text)
			default:
				left, right, common = append(left, text), append(right, text), common+1
			}
		}
		if strings.Join(left, "") != strings.Join(want, "") || strings.Join(right, "") != strings.Join(got, "") {
			r.Fatalf("lineDiff(%q, %q) = %q", want, got, lineDiff(want, got))
		}
		if strings.Join(want, "") == strings.Join(got, "") && common != len(want) {
			r.Fatalf("lineDiff of equal lines = %q", lineDiff(want, got))
		}
	})
}

func TestVariantsAroundANumber(t *testing.T) {
	for text, want := range map[string]string{
		"500": "499.99 500 500.01 500", "0": "-0.01 0 0.01 0", "0.125": "0.124 0.125 0.126 0.125", "-1.5": "-1.51 -1.5 -1.49 -1.5",
	} {
		var got []string
		for _, v := range aroundNumber(text) {
			got = append(got, strings.Trim(writeJSON(v.value), `"`))
		}
		if strings.Join(got, " ") != want {
			t.Errorf("aroundNumber(%s) = %q, want %q", text, got, want)
		}
	}
}
