package rehearsal

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/peanuts-router/peanuts-router/engine"
	"github.com/peanuts-router/peanuts-router/peanuts"
)

const taskRules = `version: 1
actions:
  table: {sql: {database: "sqlite:tasks.db", table: tasks, key: id, version: version}}
  mail: {http: {url: "http://127.0.0.1:9/"}}
rules:
  - name: sync
    when: not entry.data.done
    then: [{action: table, upsert: {id: "{{ entry.id }}"}}]
  - name: remind
    when: not entry.data.done
    then: [{action: mail, at: date(entry.data.due), body: "{{ entry.data.due }}, before {{ old.due }}"}]
`

// played tells events to taskRules, one a line: the day of November 2026, what happened, and the data; each outcome is a
// line.
func played(t *testing.T, config Config, script ...string) []string {
	t.Helper()
	return playedBy(t, taskRules, config, script...)
}

func playedBy(t *testing.T, text string, config Config, script ...string) []string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "rules.yaml")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	rules, problems := engine.Load(file, engine.Options{})
	if rules == nil {
		t.Fatal(problems)
	}
	config.Rules = rules
	r := New(config)
	var lines []string
	for _, line := range script {
		var day int
		var event, data string
		if _, err := fmt.Sscan(line, &day, &event, &data); err != nil {
			t.Fatal(err)
		}
		e, err := peanuts.Parse(fmt.Appendf(nil, `{"event":%q,"entry":{"id":"e","data":%s}}`, event, data))
		if err != nil {
			t.Fatal(err)
		}
		o := r.Tell(e, time.Date(2026, 11, day, 9, 0, 0, 0, time.UTC))
		line := strings.Join([]string{told(o.Before), told(o.Cancelled), told(o.Owed)}, "|")
		for _, suppressed := range o.Judgement.Suppressed {
			line += fmt.Sprintf("|%s suppressed by %d", suppressed.Rule, Number(suppressed.By))
		}
		lines = append(lines, line)
	}
	return append(lines, told(r.Finish()))
}

// told is where deliveries stand: "remind delivered 27".
func told(deliveries []*Delivery) string {
	var texts []string
	for _, d := range deliveries {
		texts = append(texts, strings.TrimSuffix(fmt.Sprintf("%s %s %s %d", d.Rule, d.Sync, d.State, d.Since.Day()), " "))
	}
	return strings.ReplaceAll(strings.Join(texts, ", "), "  ", " ")
}

func TestWhatFollowsFromARowOfEvents(t *testing.T) {
	for name, c := range map[string]struct{ script, want []string }{
		"moved, then deleted: silence": {
			[]string{`23 entry.created {"due":"2026-11-27"}`, `24 entry.updated {"due":"2026-11-26"}`, `25 entry.deleted {}`},
			[]string{
				"||sync upsert delivered 23, remind pending 23",
				"|remind cancelled 24|sync upsert delivered 24, remind pending 24",
				"|remind cancelled 25|sync remove delivered 25", "",
			},
		},
		"a reminder is sent between two events, and not again for the same instant": {
			[]string{`23 entry.created {"due":"2026-11-25"}`, `26 entry.updated {"due":"2026-11-25","x":1}`, `27 entry.updated {"due":"2026-11-30"}`},
			[]string{"||sync upsert delivered 23, remind pending 23", "remind delivered 25||sync upsert delivered 26", "||sync upsert delivered 27, remind pending 27", "remind delivered 30"},
		},
		"a reminder whose time is past is sent at once": {
			[]string{`23 entry.created {"due":"2026-11-20"}`},
			[]string{"||sync upsert delivered 23, remind delivered 23", ""},
		},
		"what was removed is not removed again": {
			[]string{`23 entry.created {}`, `24 entry.updated {"done":true}`, `25 entry.updated {"done":true,"x":1}`, `26 entry.deleted {}`},
			[]string{"||sync upsert delivered 23", "||sync remove delivered 24", "||", "||", ""},
		},
		"the same bytes again": {
			[]string{`23 entry.created {}`, `24 entry.created {}`},
			[]string{"||sync upsert delivered 23", "||", ""},
		},
	} {
		if diff := cmp.Diff(c.want, played(t, Config{}, c.script...)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

func TestTheEventBeforeIsRecalledOnceByItsNumber(t *testing.T) {
	var asked []int
	before, err := peanuts.Parse([]byte(`{"event":"entry.created","entry":{"id":"e","data":{"due":"2026-11-29"}}}`))
	if err != nil {
		t.Fatal(err)
	}
	recall := func(n int) *peanuts.Event {
		asked = append(asked, n)
		return before
	}
	got := played(t, Config{Recall: recall}, `23 entry.created {"due":"2026-11-30"}`, `24 entry.updated {"due":"2026-11-30","x":1}`, `25 entry.updated {"due":"2026-11-28"}`)
	if want := []int{0, 1}; !cmp.Equal(asked, want) {
		t.Errorf("asked for the events %v, want %v; sent: %q", asked, want, got)
	}
}
