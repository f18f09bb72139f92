package engine_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/peanuts-router/peanuts-router/engine"
	"github.com/peanuts-router/peanuts-router/peanuts"
)

const onceRules = `
version: 1
actions:
  ops: {http: {url: "http://127.0.0.1:9/"}}
  table: {sql: {database: "sqlite:x.db", table: t, key: id, version: version}}
rules:
  - name: once
    when: entry.data.amount > 0
    once_per: entry.data.key
    then: [{action: ops}]
  - name: trial
    when: entry.data.amount > 0
    once_per: entry.data.key
    shadow: true
    then: [{action: ops, at: entry.data.due}, {action: table, upsert: {id: "{{ entry.id }}"}}]
  - name: off
    disabled: true
    when: entry.data.amount > 0
    once_per: entry.data.key
    then: [{action: table, upsert: {id: "{{ entry.id }}"}}]
  - name: off-for-flags
    disabled: true
    on: [entry.flagged]
    when: "true"
    then: [{action: ops}]
`

// heldBy is what is known when an event holds every claim of a rule.
func heldBy(rule engine.RuleName, event engine.EventID) engine.Known {
	return engine.Known{Claimed: func(c engine.Claim) engine.EventID {
		if c.Rule == rule {
			return event
		}
		return ""
	}}
}

// CONTRACT 3: a rule claims its value; nil claims nothing; another's claim suppresses; a rule on trial claims nothing.
func TestARuleFiresOncePerValue(t *testing.T) {
	rules := load(t, onceRules, nil)
	for _, c := range []struct {
		name, data string
		known      engine.Known
		want       engine.Judgement
	}{
		{"free", `{"amount":5,"key":"k"}`, engine.Known{}, engine.Judgement{
			Fired: []engine.RuleName{"once", "trial"}, Claims: []engine.Claim{{Rule: "once", Value: `"k"`}},
		}},
		{"absent", `{"amount":5,"key":null}`, heldBy("once", "first"), engine.Judgement{Fired: []engine.RuleName{"once", "trial"}}},
		{"held", `{"amount":5,"key":7.0}`, heldBy("once", "first"), engine.Judgement{
			Fired: []engine.RuleName{"trial"}, Suppressed: []engine.Suppressed{{Rule: "once", By: "first"}},
		}},
		{"held before the trial", `{"amount":5,"key":7}`, heldBy("trial", "first"), engine.Judgement{
			Fired: []engine.RuleName{"once"}, Suppressed: []engine.Suppressed{{Rule: "trial", By: "first"}}, Claims: []engine.Claim{{Rule: "once", Value: "7"}},
		}},
		{"not wanted", `{"amount":0,"key":7}`, heldBy("once", "first"), engine.Judgement{}},
		{"a list", `{"amount":5,"key":[7]}`, heldBy("once", "first"), engine.Judgement{Errors: []engine.RuleError{
			{Rule: "once", Message: "once_per: this is a list; it must be a text, a number, true, false or a time"},
			{Rule: "trial", Message: "once_per: this is a list; it must be a text, a number, true, false or a time"},
		}}},
	} {
		got := rules.Judge(told(t, "entry.updated", c.data), noon(), c.known)
		owing := map[engine.RuleName]bool{}
		for _, o := range got.Owed {
			owing[o.Rule] = true
		}
		for _, rule := range []engine.RuleName{"once", "trial"} {
			if fired := cmp.Equal(got.Fired, []engine.RuleName{"once", "trial"}) || len(got.Fired) == 1 && got.Fired[0] == rule; owing[rule] != fired {
				t.Errorf("%s: %s owes deliveries %t, fired %v", c.name, rule, owing[rule], got.Fired)
			}
		}
		c.want.Generation, c.want.Disabled = got.Generation, []engine.RuleName{"off"}
		if diff := cmp.Diff(c.want, got, cmpopts.IgnoreFields(engine.Judgement{}, "Owed"), cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.name, diff)
		}
	}
}

