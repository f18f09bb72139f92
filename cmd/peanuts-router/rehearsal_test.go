package main

import (
	"flag"
	"fmt"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"pgregory.net/rapid"

	"github.com/peanuts-router/peanuts-router/engine"
	"github.com/peanuts-router/peanuts-router/engine/rehearsal"
	"github.com/peanuts-router/peanuts-router/peanuts"
	"github.com/peanuts-router/peanuts-router/store"
)

// Rules with one of everything that follows an entry, or does not, fires once for a value, or only on trial.
const rehearsedRules = `version: 1
timezone: Europe/Berlin
actions:
  table: {sql: {database: "sqlite:tasks.db", table: tasks, key: id, version: version}}
  mail: {http: {url: "http://127.0.0.1:9/"}}
rules:
  - name: sync
    when: not entry.data.done
    then:
      - {action: table, upsert: {id: "{{ entry.id }}", title: "{{ entry.data.title }}"}}
      - {action: table, on_delete: {mark: gone}, upsert: {id: "{{ entry.id }}", n: "{{ entry.data.n + 1 }}"}}
      - {action: table, on_delete: keep, upsert: {id: "{{ entry.id }}"}}
  - name: remind
    when: not entry.data.done
    then:
      - {action: mail, at: date(entry.data.due), body: "{{ entry.data.title }}"}
      - {action: mail, at: date(entry.data.due) - duration("1d"), body: "{{ 1 + entry.data.n }} left"}
  - name: goodbye
    on: [entry.deleted]
    when: entry.data.title == "a"
    then: [{action: mail, at: date(entry.data.due), body: "gone since {{ old.title }}"}]
  - name: moved
    when: changed("due")
    then: [{action: mail, body: "from {{ old.due }} to {{ entry.data.due }}"}]
  - name: goal
    on: [goal.reached]
    when: "true"
    then: [{action: mail, at: entry.data.due, body: reached}]
  - name: remind-once
    when: not entry.data.done
    once_per: entry.id
    then:
      - {action: mail, at: date(entry.data.due), body: "{{ entry.data.title }} once"}
      - {action: mail, at: date(entry.data.due) - duration("1d"), body: "{{ 1 + entry.data.n }} left once"}
  - name: first-of-a-key
    when: entry.data.title == "a"
    once_per: entry.data.key
    then: [{action: mail, at: date(entry.data.due), body: "first of {{ entry.data.key }}"}]
  - name: first-and-now
    on: [entry.created, entry.updated, goal.reached]
    when: not entry.data.done
    once_per: entry.data.key
    then:
      - {action: mail, at: date(entry.data.due), body: "later {{ entry.data.key }}"}
      - {action: mail, body: "now {{ entry.data.key }}"}
  - name: goal-of-a-key
    on: [goal.reached, entry.deleted]
    when: "true"
    once_per: entry.data.key
    then: [{action: mail, at: entry.data.due, body: "{{ 1 + entry.data.n }} reached"}]
  - name: row-once
    when: not entry.data.done
    once_per: entry.data.key
    then: [{action: table, upsert: {id: "{{ entry.id }}", key: "{{ entry.data.key }}"}}]
  - name: trial
    when: not entry.data.done
    shadow: true
    once_per: entry.data.key
    then:
      - {action: mail, at: date(entry.data.due), body: "{{ 1 + entry.data.n }} on trial"}
      - {action: mail, body: "on trial {{ entry.data.title }}"}
      - {action: table, upsert: {id: "{{ entry.id }}"}}
  - name: off
    when: "true"
    disabled: true
    once_per: entry.data.key
    then:
      - {action: mail, body: never}
      - {action: table, upsert: {id: "{{ entry.id }}"}}
`

// twin tells the same events to a store and to a rehearsal.
type twin struct {
	test      *testing.T
	rules     *engine.Rules
	store     *store.Store
	rehearsal *rehearsal.Rehearsal
	now       time.Time
	told      []*peanuts.Event
	numbers   map[engine.EventID]int
	outcomes  []rehearsal.Outcome
}

