package main

import (
	"encoding/json"
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
	putFile(t, filepath.Join(dir, "rules.yaml"), `version: 1
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
	for deadline := time.Now().Add(longEnough); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
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
	eventually(t, longEnough, name+" is delivered", func() bool {
		return slices.ContainsFunc(recorded(t, dir), func(e engine.EventRecord) bool {
			return e.Name == name && len(e.Deliveries) == 1 && e.Deliveries[0].State == engine.Delivered
		})
	})
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
