package main

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/peanuts-router/peanuts-router/engine"
	"github.com/peanuts-router/peanuts-router/store"
)

// booksRules bring deliveries to every end that a daemon brings them to. What is to be tried again is so at once, or long
// after the test; and no breaker opens, whichever calls meet the failures of the target.
const booksRules = `version: 1
actions:
  ledger: {http: {url: "TARGET/ledger"}, retry: [1ms, 1ms], breaker: {failures: 1000}}
  gone: {http: {url: "TARGET/gone"}, retry: [12h], breaker: {failures: 1000}}
rules:
  - {name: all, when: "true", then: [{action: ledger}]}
  - {name: gone, when: entry.data.amount > 500, then: [{action: gone}]}
  - {name: once, when: entry.data.amount > 500, once_per: entry.data.category, then: [{action: ledger}]}
  - {name: trial, when: entry.data.amount > 500, shadow: true, then: [{action: ledger}]}
  - name: remind
    when: entry.data.amount > 100
    then: [{action: ledger, at: 'date("2099-01-01")'}]
`

// I12: after a run under load, with repeats, failures, dead letters, and reminders that are cancelled, the counters of the
// daemon are what its store holds, to the last one; and the books balance.
func TestTheCountersAreWhatTheStoreHolds(t *testing.T) {
	t.Parallel()
	const events, senders = 180, 6
	dir := t.TempDir()
	calls := startTarget(t, func(n int) int {
		switch {
		case n%7 == 0:
			return 400
		case n%3 == 0:
			return 503
		}
		return 200
	})
	writeFile(t, filepath.Join(dir, "rules.yaml"), strings.ReplaceAll(booksRules, "TARGET", calls.URL))
	d := startDaemon(t, dir, nil, "--rules", "rules.yaml")
	var sending sync.WaitGroup
	for sender := range senders {
		sending.Go(func() {
			for n := sender; n < events; n += senders {
				// Two versions of each entry; of every fifth event the bytes come twice.
				body := strings.Replace(expense(fmt.Sprint("entry-", n/2), strconv.Itoa(100*(n%9))), "T10:00:00Z", fmt.Sprintf("T10:%02d:00Z", n%2), 1)
				d.post(body)
				if n%5 == 0 {
					d.post(body)
				}
			}
		})
	}
	sending.Wait()
	awaitQuiet(t, dir)
	got := newCounters(t, d)
	if err := d.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	<-d.read
	var audit store.Audit
	if err := json.Unmarshal([]byte(command(t, dir, "check", "--output", "json")), &audit); err != nil {
		t.Fatal(err)
	}
	held := audit.Balance
	own := got.sum(`own_events_total{`, "") // which came through no door
	for name, want := range map[string]int{
		`events_received_total{outcome="accepted"}`:  held.Events - own,
		`events_received_total{outcome="duplicate"}`: held.Duplicates,
		`deliveries_owed_total`:                      held.Deliveries,
		`deliveries{state="pending"}`:                held.States[engine.Pending],
		`deliveries{state="sending"}`:                held.States[engine.Sending],
		`deliveries{state="dead"}`:                   held.States[engine.Dead],
		`deliveries_ended_total{state="delivered"}`:  held.States[engine.Delivered],
		`deliveries_ended_total{state="dead"}`:       held.States[engine.Dead],
		`deliveries_ended_total{state="cancelled"}`:  held.States[engine.Cancelled],
		`deliveries_ended_total{state="discarded"}`:  held.States[engine.Discarded],
		`deliveries_ended_total{state="shadow"}`:     held.States[engine.Shadow],
	} {
		if n := got.of(name); n != want {
			t.Errorf("/metrics says %s %d, and the store holds %d", name, n, want)
		}
	}
	attempts := got.sum(`delivery_attempts_total{`, "")
	delivering := got.sum(`delivery_attempts_total{`, `verdict="delivered"`)
	if attempts != held.Attempts || delivering != held.Delivering || attempts-delivering != held.Failed {
		t.Errorf("/metrics counts %d attempts, of which %d delivered; the store has %d, of which %d delivered and %d did not",
			attempts, delivering, held.Attempts, held.Delivering, held.Failed)
	}
	if held.Events != events+own || held.Duplicates != events/5 {
		t.Errorf("the store holds %d events and %d duplicates, want %d and %d of the router's own, and %d", held.Events, held.Duplicates, events, own, events/5)
	}
	for _, state := range []engine.State{engine.Delivered, engine.Dead, engine.Cancelled, engine.Shadow, engine.Pending} {
		if held.States[state] == 0 {
			t.Errorf("nothing came to be %s; the run is to bring something there", state)
		}
	}
	ruleCountersHold(t, dir, got)
}

// awaitQuiet waits until nothing is being sent, and nothing pending is due within an hour.
func awaitQuiet(t *testing.T, dir string) {
	t.Helper()
	type row struct {
		State  engine.State
		NextAt time.Time `json:"next_at"`
	}
	soon := time.Now().Add(time.Hour)
	busy := func(d row) bool {
		return d.State == engine.Sending || d.State == engine.Pending && d.NextAt.Before(soon)
	}
	for end := time.Now().Add(longEnough); ; {
		var list struct {
			Deliveries []row
			Next       string
		}
		out := command(t, dir, "deliveries", "list", "--limit", "1000", "--output", "json") // all of one moment
		if err := json.Unmarshal([]byte(out), &list); err != nil || list.Next != "" {
			t.Fatalf("there are more deliveries than one list holds, or %v", err)
		}
		if !slices.ContainsFunc(list.Deliveries, busy) {
			return
		}
		if time.Now().After(end) {
			t.Fatal("deliveries are still under way")
		}
	}
}

// ruleCountersHold holds what is counted of each rule against what is stored with the events.
func ruleCountersHold(t *testing.T, dir string, got counters) {
	t.Helper()
	var list struct{ Events []engine.EventRecord }
	if err := json.Unmarshal([]byte(command(t, dir, "events", "list", "--limit", "1000", "--output", "json")), &list); err != nil {
		t.Fatal(err)
	}
	fired, suppressed := map[engine.RuleName]int{}, map[engine.RuleName]int{}
	for _, e := range list.Events {
		for _, rule := range e.Fired {
			fired[rule]++
		}
		for _, s := range e.Suppressed {
			suppressed[s.Rule]++
		}
	}
	for rule, want := range fired {
		if n := got.of(fmt.Sprintf(`rule_fired_total{rule=%q}`, rule)); n != want {
			t.Errorf("/metrics counts %s as fired %d times, and the events %d", rule, n, want)
		}
	}
	if n := got.of(`rule_suppressed_total{rule="once"}`); n != suppressed["once"] || n == 0 {
		t.Errorf("/metrics counts once as suppressed %d times, and the events %d; want more than none", n, suppressed["once"])
	}
}

// counters are the metrics of a daemon at one moment, by their names without the prefix.
type counters map[string]int

func newCounters(t *testing.T, d *daemon) counters {
	t.Helper()
	found := counters{}
	for _, line := range regexp.MustCompile(`(?m)^peanuts_router_(\S+) (\d+)$`).FindAllStringSubmatch(adminText(t, d, "/metrics"), -1) {
		n, err := strconv.Atoi(line[2])
		if err != nil {
			t.Fatal(err)
		}
		found[line[1]] = n
	}
	return found
}

func (c counters) of(name string) int { return c[name] }

// sum adds up the series of a metric that have a label.
func (c counters) sum(metric, label string) (n int) {
	for name, value := range c {
		if strings.HasPrefix(name, metric) && strings.Contains(name, label) {
			n += value
		}
	}
	return n
}
