package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/peanuts-router/peanuts-router/engine"
)

// R99, R100, P35: a target that fails is told of once through another, by whatever process, and so is its recovery.
func TestASpikeAndItsEndAreToldOnceThroughAnotherChannel(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	ledger, ops := startTarget(t, always(404)), startTarget(t, always(200))
	alertRules(t, dir, ledger, ops, "peanuts", "{window: 10s, min_attempts: 3, failure_rate: 0.5}") // in which a busy machine makes three attempts
	d := startDaemon(t, dir, nil, "--rules", "rules.yaml")
	postAll := func(ids ...string) {
		t.Helper()
		for _, id := range ids {
			d.post(expense(id, "1"))
			ledger.next(t)
		}
	}
	told := map[string]int{}
	await := func(event string) (a alerted) {
		t.Helper()
		for a.Event != event {
			a = nextAlert(t, ops)
			told[a.Event]++
		}
		return a
	}
	postAll("entry-1", "entry-2", "entry-3")
	if spike := await(engine.EventFailureSpike); spike.Action != "ledger" || spike.Count != 3 || !strings.Contains(spike.Reason, "3 of 3 attempts failed within 10s; last: 404") {
		t.Errorf("those on duty are told %+v, want a spike of the ledger with its reason", spike)
	}
	d.awaitPage("/metrics", `peanuts_router_failure_spike{action="ledger"} 1`, `peanuts_router_failure_spike{action="ops"} 0`,
		`peanuts_router_rule_fired_total{rule="alerts"} `)
	awaitDelivered(t, dir, engine.EventFailureSpike)
	d.kill()
	d = startDaemon(t, dir, nil, "--rules", "rules.yaml")
	postAll("entry-4", "entry-5", "entry-6")
	d.awaitPage("/readyz?verbose", `"ready":true`, `"name":"action ledger","detail":"fails since `, "3 of 3 attempts failed")
	ledger.answer(always(200))
	for n := 0; !strings.Contains(d.get("/metrics"), `peanuts_router_failure_spike{action="ledger"} 0`); n++ {
		postAll(fmt.Sprint("well-", n)) // silence would be no recovery
		<-time.After(50 * time.Millisecond)
	}
	if recovered := await(engine.EventFailureRecovered); recovered.Action != "ledger" {
		t.Errorf("then those on duty are told %+v, want the recovery of the ledger", recovered)
	}
	if told[engine.EventFailureSpike] != 1 {
		t.Errorf("the spike was told %d times, want once", told[engine.EventFailureSpike])
	}
	got := slices.DeleteFunc(ownEvents(t, dir), func(name string) bool { return name == "router.dead_letter ledger" })
	if want := []string{"router.failure_spike ledger", "router.failure_recovered ledger"}; !cmp.Equal(got, want) {
		t.Errorf("the record holds %q, want %q", got, want)
	}
	judgedTheSame(t, dir)
}

// R100: alerts whose own channel is broken are seen on /readyz and in the metrics, and raise no others.
func TestAnAlertThatCannotBeSentIsSeenAllTheSame(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	ledger, ops := startTarget(t, always(404)), startTarget(t, always(400))
	// The three die within a thirtieth of the window, after which they are told together, and both pages are seen within it.
	alertRules(t, dir, ledger, ops, "peanuts", "{window: 90s, min_attempts: 3, failure_rate: 0.5}")
	d := startDaemon(t, dir, nil, "--rules", "rules.yaml")
	for _, id := range []string{"entry-1", "entry-2", "entry-3"} {
		d.post(expense(id, "1"))
	}
	d.awaitPage("/readyz?verbose", `"ready":true`,
		`{"name":"action ledger","detail":"3 dead letters: peanuts-router dead-letters list --action ledger"}`, `{"name":"action ledger","detail":"fails since `,
		`{"name":"action ops","detail":"2 dead letters: `, `{"name":"action ops","detail":"the router's own alerts do not get through it: `)
	d.awaitPage("/metrics", `peanuts_router_alerts_failing{action="ops"} 1`, `peanuts_router_dead_letters{action="ops"} 2`,
		`peanuts_router_dead_letters{action="ledger"} 3`, `peanuts_router_failure_spike{action="ledger"} 1`, `peanuts_router_failure_spike{action="ops"} 0`)
	alertRules(t, dir, ledger, ops, "peanuts", "{window: 1s, min_attempts: 3, failure_rate: 0.5}")
	d.reload()
	d.post(expense("entry-4", "1")) // dies, and is told a window later at the earliest: so would be the alerts, by then
	d.awaitPage("/metrics", `peanuts_router_own_events_total{event="router.dead_letter"} 2`)
	for _, name := range ownEvents(t, dir) {
		if !strings.HasSuffix(name, " ledger") {
			t.Errorf("the record holds %s: an alert has raised another", name)
		}
	}
	told := d.await("the alert", func(line map[string]any) bool { return line["msg"] == "alert" && line["event"] == "router.dead_letter" })
	if told["hint"] != "peanuts-router dead-letters list --action ledger" || !strings.Contains(command(t, dir, "dead-letters", "list"), fmt.Sprint(told["delivery"])) {
		t.Errorf("the log tells %v, want the delivery and what to do", told)
	}
}

