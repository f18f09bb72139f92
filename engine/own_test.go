package engine_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/peanuts-router/peanuts-router/engine"
)

const alerting = `version: 1
actions:
  ops: {http: {url: "http://127.0.0.1:9/"}}
rules:
  - {name: everything, when: "true", then: [{action: ops}]}
  - {name: alerts, on: [router.dead_letter], when: "true", then: [{action: ops}]}
  - {name: mixed, on: [entry.created, router.dead_letter], when: helper.command == "/router", then: [{action: ops}]}
  - {name: switched-off, disabled: true, on: [router.dead_letter], when: "true", then: [{action: ops}]}
  - {name: unheard-of, on: [router.rebooted], when: "true", then: [{action: ops}]}
stats:
  all: {when: "true", value: entry.data.count}
`

// R6, R100: only rules that name one of the router's own events hear of it, and an event from outside that carries the name
// is any unknown event: it passes as the router's by no rule.
func TestOnlyTheRouterRaisesItsEvents(t *testing.T) {
	rules := load(t, alerting, nil)
	for _, c := range []struct {
		event string
		own   bool
		want  string // fired, and disabled
	}{
		{"router.dead_letter", true, "[alerts mixed] [switched-off]"},
		{"router.dead_letter", false, "[everything] []"},
		{"router.reload_failed", true, "[] []"},
		{"router.reload_failed", false, "[everything] []"},
		{"router.rebooted", false, "[everything] []"},
		{"entry.created", false, "[everything mixed] []"},
	} {
		event := parse(t, `{"event":"`+c.event+`","helper":{"command":"/router"},"entry":{"id":"e","data":{"count":1}}}`)
		known := engine.Known{Own: c.own}
		j := rules.Judge(event, noon(), known)
		if got := fmt.Sprint(j.Fired, j.Disabled); got != c.want {
			t.Errorf("%s (own: %v) fires %s, want %s", c.event, c.own, got, c.want)
		}
		if c.own && j.Contributions != nil {
			t.Errorf("%s adds to the stats: %+v", c.event, j.Contributions)
		}
		fired := []engine.RuleName{}
		for _, explained := range rules.Explain(event, noon(), known) {
			if explained.Fired {
				fired = append(fired, explained.Rule)
			}
		}
		if fmt.Sprint(fired) != fmt.Sprint(j.Fired) {
			t.Errorf("%s (own: %v) is explained to fire %v, and fires %v", c.event, c.own, fired, j.Fired)
		}
	}
}

// Why a rule was not judged for a router's event, in words that are true.
func TestWhyARuleHearsNothingOfTheRoutersEvents(t *testing.T) {
	rules := load(t, alerting, nil)
	event := parse(t, `{"event":"router.dead_letter"}`)
	for _, c := range []struct {
		own  bool
		rule int
		want string
	}{
		{true, 0, `not (event startsWith "router.")`},
		{false, 1, `event == "router.dead_letter", raised by the router itself`},
		{true, 4, `event in ["router.rebooted"]`},
	} {
		explained := rules.Explain(event, noon(), engine.Known{Own: c.own})[c.rule]
		if len(explained.Because) != 1 || explained.Because[0].Expr != c.want || explained.Because[0].Holds {
			t.Errorf("%s (own: %v) was not judged because of %+v, want %s", explained.Rule, c.own, explained.Because, c.want)
		}
	}
}

func TestTheMonitorHasDefaults(t *testing.T) {
	if got, want := load(t, alerting, nil).Monitor(), (engine.Monitor{Window: 5 * time.Minute, MinAttempts: 20, FailureRate: 0.5}); got != want {
		t.Errorf("Monitor() = %+v, want %+v", got, want)
	}
	got := load(t, alerting+"monitor: {window: 1m, min_attempts: 3, failure_rate: 0.25}\n", nil).Monitor()
	if want := (engine.Monitor{Window: time.Minute, MinAttempts: 3, FailureRate: 0.25}); got != want {
		t.Errorf("Monitor() = %+v, want %+v", got, want)
	}
}
