package condition

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/peanuts-router/peanuts-router/peanuts"
)

// withOld is the scope of an update whose entry had other data before.
func withOld(t *testing.T, old, data string) *Scope {
	t.Helper()
	before := parse(t, old)
	return NewScope(parse(t, data), noon(), func() *peanuts.Event { return before })
}

func parse(t *testing.T, data string) *peanuts.Event {
	t.Helper()
	e, err := peanuts.Parse([]byte(`{"event":"entry.updated","entry":{"id":"e-1","data":` + data + `}}`))
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// C7: old and changed() speak of the version before; of what is not known, nothing has changed.
func TestConditionsKnowWhatWasBefore(t *testing.T) {
	known := withOld(t, `{"amount":500,"tags":["a"],"gone":1,"to":{"city":"Rome"},"same":"7"}`, `{"amount":612.50,"tags":["a","b"],"new":1,"to":{"city":"Oslo"},"same":7}`)
	first := NewScope(parse(t, `{"amount":612.50}`), noon(), nil)
	nothing := withOld(t, `null`, `{"amount":612.50}`)
	for _, c := range []struct {
		expr                  string
		known, first, nothing bool
	}{
		{`old.amount < 501 && entry.data.amount > 501`, true, false, false},
		{`old == nil`, false, true, true},
		{`old.nowhere == nil`, true, true, true},
		{`old["to"]["city"] == "Rome"`, true, false, false},
		{`entry.data.amount - old.amount > 100`, true, false, false},
		{`changed("amount")`, true, false, true},
		{`changed("tags")`, true, false, false},
		{`changed("gone") && changed("new")`, true, false, false},
		{`changed("same")`, false, false, false}, // one equality: "7" is 7
		{`changed("nowhere")`, false, false, false},
		{`changed("to.city") && changed("to")`, true, false, false},
		{`not changed("amount")`, false, true, false},
	} {
		compiled, err := New(Config{}).Condition(c.expr)
		if err != nil {
			t.Errorf("Condition(%s): %v", c.expr, err)
			continue
		}
		for name, run := range map[string]struct {
			scope *Scope
			want  bool
		}{"known": {known, c.known}, "first": {first, c.first}, "nothing": {nothing, c.nothing}} {
			if got := compiled.Judge(run.scope); got.Holds != run.want {
				t.Errorf("%s, with old %s: %+v, want %v", c.expr, name, got, run.want)
			}
		}
	}
}

// C6: what was before prints as it was sent.
func TestTheOldValuePrintsAsItWasSent(t *testing.T) {
	template, err := New(Config{}).Template(`{{ old.amount }} → {{ entry.data.amount }}`, Plain)
	if err != nil {
		t.Fatal(err)
	}
	if got, _, err := template.Render(withOld(t, `{"amount":500.10}`, `{"amount":612.50}`)); err != nil || got != "500.10 → 612.50" {
		t.Errorf("Render = %q, %v; want 500.10 → 612.50", got, err)
	}
}

// R75: what a stat is made of must come out the same whenever it is made.
func TestAStandingDialectRefusesWhatTellsOfMore(t *testing.T) {
	d := New(Config{Standing: true})
	for _, source := range []string{`old.amount > 1`, `changed("amount")`, `now() > timestamp`, `days_until(timestamp) > 1`, `entry.data.a == 1 || any(entry.data.b, # == old.c)`} {
		var fault *Error
		if _, err := d.Condition(source); !errors.As(err, &fault) || fault.Code != "not-here" || !strings.HasPrefix(source[fault.Offset:], fault.Message[:3]) {
			t.Errorf("Condition(%s) = %v, want not-here at its place", source, err)
		}
	}
	if _, err := d.Condition(`date(entry.data.day) > timestamp && entry.data.old == 1`); err != nil {
		t.Errorf("what stands is refused: %v", err)
	}
}

// R68, P21, P22, A5: a number keeps every digit that was sent; what is none is told, and what is too long to add up, too.
func TestADecimalKeepsItsDigits(t *testing.T) {
	for _, c := range []struct{ value, expr, want string }{
		{`612.50`, `entry.data.x`, "612.50"},
		{`0.1000000000000000055511151231257827`, `entry.data.x`, "0.1000000000000000055511151231257827"},
		{`123456789012345678901234567890`, `entry.data.x`, "123456789012345678901234567890"},
		{`"0.30"`, `entry.data.x`, "0.30"},
		{`9007199254740993`, `entry.data.x`, "9007199254740993"},
		{`1e3`, `entry.data.x`, "1e3"},
		{`0.1`, `entry.data.x + entry.data.x`, "0.2"},
		{`3`, `-entry.data.x`, "-3"},
		{`"2026-11-23T00:00:00Z"`, `date(entry.data.x).Month()`, "11"},
		{`"$12.50"`, `entry.data.x`, ""}, {`"1,200"`, `entry.data.x`, ""}, {`""`, `entry.data.x`, ""}, {`true`, `entry.data.x`, ""},
		{`["7"]`, `entry.data.x`, ""}, {`null`, `entry.data.x`, ""}, {`1`, `entry.data.nowhere`, ""}, {`"007"`, `entry.data.x`, ""},
		{`1e-999999999`, `entry.data.x`, ""}, {`"1e-999999999"`, `entry.data.x`, ""}, {`"1e999"`, `entry.data.x`, ""},
	} {
		e, err := New(Config{Standing: true}).Expression(c.expr)
		if err != nil {
			t.Fatal(err)
		}
		got, err := e.Decimal(NewScope(parse(t, `{"x":`+c.value+`}`), noon(), nil))
		if got = map[bool]string{true: got}[err == nil]; got != c.want {
			t.Errorf("%s of %s = %q, %v; want %q", c.expr, c.value, got, err, c.want)
		}
	}
}

// R44, R43: a moment is a time, or a text that is one, in the zone of the file.
func TestAMomentIsATimeOrATextThatIsOne(t *testing.T) {
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ value, expr, want string }{
		{`"2026-11-27"`, `date(entry.data.x) - duration("1d")`, "2026-11-25T23:00:00Z"},
		{`"2026-11-27"`, `entry.data.x`, "2026-11-26T23:00:00Z"},
		{`"2026-11-27T18:00:00Z"`, `entry.data.x`, "2026-11-27T18:00:00Z"},
		{`"2026-03-30"`, `date(entry.data.x) - duration("1d")`, "2026-03-28T23:00:00Z"},  // the clocks go on in between
		{`"2026-03-30"`, `date(entry.data.x) - duration("24h")`, "2026-03-28T22:00:00Z"}, // the same time of that day, or 24 hours
		{`"2026-10-26"`, `date(entry.data.x) - duration("1d")`, "2026-10-24T22:00:00Z"},  // and back
		{`"2028-03-01"`, `date(entry.data.x) - duration("1d")`, "2028-02-28T23:00:00Z"},  // a leap day
		{`"2027-03-01"`, `date(entry.data.x) - duration("1d")`, "2027-02-27T23:00:00Z"},  // none
		{`null`, `date(entry.data.x) - duration("1d")`, "error"},                         // nil - duration
		{`null`, `entry.data.x`, "nothing"},
		{`null`, `date(entry.data.x)`, "nothing"},
		{`"soon"`, `entry.data.x`, "error"}, {`5`, `entry.data.x`, "error"}, {`"soon"`, `date(entry.data.x)`, "error"},
	} {
		e, err := New(Config{Zone: berlin}).Expression(c.expr)
		if err != nil {
			t.Fatal(err)
		}
		moment, there, err := e.Moment(NewScope(parse(t, `{"x":`+c.value+`}`), noon(), nil))
		got := moment.UTC().Format(time.RFC3339)
		switch {
		case err != nil:
			got = "error"
		case !there:
			got = "nothing"
		}
		if got != c.want {
			t.Errorf("%s of %s is %s (%v), want %s", c.expr, c.value, got, err, c.want)
		}
	}
}