// R34, C15: an edit that is refused is told to those on duty, once, by the rules that stay in force.
func TestARefusedEditIsToldToThoseOnDuty(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	ledger, ops := startTarget(t, always(200)), startTarget(t, always(200))
	alertRules(t, dir, ledger, ops, "peanuts", "{window: 12s}")
	d := startDaemon(t, dir, nil, "--rules", "rules.yaml")
	refuse := func() {
		t.Helper()
		putFile(t, filepath.Join(dir, "rules.yaml"), "version: 1\nnonsense: 1\n")
		response, err := http.Post(d.admin+"/api/v1/reload", "application/json", nil)
		if err != nil {
			t.Fatal(err)
		}
		response.Body.Close()
	}
	refuse()
	told := nextAlert(t, ops)
	if told.Event != engine.EventReloadFailed || told.Count != 1 || !strings.HasPrefix(told.Reason, `rules.yaml:2:1: unknown key "nonsense"`) {
		t.Errorf("those on duty are told %+v, want the refusal with its place", told)
	}
	refuse()
	alertRules(t, dir, ledger, ops, "standard", "{window: 12s}")
	d.await("the mended rules", func(line map[string]any) bool { return line["msg"] == "rules reloaded" })
	if got, want := ownEvents(t, dir), []string{"router.reload_failed "}; !cmp.Equal(got, want) {
		t.Errorf("the record holds %q, want %q", got, want)
	}
}

// R6, R100: an event from outside that bears a name of the router's is stored like any unknown event, and no rule that names it
// takes it for the router's own, now or when it is judged again.
func TestAnEventFromOutsidePassesForNoneOfTheRouters(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	ledger, ops := startTarget(t, always(200)), startTarget(t, always(200))
	alertRules(t, dir, ledger, ops, "peanuts", "{window: 1s}")
	d := startDaemon(t, dir, nil, "--rules", "rules.yaml")
	receipt := d.post(`{"event":"router.dead_letter","helper":{"id":"router","name":"Router","command":"/router"},"entry":{"data":{"action":"ledger","count":1}}}`)
	ledger.next(t)
	var shown struct {
		Own   bool
		Fired []string
		Today []struct {
			Rule  string
			Fired bool
		}
	}
	if err := json.Unmarshal([]byte(command(t, dir, "events", "show", receipt.ID, "--rules", "rules.yaml", "--output", "json")), &shown); err != nil {
		t.Fatal(err)
	}
	if shown.Own || !cmp.Equal(shown.Fired, []string{"everything"}) {
		t.Errorf("an event from outside is stored as own: %v, and fires %q; want only the rule everything", shown.Own, shown.Fired)
	}
	for _, rule := range shown.Today {
		if rule.Fired != (rule.Rule == "everything") {
			t.Errorf("judged again, the rule %s fires: %v", rule.Rule, rule.Fired)
		}
	}
	judgedTheSame(t, dir)
}

// C1, R92: a dead letter that a killed process has told nobody is told by the next one, once.
func TestADeadLetterIsToldByTheNextProcess(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	ledger, ops := startTarget(t, always(404)), startTarget(t, always(200))
	alertRules(t, dir, ledger, ops, "peanuts", "{window: 1h}")
	d := startDaemon(t, dir, nil, "--rules", "rules.yaml")
	for _, id := range []string{"entry-1", "entry-2"} {
		d.post(expense(id, "1"))
		d.await("the dead letter", func(line map[string]any) bool { return line["msg"] == "dead letter" })
	}
	d.kill() // while more are waited for
	alertRules(t, dir, ledger, ops, "peanuts", "{window: 3s}")
	d = startDaemon(t, dir, nil, "--rules", "rules.yaml")
	told := nextAlert(t, ops)
	if want := (alerted{Event: engine.EventDeadLetter, Action: "ledger", Reason: told.Reason, Count: 2}); told != want || !strings.Contains(told.Reason, "404") {
		t.Errorf("those on duty are told %+v, want two dead letters of the ledger", told)
	}
	awaitDelivered(t, dir, engine.EventDeadLetter)
	d.kill()
	d = startDaemon(t, dir, nil, "--rules", "rules.yaml")
	d.post(expense("entry-3", "1"))
	if told := nextAlert(t, ops); told.Event != engine.EventDeadLetter || told.Count != 1 {
		t.Errorf("then those on duty are told %+v, want one dead letter more", told)
	}
}
