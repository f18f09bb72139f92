package condition

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/peanuts-router/peanuts-router/peanuts"
)

// comparand draws a constant of a condition; sample one of an event, which is often the same.
var (
	comparand = rapid.SampledFrom([]string{"500", "500.0", "-1", "1e3", "0", "true", "false", "nil", `"500"`, `"500.0"`, `"abc"`, `""`, `"/tasks"`, "9007199254740993", "-0.5"})
	sample    = rapid.SampledFrom([]string{"500", "500.0", "500.01", "499", "-1", "1e3", "0", "-0.0", "true", "false", "null", `"500"`, `"500.0"`, `"abc"`, `""`,
		`"/tasks"`, "9007199254740993", "9007199254740992.0", "-0.5", "[]", "[500]", `{"a":1}`, "1e400"})
	somewhere = rapid.SampledFrom([]string{"entry.data.a", "entry.data.b", "entry.data.c", "entry.data.c.a", "entry.data.l[0]", "helper.command", "event", "entry.id",
		"entry.data?.a", `entry["data"].b`, "timestamp", "old.a", "user.id"})
)

// anyCondition draws a condition: comparisons that an index can use, some that it cannot, and some that go wrong.
func anyCondition(depth int) *rapid.Generator[string] {
	return rapid.Custom(func(t *rapid.T) string {
		if depth > 0 && rapid.IntRange(0, 2).Draw(t, "deeper") > 0 {
			part := anyCondition(depth - 1)
			switch rapid.IntRange(0, 5).Draw(t, "node") {
			case 0, 1, 2:
				return fmt.Sprintf("(%s && %s)", part.Draw(t, "left"), part.Draw(t, "right"))
			case 3, 4:
				return fmt.Sprintf("(%s || %s)", part.Draw(t, "left"), part.Draw(t, "right"))
			}
			return fmt.Sprintf("not (%s)", part.Draw(t, "negated"))
		}
		at, constant := somewhere.Draw(t, "path"), comparand.Draw(t, "constant")
		switch rapid.IntRange(0, 9).Draw(t, "leaf") {
		case 0:
			return fmt.Sprintf("%s in [%s, %s]", at, constant, comparand.Draw(t, "other"))
		case 1:
			return fmt.Sprintf("%s == %s", constant, at)
		case 2:
			return fmt.Sprintf("len(entry.data.l) > %d", rapid.IntRange(0, 2).Draw(t, "length"))
		case 3:
			return rapid.SampledFrom([]string{"entry.data.a", "true", "entry.data.b contains entry.data.a", "any(entry.data.l, # == 500)", `changed("a")`}).Draw(t, "other")
		case 4, 5, 6:
			return fmt.Sprintf("%s %s %s", at, rapid.SampledFrom([]string{"<", "<=", ">", ">="}).Draw(t, "operator"), rapid.SampledFrom([]string{"500", "-1", "0.5", "1e3", `"b"`}).Draw(t, "limit"))
		case 7:
			return fmt.Sprintf("500 %s %s", rapid.SampledFrom([]string{"<", "<=", ">", ">="}).Draw(t, "operator"), at)
		}
		return fmt.Sprintf("%s %s %s", at, rapid.SampledFrom([]string{"==", "==", "==", "!="}).Draw(t, "equality"), constant)
	})
}

// anyEvent draws an event that has something to say to such conditions.
var anyEvent = rapid.Custom(func(t *rapid.T) string {
	value := func(name string) string { return sample.Draw(t, name) }
	return fmt.Sprintf(`{"event":%s,"timestamp":"2026-11-23T12:00:00Z","helper":{"command":%s},"entry":{"id":"e","data":{"a":%s,"b":%s,"c":%s,"l":%s}},"user":{"id":%s}}`,
		rapid.SampledFrom([]string{`"abc"`, `"500"`, `"x"`}).Draw(t, "event"), value("command"), value("a"), value("b"), value("c"),
		rapid.SampledFrom([]string{"null", "[]", "[500]", `["abc", 1]`, "3"}).Draw(t, "l"), value("user"))
})

