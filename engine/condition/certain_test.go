package condition

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/peanuts-router/peanuts-router/peanuts"
)

func TestWhatIsCertainOfACondition(t *testing.T) {
	const never, always, open = "never", "always", "open"
	for _, test := range []struct{ condition, want string }{
		{`helper.command == "/a" && helper.command == "/b"`, never},
		{`helper.command == "/a" && helper.command in ["/b", "/c"]`, never},
		{`helper.command == "/a" && (helper.command == "/b" or helper.command == "/a")`, open},
		{`entry.data.x > 5 && entry.data.x < 3`, never},
		{`5 < entry.data.x && entry.data.y == 1 && entry.data.x <= 5`, never},
		{`entry.data.x > 3 && entry.data.x < 4`, open}, // 3.5
		{`entry.data.x > 1.5 && entry.data.x < 1.6`, open},
		{`entry.data.x > 1152921504606846976 && entry.data.x < 1152921504606846978`, open},
		{`entry.data.x == "500" && entry.data.x == 500`, open},
		{`entry.data.x == "500" && entry.data.x == "500.0"`, open}, // the number 500 equals both
		{`entry.data.x > "9" && entry.data.x < 10`, open},          // the text 9.5
		{`entry.data.x == "abc" && entry.data.x > 5`, never},
		{`entry.data.x > "b" && entry.data.x < "a"`, never},
		{`entry.data.x == nil && entry.data.x contains "a"`, never},
		{`entry.data.x < "b" && entry.data.x startsWith "a"`, open},
		{`entry.data.x == "b" && entry.data.x startsWith "a"`, never},
		{`entry.data.x == nil && entry.data.x`, never},
		{`entry.data.x && entry.data.x == true`, open},
		{`entry.data.x && not entry.data.x`, never},
		{`entry.data.x != entry.data.x`, never},
		{`entry.data.x == entry.data.x`, always},
		{`entry.data.x <= entry.data.x`, open},
		{`entry.data.x > 5 || entry.data.x <= 5`, open}, // absent, or a text
		{`not (entry.data.x > 5 && entry.data.x <= 5)`, always},
		{`entry.data.x == nil || entry.data.x != nil`, always},
		{`entry.data.x == nil || entry.data.y == 1 || entry.data.x != nil`, always},
		{`entry.data.x == nil || entry.data.x != nil || len(entry.data.y) > 2`, open}, // may fail
		{`entry.data.x == [1] && entry.data.x == [2]`, open},
		{`entry.data.x == [1] && entry.data.x == 5`, never},
		{`false`, never},
		{`1 > 2`, never},
		{`duration("1d") > duration("2d") && event == "x"`, never},
		{`true`, always},
		{`event == "a" || 2 > 1`, always},
		{`now() > date("2026-01-01")`, open},
		{`timestamp == nil && timestamp != nil`, never},
		{`let a = entry.data.x; a > 5 && a < 3`, open}, // not looked into
		{`event == "entry.deleted"`, never},
		{`event == ""`, never},
		{`event != "entry.deleted"`, always},
		{`event in ["entry.deleted", "entry.created"]`, open},
		{`old == nil`, open},
		{`changed("amount") && not changed("amount")`, open},
	} {
		outline := New(Config{}).Outline(test.condition)
		if outline == nil {
			t.Errorf("Outline(%s) is nil", test.condition)
			continue
		}
		got, certainty := open, outline.Certain(Given{"event": {Except: []string{"entry.deleted"}}})
		switch {
		case certainty.Never != nil && certainty.Always:
			got = "both"
		case certainty.Never != nil:
			got = never
		case certainty.Always:
			got = always
		}
		if got != test.want {
			t.Errorf("Certain(%s) is %s, want %s", test.condition, got, test.want)
		}
	}
}

func TestAContradictionNamesItsParts(t *testing.T) {
	for _, test := range []struct{ condition, part, beside string }{
		{`helper.command == "/a" && entry.data.x && (helper.command == "/b")`, `helper.command == "/b"`, `helper.command == "/a"`},
		{`event == "x" && 1 > 2`, `1 > 2`, ``},
		{`entry.data.x > 1 && entry.data.x < 3 && (entry.data.x < 0 or entry.data.x > 9)`, `entry.data.x < 0 or entry.data.x > 9`, ``},
	} {
		outline := New(Config{}).Outline(test.condition)
		c := outline.Certain(nil).Never
		if c == nil {
			t.Errorf("Certain(%s) finds no contradiction", test.condition)
			continue
		}
		beside := ""
		if c.Beside != nil {
			beside = c.Beside.Text
		}
		if c.Part.Text != test.part || beside != test.beside || !strings.HasPrefix(test.condition[c.Part.Offset:], test.part) {
			t.Errorf("Certain(%s) blames %q at %d beside %q, want %q beside %q", test.condition, c.Part.Text, c.Part.Offset, beside, test.part, test.beside)
		}
	}
}

