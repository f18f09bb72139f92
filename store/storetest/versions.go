package storetest

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/peanuts-router/peanuts-router/engine"
	"github.com/peanuts-router/peanuts-router/peanuts"
	"github.com/peanuts-router/peanuts-router/store"
)

// tasks are rules with one of everything that follows an entry.
const tasks = `
version: 1
timezone: Europe/Berlin
actions:
  table: {sql: {database: "sqlite:tasks.db", table: tasks, key: id, version: version}}
  mail: {http: {url: "http://127.0.0.1:9/"}}
rules:
  - name: sync
    when: not entry.data.done
    then: [{action: table, upsert: {id: "{{ entry.id }}", title: "{{ entry.data.title }}"}}]
  - name: remind
    when: not entry.data.done
    then: [{action: mail, at: entry.data.due, body: "{{ entry.data.title }}"}]
  - name: moved
    when: changed("due")
    then: [{action: mail, body: "from {{ old.due }} to {{ entry.data.due }}"}]
stats:
  costs: {when: not entry.data.done, exclude: helper.command == "/test", value: entry.data.cost, group_by: entry.data.kind}
`

func loadRules(t testing.TB, text string) *engine.Rules {
	t.Helper()
	path := filepath.Join(t.TempDir(), "rules.yaml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	rules, problems := engine.Load(path, engine.Options{Generation: 1})
	if rules == nil {
		t.Fatalf("the rules of the test: %v", problems)
	}
	return rules
}

// noon is when the events of these tests arrive: before all that they say is due.
func noon() time.Time { return time.Date(2050, 11, 23, 12, 0, 0, 0, time.UTC) }

// version is one version of an entry: what happened, the minute of it, and the entry's data.
type version struct {
	event  string
	minute int
	data   string
}

func (v version) as(t testing.TB, entry, user string) *peanuts.Event {
	t.Helper()
	data := ""
	if v.data != "" {
		data = `,"data":` + v.data
	}
	e, err := peanuts.Parse(fmt.Appendf(nil, `{"event":%q,"timestamp":"2050-11-23T08:%02d:00Z","helper":{"command":"/tasks"},"entry":{"id":%q,"created_at":"2050-10-31T23:30:00Z"%s},"user":{"id":%q}}`,
		v.event, v.minute, entry, data, user))
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// tell stores a version of an entry, judged by rules, as it arrives at noon.
func tell(t testing.TB, s Store, rules *engine.Rules, entry string, v version) engine.Receipt {
	t.Helper()
	return tellOf(t, s, rules, v.as(t, entry, "u"))
}

func tellOf(t testing.TB, s Store, rules *engine.Rules, e *peanuts.Event) engine.Receipt {
	t.Helper()
	receipt, err := s.Accept(t.Context(), &engine.Acceptance{
		ID: newID(t), ReceivedAt: noon(), Event: e, LeaseUntil: noon().Add(time.Minute),
		Judge: func(known engine.Known) engine.Judgement { return rules.Judge(e, noon(), known) },
	})
	if err != nil {
		t.Fatalf("Accept(%s) = %v", e.Raw, err)
	}
	return receipt
}

// standing tells where the deliveries of a rule stand, the newest first: "pending a", by state and message.
func standing(t testing.TB, s Store, rule engine.RuleName) []string {
	t.Helper()
	var all []string
	for _, d := range allDeliveries(t, s, store.Filter{Rule: rule}, 100) {
		whole, _ := delivery(t, s, d.ID)
		text := string(whole.State)
		if whole.State == engine.Pending {
			text += " " + whole.NextAt.Format("01-02")
		}
		var m engine.HTTPMessage
		if err := json.Unmarshal(whole.Message, &m); err == nil && m.Body != nil {
			text += " " + *m.Body
		}
		all = append(all, text)
	}
	return all
}

func wantStanding(t testing.TB, s Store, rule engine.RuleName, want ...string) {
	t.Helper()
	if diff := cmp.Diff(want, standing(t, s, rule)); diff != "" {
		t.Errorf("the deliveries of %s (-want +got):\n%s", rule, diff)
	}
}

// next leases and settles the one due delivery of an action.
func next(t testing.TB, s Store, action engine.ActionName, now time.Time, state engine.State) engine.Recorded {
	t.Helper()
	lease := leaseOne(t, s, action, now)
	return finish(t, s, lease, state, now)
}

func finish(t testing.TB, s Store, lease engine.Lease, state engine.State, now time.Time) engine.Recorded {
	t.Helper()
	recorded, err := s.Settle(t.Context(), engine.Settlement{
		ID: lease.ID, Generation: lease.Generation, State: state, NextAt: now, Reason: "no",
		Attempt: &engine.Attempt{At: now, Status: "-"},
	})
	if err != nil || !recorded.Applied {
		t.Fatalf("Settle(%s) = %+v, %v; want it applied", state, recorded, err)
	}
	return recorded
}

// leaseAll leases all that is due.
func leaseAll(t testing.TB, s Store, action engine.ActionName, now time.Time) []engine.Lease {
	t.Helper()
	leases, err := s.Lease(t.Context(), action, 99, now, now.Add(time.Minute))
	if err != nil {
		t.Fatal(err)
	}
	return leases
}

// drain delivers every sync that is due, and gives the title of the row then; empty when there is none.
func drain(t testing.TB, s Store, row string) string {
	t.Helper()
	for {
		leases := leaseAll(t, s, "table", noon())
		for _, lease := range leases {
			var m engine.SQLMessage
			if err := json.Unmarshal(lease.Message, &m); err != nil {
				t.Fatal(err)
			}
			row = ""
			if m.Remove == nil {
				row = string(m.Columns[1].Value)
			}
			finish(t, s, lease, engine.Delivered, noon())
		}
		if len(leases) == 0 {
			return row
		}
	}
}

// permutations are all orders of n things.
func permutations(n int) [][]int {
	if n == 0 {
		return [][]int{{}}
	}
	var all [][]int
	for _, shorter := range permutations(n - 1) {
		for at := range n {
			all = append(all, slices.Insert(slices.Clone(shorter), at, n-1))
		}
	}
	return all
}

// leaseOf leases all that is due to mail, and gives the one of a rule; the others are delivered.
func leaseOf(t testing.TB, s Store, rule engine.RuleName, now time.Time) (found engine.Lease) {
	t.Helper()
	for _, lease := range leaseAll(t, s, "mail", now) {
		if lease.Rule == rule {
			found = lease
			continue
		}
		finish(t, s, lease, engine.Delivered, now)
	}
	return found
}

func countOf(leases []engine.Lease, rule engine.RuleName) (n int) {
	for _, lease := range leases {
		if lease.Rule == rule {
			n++
		}
	}
	return n
}
