package engine_test

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/peanuts-router/peanuts-router/engine"
)

const orderRules = `
version: 1
actions:
  desk: {http: {url: "http://127.0.0.1:9/"}, order_by: entry.data.customer}
  free: {http: {url: "http://127.0.0.1:9/"}}
  table: {sql: {database: "sqlite:x.db", table: t, key: id, version: version}, order_by: entry.data.customer}
rules:
  - name: r
    when: entry.data.amount > 0
    then: [{action: desk}, {action: free}, {action: desk, at: entry.data.due}, {action: table, upsert: {id: "{{ entry.id }}"}}]
`

// CONTRACT 3: order_by is evaluated when the rule fires; nil means unordered, and what cannot be told is owed all the same.
func TestWhatIsOwedIsOrderedByItsActionsValue(t *testing.T) {
	rules := load(t, orderRules, nil)
	for data, want := range map[string]string{
		`{"amount":1,"customer":"ann","due":"2026-12-01"}`: `"ann"`,
		`{"amount":1,"customer":7.0,"due":"2026-12-01"}`:   `7`,
		`{"amount":1,"customer":"7","due":"2026-12-01"}`:   `"7"`,
		`{"amount":1,"customer":null,"due":"2026-12-01"}`:  ``,
		`{"amount":1,"due":"2026-12-01"}`:                  ``,
		`{"amount":1,"customer":["ann"],"due":"2026"}`:     ``,
	} {
		j := rules.Judge(told(t, "entry.updated", data), noon(), engine.Known{})
		orders := map[engine.ActionName][]string{}
		for _, o := range j.Owed {
			orders[o.Action] = append(orders[o.Action], o.Order)
		}
		wanted := map[engine.ActionName][]string{"desk": {want, want}, "free": {""}, "table": {want}}
		var errors []engine.RuleError
		if data[len(data)-7:] == `"2026"}` { // the reminder's time cannot be told either, and the first error is told
			wanted["desk"] = []string{want}
			errors = []engine.RuleError{{Rule: "r", Message: "order_by of desk: this is a list; it must be a text, a number, true, false or a time"}}
		}
		if diff := cmp.Diff(wanted, orders); diff != "" {
			t.Errorf("%s: orders (-want +got):\n%s", data, diff)
		}
		if diff := cmp.Diff(errors, j.Errors); diff != "" {
			t.Errorf("%s: rule errors (-want +got):\n%s", data, diff)
		}
	}
	for event, data := range map[string]string{"entry.deleted": `{"customer":"ann"}`, "entry.updated": `{"amount":0,"customer":"ann"}`} {
		j := rules.Judge(told(t, event, data), noon(), everythingSynced())
		if len(j.Owed) != 1 || j.Owed[0].Sync != engine.SyncRemove || j.Owed[0].Order != `"ann"` {
			t.Errorf("%s owes %+v, want the removal of the row, in its order", event, j.Owed)
		}
	}
	j := rules.Judge(told(t, "entry.deleted", `{"customer":["ann"]}`), noon(), everythingSynced())
	if len(j.Owed) != 1 || len(j.Errors) != 1 {
		t.Errorf("a removal whose order cannot be told is %+v with the errors %v, want it owed, and told", j.Owed, j.Errors)
	}
}

// CONTRACT 3: an action that says nothing has the breaker of the contract; what it says stands beside the defaults.
func TestBreakersAreReadBesideTheirDefaults(t *testing.T) {
	rules := load(t, `
version: 1
actions:
  silent: {http: {url: "http://127.0.0.1:9/"}}
  eager: {http: {url: "http://127.0.0.1:9/"}, breaker: {failures: 3}}
  patient: {http: {url: "http://127.0.0.1:9/"}, breaker: {probe: 5m}}
rules:
  - {name: r, when: "true", then: [{action: silent}, {action: eager}, {action: patient}]}
`, nil)
	for name, want := range map[engine.ActionName]string{"silent": "10 30s", "eager": "3 30s", "patient": "10 5m0s"} {
		action, _ := rules.Action(name)
		if got := fmt.Sprint(action.Breaker.Failures, " ", action.Breaker.Probe); got != want {
			t.Errorf("the breaker of %s is %s, want %s", name, got, want)
		}
	}
}
