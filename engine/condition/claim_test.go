package condition

import (
	"fmt"
	"math/big"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/peanuts-router/peanuts-router/peanuts"
)

func claim(t *testing.T, expression, data string) (string, bool, error) {
	t.Helper()
	compiled, err := New(Config{}).Expression(expression)
	if err != nil {
		t.Fatalf("Expression(%s): %v", expression, err)
	}
	return compiled.Claim(NewScope(parse(t, data), noon(), nil))
}

// CONTRACT 3: the scope of once_per is a typed value.
func TestAClaimIsTypedAndExact(t *testing.T) {
	for _, c := range []struct{ expr, data, want string }{
		{`entry.data.x`, `{"x":1}`, `1`},
		{`entry.data.x`, `{"x":1.0}`, `1`},
		{`entry.data.x`, `{"x":10e-1}`, `1`},
		{`entry.data.x`, `{"x":"1"}`, `"1"`},
		{`entry.data.x`, `{"x":"true"}`, `"true"`},
		{`entry.data.x`, `{"x":true}`, `true`},
		{`entry.data.x`, `{"x":false}`, `false`},
		{`entry.data.x`, `{"x":""}`, `""`},
		{`entry.data.x`, `{"x":"<a> & \"b\" \n"}`, `"<a> & \"b\" \n"`},
		{`entry.data.x`, `{"x":-0.0}`, `0`},
		{`entry.data.x`, `{"x":0.10}`, `0.1`},
		{`entry.data.x`, `{"x":1e-7}`, `0.0000001`},
		{`entry.data.x`, `{"x":-1.50e3}`, `-1500`},
		{`entry.data.x`, `{"x":9007199254740993}`, `9007199254740993`},
		{`entry.data.x`, `{"x":12345678901234567890.1230}`, `12345678901234567890.123`}, // every digit that was sent
		{`entry.data.x`, `{"x":12345678901234567890.124}`, `12345678901234567890.124`},
		{`entry.data.x / 4`, `{"x":10}`, `2.5`},
		{`entry.data.x / 5`, `{"x":10}`, `2`},
		{`date(entry.data.x)`, `{"x":"2026-11-23T13:00:00+01:00"}`, `2026-11-23T12:00:00Z`},
		{`date(entry.data.x)`, `{"x":"2026-11-23T12:00:00Z"}`, `2026-11-23T12:00:00Z`},
		{`entry.data.a + "/" + entry.data.b`, `{"a":"x","b":"y"}`, `"x/y"`},
		{`date(entry.data.x).Month()`, `{"x":"2026-11-23"}`, `11`},
	} {
		got, there, err := claim(t, c.expr, c.data)
		if got != c.want || !there || err != nil {
			t.Errorf("Claim(%s) of %s = %s, %t, %v; want %s", c.expr, c.data, got, there, err, c.want)
		}
	}
}

func TestWhatMakesNoClaim(t *testing.T) {
	for _, c := range []struct{ expr, data, want string }{
		{`entry.data.x`, `{}`, ""}, {`entry.data.x`, `{"x":null}`, ""}, {`old.x`, `{"x":1}`, ""},
		{`entry.data.x`, `{"x":[1]}`, "a list"}, {`entry.data.x`, `{"x":{"a":1}}`, "an object"}, {`entry.data`, `{"x":1}`, "an object"},
		{`entry.data.x`, `{"x":[]}`, "a list"},
		{`duration("1d")`, `{}`, "text, a number, true, false or a time"},
		{`entry.data.x / 0`, `{"x":1.5}`, "no number"},
		{`entry.data.x + 1`, `{}`, "absent"},
	} {
		got, there, err := claim(t, c.expr, c.data)
		if got != "" || there || (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("Claim(%s) of %s = %q, %t, %v; want none, and an error with %q", c.expr, c.data, got, there, err, c.want)
		}
	}
}

func TestALongClaimIsShortAndTellsApart(t *testing.T) {
	long := strings.Repeat("ü", 5000)
	first, _, err := claim(t, `entry.data.x`, fmt.Sprintf(`{"x":%q}`, long+"a"))
	second, _, _ := claim(t, `entry.data.x`, fmt.Sprintf(`{"x":%q}`, long+"b"))
	if err != nil || len(first) > longestClaim || first == second || !strings.HasPrefix(first, `"üü`) {
		t.Errorf("claims of long texts are %q and %q, %v; want two short ones", first, second, err)
	}
}

// Two numbers make one claim just when they are equal as decimals.
func TestEqualNumbersMakeOneClaim(t *testing.T) {
	number := rapid.StringMatching(`-?(0|[1-9][0-9]{0,3})(\.[0-9]{1,3})?([eE][+-]?[0-3])?`)
	compiled, err := New(Config{}).Expression("entry.data.x")
	if err != nil {
		t.Fatal(err)
	}
	of := func(r *rapid.T, literal string) string {
		e, err := peanuts.Parse([]byte(`{"event":"entry.updated","entry":{"id":"e","data":{"x":` + literal + `}}}`))
		if err != nil {
			r.Fatal(err)
		}
		claim, there, err := compiled.Claim(NewScope(e, noon(), nil))
		if !there || err != nil {
			r.Fatalf("Claim() of %s = %t, %v", literal, there, err)
		}
		return claim
	}
	rapid.Check(t, func(r *rapid.T) {
		a, b := number.Draw(r, "a"), number.Draw(r, "b")
		x, _ := new(big.Rat).SetString(a)
		y, _ := new(big.Rat).SetString(b)
		if back, _ := new(big.Rat).SetString(of(r, a)); back.Cmp(x) != 0 {
			r.Errorf("the claim of %s is %s", a, of(r, a))
		}
		if (of(r, a) == of(r, b)) != (x.Cmp(y) == 0) {
			r.Errorf("%s and %s claim %s and %s", a, b, of(r, a), of(r, b))
		}
	})
}