// A rehearsal sends, cancels and buries what a store and a courier would, whatever is told in whatever order.
func TestARehearsalAgreesWithTheStore(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "rules.yaml")
	writeFile(t, file, rehearsedRules)
	rules, problems := engine.Load(file, engine.Options{})
	if rules == nil {
		t.Fatal(problems)
	}
	s, err := store.Open(t.Context(), store.Config{Path: filepath.Join(t.TempDir(), "router.db")})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	runs := 0
	if err := flag.Set("rapid.checks", strconv.Itoa(sized(30, 100))); err != nil { // each has a store flush some hundred times
		t.Fatal(err)
	}
	rapid.Check(t, func(r *rapid.T) {
		runs++ // entries of their own: all runs share the store
		tw := &twin{test: t, rules: rules, store: s, now: time.Date(2050, 11, 23, 12, 0, 0, 0, time.UTC), numbers: map[engine.EventID]int{}}
		config := rehearsal.Config{Rules: rules}
		if rapid.Bool().Draw(r, "recall") {
			config.Recall = func(n int) *peanuts.Event { return tw.told[n] }
		}
		tw.rehearsal = rehearsal.New(config)
		for range rapid.IntRange(4, 20).Draw(r, "events") {
			tw.tell(r, runs)
		}
		tw.finish(r)
	})
}

// tell lets time pass and an event arrive, or the bytes of an earlier one again.
func (tw *twin) tell(r *rapid.T, run int) {
	tw.now = tw.now.Add(time.Duration(rapid.SampledFrom([]int{0, 0, 1, 11, 24, 30}).Draw(r, "hours")) * time.Hour)
	e := tw.event(r, run)
	if len(tw.told) > 0 && rapid.IntRange(0, 9).Draw(r, "again") == 0 {
		e = rapid.SampledFrom(tw.told).Draw(r, "which")
	}
	want := tw.drain(r)
	receipt, err := tw.store.Accept(tw.test.Context(), &engine.Acceptance{
		ID: engine.EventID(uuid.Must(uuid.NewV7()).String()), ReceivedAt: tw.now, Event: e,
		Judge: func(known engine.Known) engine.Judgement { return tw.rules.Judge(e, tw.now, known) },
	})
	if err != nil {
		r.Fatal(err)
	}
	if !receipt.Duplicate {
		tw.numbers[receipt.ID] = len(tw.told)
	}
	tw.told = append(tw.told, e)
	o := tw.rehearsal.Tell(e, tw.now)
	if o.Duplicate != receipt.Duplicate {
		r.Fatalf("event %d: duplicate is %t, and %t in the store", o.Event, o.Duplicate, receipt.Duplicate)
	}
	want = append(want, tw.drain(r)...)
	tw.outcomes = append(tw.outcomes, o)
	got := sentOf(append(o.Before, o.Owed...))
	if diff := cmp.Diff(want, got); diff != "" {
		r.Fatalf("event %d at %s (%s): sent (-store +rehearsal):\n%s", o.Event, tw.now, e.Raw, diff)
	}
}

func (tw *twin) event(r *rapid.T, run int) *peanuts.Event {
	name := rapid.SampledFrom([]string{peanuts.EntryCreated, peanuts.EntryUpdated, peanuts.EntryUpdated, peanuts.EntryDeleted, "goal.reached"}).Draw(r, "name")
	timestamp := ""
	if late := rapid.SampledFrom([]int{-1, 0, 0, 0, 2, 36}).Draw(r, "late"); late >= 0 {
		timestamp = fmt.Sprintf(`"timestamp":%q,`, tw.now.Add(-time.Duration(late)*time.Hour).Format(time.RFC3339))
	}
	// A key is of one run alone: all runs share the store, and with it the claims.
	key := strings.ReplaceAll(rapid.SampledFrom([]string{`null`, `"RUN"`, `"RUN"`, `RUN`, `RUN.0`, `[RUN]`}).Draw(r, "key"), "RUN", fmt.Sprint(run))
	data := fmt.Sprintf(`{"key":%s,"title":%s,"due":%s,"done":%s,"n":%s}`, key, rapid.SampledFrom([]string{`"a"`, `"b"`}).Draw(r, "title"),
		rapid.SampledFrom([]string{`null`, `"2050-11-22"`, `"2050-11-25"`, `"2050-11-26"`, `"2050-11-27"`, `"soon"`}).Draw(r, "due"),
		rapid.SampledFrom([]string{`false`, `true`}).Draw(r, "done"), rapid.SampledFrom([]string{`1`, `1`, `null`}).Draw(r, "n"))
	e, err := peanuts.Parse(fmt.Appendf(nil, `{"event":%q,%s"helper":{"command":"/tasks"},"entry":{"id":"%d-%d","data":%s}}`,
		name, timestamp, run, rapid.IntRange(1, 2).Draw(r, "entry"), data))
	if err != nil {
		r.Fatal(err)
	}
	return e
}