// What is told to be certain is held against what conditions made at random come to for values of every sort.
func TestCertaintyIsNeverWrong(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	dialect := New(Config{})
	values := []string{
		`null`, `true`, `false`, `[]`, `[1]`, `["a"]`, `{}`, `{"a":1}`, `""`, `"a"`, `"ab"`, `"b"`, `"zz"`, `"\u0000"`, `"a\u0000"`,
		`1`, `2`, `1.5`, `-1`, `0`, `10`, `2.5`, `"1"`, `"1.0"`, `"2"`, `"10"`, `"1.5"`, `"-1"`, `"3"`, `"05"`, `"9"`, `9`, `"1e400"`, `11`,
	}
	var scopes []*Scope
	for _, x := range values {
		for _, y := range []string{`null`, `1`, `"a"`, `true`} {
			event, err := peanuts.Parse([]byte(fmt.Sprintf(`{"event":"e","entry":{"data":{"x":%s,"y":%s}}}`, x, y)))
			if err != nil {
				t.Fatal(err)
			}
			scopes = append(scopes, NewScope(event, time.Unix(0, 0), nil))
		}
	}
	found := map[string]int{}
	for range 4000 {
		source := randomCondition(random, 3)
		condition, err := dialect.Condition(source)
		if err != nil {
			t.Fatalf("%s: %v", source, err)
		}
		certainty := dialect.Outline(source).Certain(nil)
		for _, scope := range scopes {
			result := condition.Judge(scope)
			if certainty.Never != nil && result.Holds || certainty.Always && !result.Holds {
				t.Fatalf("Certain(%s) is %+v, but it is %v of %s", source, certainty, result.Holds, scope.event.Raw)
			}
		}
		if certainty.Never != nil {
			found["never"]++
		}
		if certainty.Always {
			found["always"]++
		}
	}
	if found["never"] < 200 || found["always"] < 50 {
		t.Errorf("of 4000 conditions only %v are certain: the test shows little", found)
	}
}

func randomCondition(random *rand.Rand, depth int) string {
	pick := func(from ...string) string { return from[random.IntN(len(from))] }
	if depth > 0 && random.IntN(3) > 0 {
		left, right := randomCondition(random, depth-1), randomCondition(random, depth-1)
		return pick("("+left+" && "+right+")", "("+left+" || "+right+")", "not ("+left+")")
	}
	path := pick("entry.data.x", "entry.data.x", "entry.data.x", "entry.data.y")
	constant := pick("1", "2", "1.5", `"1"`, `"a"`, `"b"`, `""`, `"10"`, "nil", "true", `"1.0"`)
	switch random.IntN(8) {
	case 0:
		return path
	case 1:
		return path + " in [" + constant + `, 2, "b"]`
	case 2:
		return path + pick(" startsWith ", " contains ", " endsWith ") + pick(`"a"`, `""`, `"1"`)
	case 3:
		return path + pick(" == ", " <= ", " != ", " > ") + path
	}
	if strings.ContainsAny(constant, "lt") { // nil and true have no order
		return path + pick(" == ", " != ") + constant
	}
	if random.IntN(4) == 0 {
		return constant + pick(" < ", " >= ", " == ") + path
	}
	return path + pick(" == ", " != ", " < ", " <= ", " > ", " >= ") + constant
}

func TestTheOutlineOfAnExpression(t *testing.T) {
	for _, test := range []struct{ source, text, normal string }{
		{`entry.data["x y"] in ["a", -1]`, `entry.data["x y"] in ["a", -1]`, `(entry.data["x y"] in ["a", -1])`},
		{`(event == "b")  and helper.id == "a"`, `(event == "b")  and helper.id == "a"`, `((event == "b") && (helper.id == "a"))`},
		{`helper.id=="a" && event=="b"`, `helper.id=="a" && event=="b"`, `((event == "b") && (helper.id == "a"))`},
		{`len(entry.data.x) > 3`, `len(entry.data.x) > 3`, `(len(entry.data.x) > 3)`},
		{`2 * (3 + 4)`, `2 * (3 + 4)`, `(2 * (3 + 4))`},
	} {
		got := New(Config{}).Outline(test.source)
		if got.Text != test.text || got.String() != test.normal {
			t.Errorf("Outline(%s) is %q, %s, want %q, %s", test.source, got.Text, got, test.text, test.normal)
		}
	}
}

func TestThePathsThatAnExpressionReads(t *testing.T) {
	const source = `(entry.data.a?.b[0].c ?? changed("d.e")) && any(entry.data.items, .price > entry.data["max price"])`
	var got []string
	New(Config{}).Outline(source).Each(func(o *Outline) {
		if o.Kind == Path {
			got = append(got, fmt.Sprintf("%s at %d", PathText(o.Path), o.Offset))
		}
	})
	want := []string{`entry.data.a.b[0].c at 1`, `entry.data.d.e at 33`, `entry.data.items at 48`, `entry.data["max price"] at 75`}
	if g, w := fmt.Sprint(got), fmt.Sprint(want); g != w {
		t.Errorf("Outline(%s) reads\n%s, want\n%s", source, g, w)
	}
}

func TestTheHolesOfATemplate(t *testing.T) {
	const template = `a {{ entry.data.x }} {{ "}}" }} {{ day(entry.data.y) }}`
	type hole struct {
		Source, Braces, First string
	}
	var got []hole
	for _, h := range New(Config{}).Holes(template) {
		got = append(got, hole{h.Source, template[h.Offset : h.Offset+h.Length], template[h.Expression.Offset : h.Expression.Offset+len(h.Expression.Text)]})
	}
	want := []hole{
		{" entry.data.x ", "{{ entry.data.x }}", "entry.data.x"}, {` "}}" `, `{{ "}}" }}`, `"}}"`},
		{" day(entry.data.y) ", "{{ day(entry.data.y) }}", "day(entry.data.y)"},
	}
	g, _ := json.Marshal(got)
	w, _ := json.Marshal(want)
	if string(g) != string(w) {
		t.Errorf("Holes(%s) are\n%s, want\n%s", template, g, w)
	}
}
