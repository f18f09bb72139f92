package engine_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/peanuts-router/peanuts-router/engine"
	"github.com/peanuts-router/peanuts-router/engine/rulefile"
	"github.com/peanuts-router/peanuts-router/peanuts"
)

const following = `
version: 1
timezone: Europe/Berlin
actions:
  table: {sql: {database: "sqlite:x.db", table: t, key: id, version: version}}
  ops: {http: {url: "http://127.0.0.1:9/"}}
rules:
  - name: sync
    when: entry.data.amount > 0
    then:
      - action: table
        on_delete: {mark: gone}
        upsert: {id: "{{ entry.id }}", amount: "{{ entry.data.amount }}", tags: "{{ entry.data.tags }}", rank: 7, note: "{{ entry.data.note }}!", at: "{{ now() }}"}
      - action: table
        upsert: {id: "row of {{ entry.id }}"}
      - action: table
        on_delete: keep
        upsert: {id: "{{ entry.id }}"}
  - name: remind
    when: entry.data.amount > 0
    then:
      - {action: ops, at: entry.data.due, body: later}
      - {action: ops, body: now}
  - name: only-created
    on: [entry.created]
    when: entry.data.amount > 0
    then: [{action: table, upsert: {id: "{{ entry.id }}"}}]
stats:
  sum: {when: entry.data.amount != nil, exclude: helper.command == "/test", value: entry.data.amount, group_by: entry.data.kind}
  money: {when: helper.command == "/expenses", value: entry.data.amount, unit: entry.data.currency}
  broken: {when: len(entry.data.list) > 0, value: entry.data.amount}
`

// told is what an event says of the entry e.
func told(t *testing.T, event, data string) *peanuts.Event {
	t.Helper()
	return parse(t, `{"event":"`+event+`","timestamp":"2026-11-23T10:00:00Z","helper":{"command":"/expenses"},"entry":{"id":"e","data":`+data+`}}`)
}

func everythingSynced() engine.Known {
	return engine.Known{Synced: func(engine.StepID) bool { return true }}
}

// owedBy are the deliveries of a rule, each in a line.
func owedBy(j engine.Judgement, rule engine.RuleName) []string {
	var lines []string
	for _, o := range j.Owed {
		if o.Rule != rule {
			continue
		}
		line := string(o.Sync) + " " + string(o.Message)
		if !o.At.IsZero() {
			line = "at " + o.At.UTC().Format(time.RFC3339) + line
		}
		if o.Late != "" {
			line += " late"
		}
		lines = append(lines, line)
	}
	return lines
}

// C6, R51-R55: a row has its columns in order and their types, its version, and what marks it gone taken back.
func TestARowKeepsTypesAndDigits(t *testing.T) {
	rules := load(t, following, nil)
	j := rules.Judge(told(t, "entry.updated", `{"amount":612.50,"tags":["a","<b>"]}`), noon(), engine.Known{})
	version := `"2026-11-23T10:00:00.000000000Z-2-`
	got := owedBy(j, "sync")
	for i := range got {
		from := strings.Index(got[i], version) + len(version)
		got[i] = got[i][:from] + "…" + got[i][from+16:]
	}
	want := []string{
		`upsert {"version":` + version + `…","columns":[{"name":"id","value":"e"},{"name":"amount","value":612.50},{"name":"tags","value":["a","<b>"]},` +
			`{"name":"rank","value":7},{"name":"note","value":"!"},{"name":"at","value":"2026-11-23T12:00:00Z","volatile":true},{"name":"gone","value":null}]}`,
		`upsert {"version":` + version + `…","columns":[{"name":"id","value":"row of e"}]}`,
		`upsert {"version":` + version + `…","columns":[{"name":"id","value":"e"}]}`,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("owed to the table (-want +got):\n%s", diff)
	}
}

// R51, R52, R58, P15: the example rules keep the guide's record of each expense, and of nothing else.
func TestTheGuidesRecord(t *testing.T) {
	rules, problems := engine.Load("../rules.example.yaml", engine.Options{Options: rulefile.Options{UnsetIsWarning: true}})
	if rules == nil {
		t.Fatal(problems)
	}
	body := `{"event":"entry.created","timestamp":"2026-11-23T10:00:00Z","helper":{"name":"Expenses","command":"/expenses"},"entry":{"id":"e-1",` +
		`"created_at":"2026-11-23T09:00:00Z","data":{"amount":612.50,"category":"Travel","description":"Flight","due_date":"2026-11-24"}}}`
	j := rules.Judge(parse(t, body), noon(), engine.Known{})
	var m engine.SQLMessage
	for _, owed := range j.Owed {
		if owed.Kind != engine.KindSQL {
			continue
		}
		if err := json.Unmarshal(owed.Message, &m); err != nil {
			t.Fatal(err)
		}
	}
	got := map[string]string{}
	for _, column := range m.Columns {
		got[column.Name] = string(column.Value)
	}
	want := map[string]string{
		"external_id": `"e-1"`, "source": `"peanuts"`, "helper_name": `"Expenses"`, "amount": `612.50`, "category": `"Travel"`,
		"description": `"Flight"`, "logged_at": `"2026-11-23T09:00:00Z"`, "synced_at": `"2026-11-23T12:00:00Z"`,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("the record (-want +got):\n%s", diff)
	}
	for _, owed := range rules.Judge(parse(t, strings.Replace(body, "/expenses", "/tasks", 1)), noon(), engine.Known{}).Owed {
		if owed.Kind == engine.KindSQL {
			t.Errorf("a task is written to the table of expenses: %s", owed.Message)
		}
	}
}