// The index leaves out only what provably does not hold: what it leaves out neither holds, nor errs, nor mismatches.
func TestTheIndexLeavesOutOnlyWhatIsPlainlyFalse(t *testing.T) {
	d := New(Config{})
	before := &peanuts.Event{Event: "entry.created", Entry: peanuts.Entry{Data: map[string]any{"a": int64(500)}}}
	skipped, found := 0, 0
	rapid.Check(t, func(t *rapid.T) {
		conditions := map[int]*Condition{}
		var entries []Entry
		for i := range rapid.IntRange(1, 60).Draw(t, "conditions") {
			source := anyCondition(3).Draw(t, "condition")
			c, err := d.Condition(source)
			if err != nil {
				continue // of types that never compare
			}
			conditions[i] = c
			entries = append(entries, Entry{ID: i, Condition: c})
		}
		index := NewIndex(entries)
		for range 5 {
			body := anyEvent.Draw(t, "event")
			event, err := peanuts.Parse([]byte(body))
			if err != nil {
				continue // a number that no router takes
			}
			s := NewScope(event, time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC), func() *peanuts.Event { return before })
			candidates := index.Candidates(s, nil)
			for id, c := range conditions {
				sameByMachine(t, c, s, body)
				if slices.Contains(candidates, id) {
					found++
					continue
				}
				skipped++
				if r := c.Judge(s); r.Holds || r.Err != nil || len(r.Mismatches) > 0 {
					t.Fatalf("%s is left out for %s, but judged %+v", c.program.source, body, r)
				}
			}
		}
	})
	if skipped < found/4 || found < skipped/20 {
		t.Errorf("%d left out and %d found: the test tells little", skipped, found)
	}
}

// sameByMachine holds that a condition comes to the same whether expr's machine evaluates it or not.
func sameByMachine(t *rapid.T, c *Condition, s *Scope, body string) {
	natively := c.Judge(s)
	natively.Mismatches = slices.Clone(natively.Mismatches)
	byMachine := *c.program
	byMachine.native = nil
	got := (&Condition{dialect: c.dialect, program: &byMachine}).Judge(s)
	if got.Holds != natively.Holds || fmt.Sprint(got.Err, got.Mismatches) != fmt.Sprint(natively.Err, natively.Mismatches) {
		t.Fatalf("%s for %s: by the machine %+v, without it %+v", c.program.source, body, got, natively)
	}
}