// drain delivers all that is due, and tells what: the event, the delivery's number, its instant and its message.
func (tw *twin) drain(r *rapid.T) []string {
	var sent []string
	for _, action := range []engine.ActionName{"mail", "table"} {
		for {
			leases, err := tw.store.Lease(tw.test.Context(), action, 100, tw.now, tw.now.Add(time.Minute))
			if err != nil {
				r.Fatal(err)
			}
			for _, l := range leases {
				at := l.NextAt
				if at.Before(l.ReceivedAt) {
					at = l.ReceivedAt
				}
				if n, mine := tw.numbers[l.Event]; mine { // else of a run that failed
					sent = append(sent, sentText(at, n, string(l.ID[len(l.Event):]), l.Message))
				}
				_, err := tw.store.Settle(tw.test.Context(), engine.Settlement{
					ID: l.ID, Generation: l.Generation, State: engine.Delivered, Attempt: &engine.Attempt{At: at},
				})
				if err != nil {
					r.Fatal(err)
				}
			}
			if len(leases) == 0 {
				break
			}
		}
	}
	slices.Sort(sent)
	return sent
}

func sentText(at time.Time, event int, n string, message []byte) string {
	return fmt.Sprintf("%s %02d%s %s", at.UTC().Format(time.RFC3339), event, n, message)
}

func sentOf(deliveries []*rehearsal.Delivery) []string {
	var sent []string
	for _, d := range deliveries {
		if d.State == engine.Delivered {
			sent = append(sent, sentText(d.Since, d.Event, fmt.Sprintf("-%d", d.N), d.Message))
		}
	}
	slices.Sort(sent)
	return sent
}

// finish lets all reminders come due, and compares what was judged and where every delivery stands.
func (tw *twin) finish(r *rapid.T) {
	tw.now = tw.now.AddDate(1, 0, 0)
	if diff := cmp.Diff(tw.drain(r), sentOf(tw.rehearsal.Finish())); diff != "" {
		r.Fatalf("in the end (-store +rehearsal):\n%s", diff)
	}
	var want, got []string
	for id, n := range tw.numbers {
		record, err := tw.store.Event(tw.test.Context(), id)
		if err != nil {
			r.Fatal(err)
		}
		want = append(want, verdictsText(n, record.Fired, record.Suppressed, record.Disabled, tw.number))
		for _, d := range record.Deliveries {
			want = append(want, fmt.Sprintf("%02d%s %s %s: %s", n, d.ID[len(id):], d.Rule, d.State, d.LastError))
		}
	}
	for _, o := range tw.outcomes {
		if j := o.Judgement; !o.Duplicate {
			got = append(got, verdictsText(o.Event, j.Fired, j.Suppressed, j.Disabled, rehearsal.Number))
		}
		for _, d := range o.Owed {
			got = append(got, fmt.Sprintf("%02d-%d %s %s: %s", d.Event, d.N, d.Rule, d.State, d.Reason))
		}
	}
	slices.Sort(want)
	slices.Sort(got)
	if diff := cmp.Diff(want, got); diff != "" {
		r.Fatalf("what followed (-store +rehearsal):\n%s", diff)
	}
}

// number is the number of an event in the store; -1 for one of another run.
func (tw *twin) number(id engine.EventID) int {
	if n, is := tw.numbers[id]; is {
		return n
	}
	return -1
}

func verdictsText(event int, fired []engine.RuleName, suppressed []engine.Suppressed, disabled []engine.RuleName, number func(engine.EventID) int) string {
	text := fmt.Sprintf("%02d fired %v, disabled %v", event, fired, disabled)
	for _, one := range suppressed {
		text += fmt.Sprintf(", %s suppressed by %d", one.Rule, number(one.By))
	}
	return text
}