// R55, P18: a row goes with its entry, and when its rule wants it no more; what was never synced needs no removal.
func TestARowIsRemovedWhenItsEntryIsWantedNoMore(t *testing.T) {
	rules := load(t, following, nil)
	mark, gone := `"remove":{"key":"e","mark":"gone","at":"2026-11-23T10:00:00Z"}`, `"remove":{"key":"row of e","at":"2026-11-23T10:00:00Z"}`
	for _, c := range []struct {
		name  string
		event *peanuts.Event
		known engine.Known
		want  []string // parts of what sync owes
		other int      // how many only-created owes
	}{
		{"deleted", told(t, "entry.deleted", `{"amount":5}`), everythingSynced(), []string{mark, gone}, 1},
		{"wanted no more", told(t, "entry.updated", `{"amount":0}`), everythingSynced(), []string{mark, gone}, 0},
		{"never synced", told(t, "entry.deleted", `{"amount":5}`), engine.Known{}, nil, 0},
		{"an event that is no version", told(t, "entry.flagged", `{"amount":0}`), everythingSynced(), nil, 0},
		{"a condition that fails", told(t, "entry.updated", `{"amount":null}`), everythingSynced(), []string{mark, gone}, 0},
		{"one step was synced", told(t, "entry.deleted", `null`), engine.Known{Synced: func(id engine.StepID) bool { return id.Step == 1 }}, []string{gone}, 0},
	} {
		j := rules.Judge(c.event, noon(), c.known)
		got := owedBy(j, "sync")
		if len(got) != len(c.want) || len(owedBy(j, "only-created")) != c.other {
			t.Errorf("%s: sync owes %q, only-created %q", c.name, got, owedBy(j, "only-created"))
			continue
		}
		for i := range got {
			if !strings.HasPrefix(got[i], "remove") || !strings.Contains(got[i], c.want[i]) {
				t.Errorf("%s: owed %s, want %s", c.name, got[i], c.want[i])
			}
		}
	}
	if got := owedBy(rules.Judge(told(t, "entry.flagged", `{"amount":5}`), noon(), engine.Known{}), "sync"); got != nil {
		t.Errorf("an event that brings no version writes rows: %q", got)
	}
}

// R44, C7: a reminder is due at its time; without one nothing is owed, and a time that cannot be told is an error of the rule
// that keeps the other steps from nothing.
func TestAReminderHasItsTime(t *testing.T) {
	rules := load(t, following, nil)
	for _, c := range []struct {
		data string
		want []string
		err  string
	}{
		{`{"amount":1,"due":"2026-11-27"}`, []string{`at 2026-11-26T23:00:00Z {"body":"later"}`, ` {"body":"now"}`}, ""},
		{`{"amount":1,"due":null}`, []string{` {"body":"now"}`}, ""},
		{`{"amount":1,"due":"canary"}`, []string{` {"body":"now"}`}, "at: a date is text such as"},
		{`{"amount":1,"due":7}`, []string{` {"body":"now"}`}, "at: this is a number, not a time"},
	} {
		j := rules.Judge(told(t, "entry.created", c.data), noon(), engine.Known{})
		if diff := cmp.Diff(c.want, owedBy(j, "remind")); diff != "" {
			t.Errorf("%s owes (-want +got):\n%s", c.data, diff)
		}
		message := ""
		if len(j.Errors) > 0 {
			message = j.Errors[0].Message
		}
		if c.err == "" && message != "" || !strings.HasPrefix(message, c.err) || strings.Contains(message, "canary") {
			t.Errorf("%s fails with %q, want %q", c.data, message, c.err)
		}
	}
}

// R56: an event that is older than what is known notifies, and leaves rows, reminders and stats alone.
func TestALateEventOnlyNotifies(t *testing.T) {
	j := load(t, following, nil).Judge(told(t, "entry.updated", `{"amount":1,"due":"2026-11-27"}`), noon(), engine.Known{Late: true})
	if got, want := owedBy(j, "remind"), []string{`at 2026-11-26T23:00:00Z {"body":"later"} late`, ` {"body":"now"}`}; !cmp.Equal(got, want) {
		t.Errorf("owed %q, want %q", got, want)
	}
	for _, line := range owedBy(j, "sync") {
		if !strings.HasSuffix(line, " late") {
			t.Errorf("a row is written by %s", line)
		}
	}
	if j.Contributions != nil {
		t.Errorf("it adds to the stats: %+v", j.Contributions)
	}
}