// What the index leaves out, and what not: by example.
func TestWhatTheIndexFinds(t *testing.T) {
	d := New(Config{})
	// More conditions than are looked at one by one, none of which the event concerns.
	var entries []Entry
	add := func(source string) {
		c, err := d.Condition(source)
		if err != nil {
			t.Fatal(err)
		}
		entries = append(entries, Entry{ID: len(entries), Condition: c})
	}
	for i := range 20 {
		add(fmt.Sprintf(`helper.command == "/other-%d" && entry.data.n > %d`, i, i))
		add(fmt.Sprintf(`helper.command == "/x" && entry.data.n > %d`, 1000+i))
		add(fmt.Sprintf(`entry.data.n < %d`, -i-1))
	}
	filler := len(entries)
	for _, c := range []struct {
		source, data string
		found        bool
	}{
		{`entry.data.n == 5`, `{"n":5}`, true},
		{`entry.data.n == 5`, `{"n":"5.0"}`, true},
		{`entry.data.n == 5`, `{"n":6}`, false},
		{`entry.data.n == 5`, `{}`, false},
		{`5 == entry.data.n`, `{"n":6}`, false},
		{`"5" == entry.data.n`, `{"n":5}`, true},
		{`entry.data.n in [1, "a", true]`, `{"n":true}`, true},
		{`entry.data.n in [1, "a", true]`, `{"n":"b"}`, false},
		{`entry.data.n in []`, `{"n":"b"}`, false},
		{`entry.data.n > 5`, `{"n":6}`, true},
		{`entry.data.n > 5`, `{"n":5}`, false},
		{`entry.data.n >= 5`, `{"n":5}`, true},
		{`5 <= entry.data.n`, `{"n":5}`, true},
		{`entry.data.n < 5`, `{"n":5}`, false},
		{`entry.data.n <= 5`, `{"n":"5"}`, true},
		{`entry.data.n > -5`, `{"n":-5}`, false},
		{`entry.data.n > 5`, `{"n":"abc"}`, true}, // a mismatch has to be told
		{`entry.data.n > 5`, `{"n":null}`, false},
		{`entry.data.n == 1 || entry.data.m == 2`, `{"n":5,"m":2}`, true},
		{`entry.data.n == 1 || entry.data.m == 2`, `{"n":5,"m":3}`, false},
		{`entry.data.n == 1 || entry.data.m > 2`, `{"n":5,"m":2}`, true}, // of mixed kinds it is not asked
		{`(entry.data.n == 1 && len(entry.data.l) > 1) || entry.data.m == 2`, `{"n":5}`, false},
		{`entry.data.n != 5`, `{"n":5}`, true},
		{`not (entry.data.n == 5)`, `{"n":5}`, true},
		{`old.n == 5`, `{"n":5}`, true},
		{`len(entry.data.l) > 1 && entry.data.n == 5`, `{"n":6}`, false},
		{`true`, `{}`, true},
	} {
		entries = entries[:filler]
		add(c.source)
		found := NewIndex(entries).Candidates(scopeWith(t, c.data), nil)
		if got := slices.Contains(found, filler); got != c.found {
			t.Errorf("%s for %s is found: %t, want %t", c.source, c.data, got, c.found)
		}
	}
}

// A member whose name holds a dot is another path than a member of a member.
func TestTheIndexTellsPathsApart(t *testing.T) {
	d := New(Config{})
	var entries []Entry
	for i := range 10 {
		for _, source := range []string{
			fmt.Sprintf(`entry.data.a.b == %d`, i), fmt.Sprintf(`entry.data["a.b"] == %d`, i),
			fmt.Sprintf(`entry.data.a.b > %d`, i), fmt.Sprintf(`entry.data["a.b"] > %d`, i),
		} {
			c, err := d.Condition(source)
			if err != nil {
				t.Fatal(err)
			}
			entries = append(entries, Entry{ID: len(entries), Condition: c})
		}
	}
	index := NewIndex(entries)
	for _, data := range []string{`{"a":{"b":3}}`, `{"a.b":3}`, `{"a":{"b":3},"a.b":7}`} {
		s := scopeWith(t, data)
		found := index.Candidates(s, nil)
		for _, e := range entries {
			if e.Condition.Judge(s).Holds && !slices.Contains(found, e.ID) {
				t.Errorf("%s holds for %s, and is left out", e.Condition.program.source, data)
			}
		}
	}
}

// A condition that a plain comparison rules out is no error, in whatever order it is written.
func TestWhatIsRuledOutIsNoErrorInAnyOrder(t *testing.T) {
	d := New(Config{})
	for _, source := range []string{
		`helper.command == "/nobody" && len(entry.data.nothing) > 1`,
		`len(entry.data.nothing) > 1 && helper.command == "/nobody"`,
		`(len(entry.data.nothing) > 1 && entry.data.n > 5) || helper.command in ["/nobody"]`,
	} {
		c, err := d.Condition(source)
		if err != nil {
			t.Fatal(err)
		}
		if r := c.Judge(scopeWith(t, `{"n":1}`)); r.Holds || r.Err != nil {
			t.Errorf("%s is judged %+v, want plainly false", source, r)
		}
	}
	c, err := d.Condition(`len(entry.data.nothing) > 1 && entry.data.n > 5`)
	if err != nil {
		t.Fatal(err)
	}
	if r := c.Judge(scopeWith(t, `{"n":6}`)); r.Err == nil {
		t.Error("an error that nothing rules out is not told")
	}
}