// R43, P28: days are counted from now to the start of the day in the file's zone, rounded up as in the guide; what is overdue is
// told from what is due, and what is no date is an error.
func TestDaysUntilCountsInTheZone(t *testing.T) {
	evening := time.Date(2026, 11, 24, 3, 0, 0, 0, time.UTC) // in New York 22:00 on the 23rd
	for _, c := range []struct{ zone, due, days, overdue string }{
		{"America/New_York", `"2026-11-24"`, "1", "false"},
		{"UTC", `"2026-11-24"`, "0", "true"},
		{"America/New_York", `"2026-11-25"`, "2", "false"},
		{"America/New_York", `"2026-11-24T22:00:00-05:00"`, "1", "false"},
		{"America/New_York", `"2026-11-24T22:00:01-05:00"`, "2", "false"},
		{"America/New_York", `"2026-11-22"`, "-1", "true"},
		{"America/New_York", `"2026-10-24"`, "-30", "true"}, // over the change of the clocks
		{"UTC", `null`, "", "false"},
		{"UTC", `"soon"`, "error", "error"},
		{"UTC", `20261124`, "error", "error"},
	} {
		zone, err := time.LoadLocation(c.zone)
		if err != nil {
			t.Fatal(err)
		}
		d, s := New(Config{Zone: zone}), NewScope(parse(t, `{"due":`+c.due+`}`), evening, nil)
		days := rendered(t, d, s, "{{ days_until(entry.data.due) }}", Plain)
		if strings.HasPrefix(days, "error: ") {
			days = "error"
		}
		if overdue := judged(t, d, s, "date(entry.data.due) < now()"); days != c.days || overdue != c.overdue {
			t.Errorf("in %s, due %s: days_until is %q, overdue %s; want %q and %s", c.zone, c.due, days, overdue, c.days, c.overdue)
		}
	}
}
