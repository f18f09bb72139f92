package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/peanuts-router/peanuts-router/engine"
)

// alertRules send expenses to a ledger that is tried by a plan, and the router's own events to those on duty.
func alertRules(t *testing.T, dir string, ledger, ops *target, retry, monitor string) {
	t.Helper()
	writeFile(t, filepath.Join(dir, "rules.yaml"), `version: 1
actions:
  ledger: {http: {url: "`+ledger.URL+`"}, retry: `+retry+`}
  ops: {http: {url: "`+ops.URL+`"}, retry: [10ms]}
rules:
  - {name: expenses, when: helper.command == "/expenses", then: [{action: ledger}]}
  - {name: everything, when: event startsWith "router.", then: [{action: ledger}]}
  - name: alerts
    on: [router.failure_spike, router.failure_recovered, router.dead_letter, router.reload_failed]
    when: helper.command == "/router"
    then: [{action: ops, json: {event: "{{ event }}", action: "{{ entry.data.action }}", count: "{{ entry.data.count }}", reason: "{{ entry.data.reason }}"}}]
monitor: `+monitor+`
`)
}

// alerted is what those on duty are told.
type alerted struct {
	Event, Action, Reason string
	Count                 int
}

func nextAlert(t *testing.T, ops *target) (a alerted) {
	t.Helper()
	call := ops.next(t)
	if err := json.Unmarshal([]byte(call.body), &a); err != nil {
		t.Fatalf("those on duty get %s: %v", call.body, err)
	}
	return a
}

// get reads a page of the admin listener.
func (d *daemon) get(path string) string {
	d.t.Helper()
	response, err := http.Get(d.admin + path)
	if err != nil {
		d.t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode != http.StatusOK {
		d.t.Fatalf("GET %s = %d %s, %v", path, response.StatusCode, text, err)
	}
	return string(text)
}

// awaitPage reads a page again and again until it holds all of some texts.
func (d *daemon) awaitPage(path string, texts ...string) {
	d.t.Helper()
	var page, missing string
	for deadline := time.Now().Add(30 * time.Second); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		page, missing = d.get(path), ""
		for _, text := range texts {
			if !strings.Contains(page, text) {
				missing = text
			}
		}
		if missing == "" {
			return
		}
	}
	d.t.Fatalf("GET %s does not show %s in time:\n%s", path, missing, page)
}

// ownEvents are the names of the router's own events in the record, the oldest first, each with its action.
func ownEvents(t *testing.T, dir string) (names []string) {
	t.Helper()
	for _, e := range recorded(t, dir) {
		if !e.Own {
			continue
		}
		var shown struct {
			Payload string
			Fired   []string
		}
		if err := json.Unmarshal([]byte(command(t, dir, "events", "show", string(e.ID), "--output", "json")), &shown); err != nil {
			t.Fatal(err)
		}
		var body struct {
			Entry struct{ Data struct{ Action string } }
		}
		if err := json.Unmarshal([]byte(shown.Payload), &body); err != nil {
			t.Fatalf("the body of %s: %v", e.ID, err)
		}
		if !cmp.Equal(shown.Fired, []string{"alerts"}) {
			t.Errorf("%s fires %q, want the rule alerts alone", e.Name, shown.Fired)
		}
		names = append([]string{e.Name + " " + body.Entry.Data.Action}, names...)
	}
	return names
}

// recorded are the newest events of the record.
func recorded(t *testing.T, dir string) []engine.EventRecord {
	t.Helper()
	var listed struct{ Events []engine.EventRecord }
	if err := json.Unmarshal([]byte(command(t, dir, "events", "list", "--limit", "1000", "--output", "json")), &listed); err != nil {
		t.Fatal(err)
	}
	return listed.Events
}