func TestARuleOnTrialOwesShadows(t *testing.T) {
	rules := load(t, onceRules, nil)
	j := rules.Judge(told(t, "entry.updated", `{"amount":5,"due":"2026-11-25"}`), noon(), engine.Known{})
	var shadows []bool
	for _, o := range j.Owed {
		shadows = append(shadows, o.Shadow)
	}
	if want := []bool{false, true, true}; !cmp.Equal(shadows, want) {
		t.Errorf("of what is owed shadows are %v, want %v", shadows, want)
	}
	j = rules.Judge(told(t, "entry.updated", `{"amount":0}`), noon(), everythingSynced())
	if len(j.Owed) != 1 || !j.Owed[0].Shadow || j.Owed[0].Sync != engine.SyncRemove {
		t.Errorf("an entry that is wanted no more owes %+v, want its removal as a shadow, and nothing of the rule that is off", j.Owed)
	}
}

// R39: a rule that is switched off is checked, listed, and not judged.
func TestADisabledRuleIsNotJudged(t *testing.T) {
	rules := load(t, onceRules, nil)
	if rules.Len() != 4 || len(rules.Tables()) != 2 {
		t.Errorf("%d rules with %d tables, want the disabled ones among them", rules.Len(), len(rules.Tables()))
	}
	for event, want := range map[string][]engine.RuleName{
		"entry.created": {"off"}, "entry.flagged": {"off", "off-for-flags"}, "entry.deleted": nil,
	} {
		if got := rules.Judge(told(t, event, `{"amount":5}`), noon(), everythingSynced()).Disabled; !cmp.Equal(got, want) {
			t.Errorf("at %s the rules %v are told to be off, want %v", event, got, want)
		}
	}
	_, problems := engine.Load(write(t, strings.Replace(onceRules, `when: "true"`, `when: helper.comand`, 1)), options(nil))
	if !problems.Failed() {
		t.Error("a disabled rule is not checked")
	}
}

// Explain tells what Judge does, and what a dry run shows of it.
func TestAnExplanationTellsOfClaims(t *testing.T) {
	rules := load(t, onceRules, nil)
	type line struct {
		Fired, Disabled, Shadow bool
		OncePer                 string
		By                      engine.EventID
	}
	for _, c := range []struct {
		data  string
		known engine.Known
		want  []line
	}{
		{`{"amount":5,"key":"k"}`, engine.Known{}, []line{{Fired: true, OncePer: `"k"`}, {Fired: true, Shadow: true, OncePer: `"k"`}, {Disabled: true}, {Disabled: true}}},
		{`{"amount":5}`, engine.Known{}, []line{{Fired: true, OncePer: "nil"}, {Fired: true, Shadow: true, OncePer: "nil"}, {Disabled: true}, {Disabled: true}}},
		{`{"amount":5,"key":1}`, heldBy("once", "first"), []line{{OncePer: "1", By: "first"}, {Fired: true, Shadow: true, OncePer: "1"}, {Disabled: true}, {Disabled: true}}},
		{`{"amount":0,"key":1}`, engine.Known{}, []line{{}, {Shadow: true}, {Disabled: true}, {Disabled: true}}},
	} {
		var got []line
		for _, e := range rules.Explain(told(t, "entry.updated", c.data), noon(), c.known) {
			got = append(got, line{e.Fired, e.Disabled, e.Shadow, e.OncePer, e.SuppressedBy})
			if e.SuppressedBy != "" && len(e.Owed) > 0 {
				t.Errorf("%s: a suppressed rule owes %v", c.data, e.Owed)
			}
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.data, diff)
		}
	}
}

// once_per may ask for all that conditions may: the time, and what was before.
func TestAClaimKnowsTheTimeAndWhatWasBefore(t *testing.T) {
	rules := load(t, strings.Replace(onceRules, "once_per: entry.data.key", "once_per: |\n      day(now()) + \" \" + old.key + \" \" + (changed(\"key\") ? \"new\" : \"old\")", 1), nil)
	before := told(t, "entry.created", `{"key":"was"}`)
	j := rules.Judge(told(t, "entry.updated", `{"amount":5,"key":"is"}`), noon(), engine.Known{Before: func() *peanuts.Event { return before }})
	if want := []engine.Claim{{Rule: "once", Value: `"2026-11-23 was new"`}}; !cmp.Equal(j.Claims, want) {
		t.Errorf("claims %v, errors %v; want %v", j.Claims, j.Errors, want)
	}
}