// R60-R62, R69-R72, P21-P23, P36: what an entry adds to each stat.
func TestWhatAnEntryAddsToTheStats(t *testing.T) {
	rules := load(t, following, nil)
	add := func(stat engine.StatName, group, unit, value string) engine.Contribution {
		return engine.Contribution{Stat: stat, Entry: "e", Day: "2026-11-23", Group: group, Unit: unit, Value: value}
	}
	body := func(head, data string) string {
		return `{"event":"entry.created",` + head + `"entry":{"id":"e","created_at":"2026-11-22T23:30:00Z","data":` + data + `}}`
	}
	expense := `"helper":{"command":"/expenses"},`
	for _, c := range []struct {
		name, body string
		want       []engine.Contribution
	}{
		{"all of it", body(expense, `{"amount":"612.50","kind":"Travel","currency":"EUR","list":[1]}`),
			[]engine.Contribution{add("sum", "Travel", "", "612.50"), add("money", "(none)", "EUR", "612.50"), add("broken", "(none)", "", "612.50")}},
		{"no group, no unit", body(expense, `{"amount":1e3,"kind":"","list":[]}`), []engine.Contribution{add("sum", "(none)", "", "1e3"), add("money", "(none)", "(none)", "1e3")}},
		{"no value", body(expense, `{"list":[]}`), []engine.Contribution{add("money", "(none)", "(none)", "")}},
		{"no number", body(expense, `{"amount":"$5","list":[]}`), []engine.Contribution{add("sum", "(none)", "", ""), add("money", "(none)", "(none)", "")}},
		{"a condition that fails", body(`"helper":{"command":"/tasks"},`, `{"amount":2}`), []engine.Contribution{add("sum", "(none)", "", "2"), add("broken", "(none)", "", "")}},
		{"a test", body(`"helper":{"command":"/test"},`, `{"amount":2,"list":[]}`), nil},
		{"deleted", strings.Replace(body(expense, `{"amount":1,"list":[]}`), "created", "deleted", 1), nil},
		{"not created at any time", `{"event":"entry.created","timestamp":"2026-11-23T00:30:00+02:00","entry":{"id":"e","data":{"amount":2,"list":[]}}}`,
			[]engine.Contribution{{Stat: "sum", Entry: "e", Day: "2026-11-22", Group: "(none)", Value: "2"}}},
		{"without any time", `{"event":"entry.created","entry":{"id":"e","data":{"amount":2,"list":[]}}}`, []engine.Contribution{add("sum", "(none)", "", "2")}},
	} {
		got := rules.Judge(parse(t, c.body), noon(), engine.Known{}).Contributions
		if diff := cmp.Diff(c.want, got, cmpopts.IgnoreFields(engine.Contribution{}, "Definition"), cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.name, diff)
		}
	}
}

// A stat is its definition: what does not change its values does not change it.
func TestAStatIsItsDefinition(t *testing.T) {
	first := load(t, following, nil).Stats()
	for name, change := range map[string][2]string{
		"the time zone": {"Europe/Berlin", "Europe/Athens"}, "the value": {"value: entry.data.amount, group", "value: entry.data.sum, group"},
		"what is excluded": {`"/test"`, `"/tests"`}, "the group": {"group_by: entry.data.kind", "group_by: entry.data.type"},
	} {
		if got := load(t, strings.ReplaceAll(following, change[0], change[1]), nil).Stats()[0]; got.Definition == first[0].Definition {
			t.Errorf("with another one, %s, the stat is the same", name)
		}
	}
	if got := load(t, strings.ReplaceAll(following, "amount > 0", "amount > 1"), nil).Stats(); !cmp.Equal(got, first) {
		t.Errorf("another rule makes another stat: %+v", got)
	}
}

// R68, R70, P22: amounts are exact, and averages rounded half up to the sum's places, at least two.
func TestAmountsAreExact(t *testing.T) {
	for _, c := range []struct {
		values  []string
		total   string
		average string
	}{
		{[]string{"0.1", "0.2"}, "0.3", "0.15"},
		{[]string{"12.50", "0.50"}, "13", "6.5"},
		{[]string{"0.01", "0.02"}, "0.03", "0.02"}, // 0.015
		{[]string{"-0.01", "-0.02"}, "-0.03", "-0.02"},
		{[]string{"1", "1", "1.001"}, "3.001", "1"},
		{[]string{"10", "0", "0"}, "10", "3.33"},
		{[]string{"1e3", "9007199254740993"}, "9007199254741993", "4503599627370996.5"},
		{[]string{"0.1", "0.125", "-0.125"}, "0.1", "0.03"},
	} {
		total := engine.Amount{}
		for _, value := range c.values {
			amount, err := engine.NewAmount(value)
			if err != nil {
				t.Fatal(err)
			}
			total = total.Plus(amount)
		}
		text, err := json.Marshal(map[string]engine.Amount{"t": total, "a": total.Over(len(c.values))})
		if want := `{"a":` + c.average + `,"t":` + c.total + `}`; err != nil || string(text) != want {
			t.Errorf("%v: %s, %v; want %s", c.values, text, err, want)
		}
	}
	if _, err := engine.NewAmount("12,50"); err == nil {
		t.Error("12,50 is taken for a number")
	}
}