// awaitDelivered waits until it is recorded that an alert has arrived: killed before, the router would send it again.
func awaitDelivered(t *testing.T, dir, name string) {
	t.Helper()
	for deadline := time.Now().Add(30 * time.Second); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		for _, e := range recorded(t, dir) {
			if e.Name == name && len(e.Deliveries) == 1 && e.Deliveries[0].State == engine.Delivered {
				return
			}
		}
	}
	t.Fatalf("no %s was delivered in time", name)
}

// judgedTheSame has backtest judge the stored events by the rules that they were judged by.
func judgedTheSame(t *testing.T, dir string) {
	t.Helper()
	var report struct {
		Events     int
		Deliveries []json.RawMessage
	}
	if err := json.Unmarshal([]byte(command(t, dir, "backtest", "--rules", "rules.yaml", "--output", "json")), &report); err != nil {
		t.Fatal(err)
	}
	if report.Events == 0 || len(report.Deliveries) > 0 {
		t.Errorf("backtest finds other deliveries of %d events than those recorded: %s", report.Events, report.Deliveries)
	}
}

// R99, R100, P35: a target that fails is told of once through another, by whatever process, and so is its recovery.
func TestASpikeAndItsEndAreToldOnceThroughAnotherChannel(t *testing.T) {
	dir := t.TempDir()
	ledger, ops := startTarget(t, always(404)), startTarget(t, always(200))
	alertRules(t, dir, ledger, ops, "peanuts", "{window: 2s, min_attempts: 3, failure_rate: 0.5}")
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
	if spike := await(engine.EventFailureSpike); spike.Action != "ledger" || spike.Count != 3 || !strings.Contains(spike.Reason, "3 of 3 attempts failed within 2s; last: 404") {
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
	dir := t.TempDir()
	ledger, ops := startTarget(t, always(404)), startTarget(t, always(400))
	alertRules(t, dir, ledger, ops, "peanuts", "{window: 1s, min_attempts: 3, failure_rate: 0.5}")
	d := startDaemon(t, dir, nil, "--rules", "rules.yaml")
	for _, id := range []string{"entry-1", "entry-2", "entry-3"} {
		d.post(expense(id, "1"))
	}
	d.awaitPage("/readyz?verbose", `"ready":true`,
		`{"name":"action ledger","detail":"3 dead letters: peanuts-router dead-letters list --action ledger"}`, `{"name":"action ledger","detail":"fails since `,
		`{"name":"action ops","detail":"2 dead letters: `, `{"name":"action ops","detail":"the router's own alerts do not get through it: `)
	d.awaitPage("/metrics", `peanuts_router_alerts_failing{action="ops"} 1`, `peanuts_router_dead_letters{action="ops"} 2`,
		`peanuts_router_dead_letters{action="ledger"} 3`, `peanuts_router_failure_spike{action="ledger"} 1`, `peanuts_router_failure_spike{action="ops"} 0`)
	d.post(expense("entry-4", "1")) // dies, and is told a window later at the earliest: so would be the alerts, by then
	d.awaitPage("/metrics", `peanuts_router_own_events_total{event="router.dead_letter"} 2`)
	for _, name := range ownEvents(t, dir) {
		if !strings.HasSuffix(name, " ledger") {
			t.Errorf("the record holds %s: an alert has raised another", name)
		}
	}
}

// R34, C15: an edit that is refused is told to those on duty, once, by the rules that stay in force.
func TestARefusedEditIsToldToThoseOnDuty(t *testing.T) {
	dir := t.TempDir()
	ledger, ops := startTarget(t, always(200)), startTarget(t, always(200))
	alertRules(t, dir, ledger, ops, "peanuts", "{window: 12s}")
	d := startDaemon(t, dir, nil, "--rules", "rules.yaml")
	refuse := func() {
		t.Helper()
		writeFile(t, filepath.Join(dir, "rules.yaml"), "version: 1\nnonsense: 1\n")
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
	dir := t.TempDir()
	ledger, ops := startTarget(t, always(404)), startTarget(t, always(200))
	alertRules(t, dir, ledger, ops, "peanuts", "{window: 5m}")
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
