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

func (s suite) movesReminders(t *testing.T) {
	db, rules := s.new(t), loadRules(t, tasks)
	tell(t, db, rules, "e", version{peanuts.EntryCreated, 1, `{"title":"a","due":"2050-11-25"}`})
	wantStanding(t, db, "remind", "pending 11-24 a")
	tell(t, db, rules, "e", version{peanuts.EntryUpdated, 3, `{"title":"c","due":"2050-11-27"}`})
	wantStanding(t, db, "remind", "pending 11-26 c", "cancelled a")
	tell(t, db, rules, "e", version{peanuts.EntryUpdated, 2, `{"title":"b","due":"2050-11-26"}`}) // late
	wantStanding(t, db, "remind", "cancelled b", "pending 11-26 c", "cancelled a")
	tell(t, db, rules, "e", version{peanuts.EntryUpdated, 4, `{"title":"d","due":null}`})
	wantStanding(t, db, "remind", "cancelled b", "cancelled c", "cancelled a")
	tell(t, db, rules, "e", version{peanuts.EntryUpdated, 5, `{"title":"e","due":"2050-11-23T11:00:00Z"}`}) // past
	if lease := leaseOf(t, db, "remind", noon()); !lease.Follows || lease.NextAt != noon().Add(-time.Hour) {
		t.Errorf("a reminder whose time is past: %+v; want it due since then", lease)
	}
	tell(t, db, rules, "other", version{peanuts.EntryCreated, 1, `{"title":"z","due":"2050-11-30"}`})
	tell(t, db, rules, "e", version{peanuts.EntryDeleted, 6, ``})
	if got := standing(t, db, "remind")[0]; got != "pending 11-29 z" {
		t.Errorf("a delete of another entry leaves %q, want the reminder pending", got)
	}
	tell(t, db, rules, "other", version{peanuts.EntryDeleted, 2, ``})
	if got := standing(t, db, "remind")[0]; got != "cancelled z" {
		t.Errorf("one second before it is due a delete leaves %q, want it cancelled", got)
	}
}

func (s suite) remindsOnce(t *testing.T) {
	db, rules := s.new(t), loadRules(t, tasks)
	due, later := time.Date(2050, 11, 24, 23, 0, 0, 0, time.UTC), time.Date(2050, 12, 31, 0, 0, 0, 0, time.UTC)
	say := func(minute int, title, day string) {
		tell(t, db, rules, "e", version{peanuts.EntryUpdated, minute, fmt.Sprintf(`{"title":%q,"due":%q}`, title, day)})
	}
	say(1, "a", "2050-11-25")
	next(t, db, "mail", due, engine.Delivered)
	say(2, "b", "2050-11-25")
	wantStanding(t, db, "remind", "delivered a")
	say(3, "c", "2050-11-28")
	say(4, "d", "2050-11-25") // back to what was sent
	wantStanding(t, db, "remind", "cancelled c", "delivered a")
	// A newer version with the same time, while the older one is being sent.
	say(5, "e", "2050-12-01")
	sending := leaseOf(t, db, "remind", later)
	say(6, "f", "2050-12-01")
	if leases, err := db.Lease(t.Context(), "mail", 9, later, later.Add(time.Minute)); err != nil || countOf(leases, "remind") != 0 {
		t.Errorf("Lease() beside a reminder that is being sent = %+v, %v; want none", leases, err)
	}
	finish(t, db, sending, engine.Delivered, later)
	if got := standing(t, db, "remind")[:2]; !cmp.Equal(got, []string{"cancelled f", "delivered e"}) {
		t.Errorf("once it was sent they are %v; want it sent once", got)
	}
	// The same, but the target fails: the newer one takes over.
	say(7, "g", "2050-12-02")
	sending = leaseOf(t, db, "remind", later)
	say(8, "h", "2050-12-02")
	if recorded := finish(t, db, sending, engine.Pending, later); recorded.State != engine.Cancelled || !recorded.Freed {
		t.Errorf("a failed attempt for an older version = %+v; want it cancelled, and the newer one freed", recorded)
	}
	if lease := leaseOf(t, db, "remind", later); string(lease.Message) != `{"body":"h"}` {
		t.Errorf("then %s is sent, want h", lease.Message)
	}
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

func (s suite) knowsWhatWasBefore(t *testing.T) {
	db, rules := s.new(t), loadRules(t, tasks)
	tell(t, db, rules, "e", version{peanuts.EntryCreated, 1, `{"due":"2050-11-25"}`})
	tell(t, db, rules, "e", version{peanuts.EntryUpdated, 5, `{"due":"2050-11-26"}`})
	tell(t, db, rules, "e", version{peanuts.EntryUpdated, 3, `{"due":"2050-11-27"}`}) // late: what was before it is not known
	tell(t, db, rules, "e", version{peanuts.EntryUpdated, 6, `{"due":"2050-11-26","x":1}`})
	tell(t, db, rules, "e", version{peanuts.EntryDeleted, 7, `{"due":"2050-11-26"}`})
	tell(t, db, rules, "e", version{peanuts.EntryUpdated, 8, `{"due":"2050-11-28"}`}) // after the delete there is nothing before
	wantStanding(t, db, "moved", "pending 11-23 from 2050-11-25 to 2050-11-26")
}

func (s suite) syncsInLine(t *testing.T) {
	db, rules := s.new(t), loadRules(t, tasks)
	say := func(minute int, data string) {
		tell(t, db, rules, "e", version{peanuts.EntryUpdated, minute, data})
	}
	say(1, `{"title":"a"}`)
	first := leaseOne(t, db, "table", noon())
	say(2, `{"title":"b"}`)
	say(3, `{"title":"c"}`)
	if leases, err := db.Lease(t.Context(), "table", 9, noon(), noon().Add(time.Minute)); err != nil || len(leases) != 0 {
		t.Errorf("Lease() beside a sync of the same entry = %+v, %v; want none", leases, err)
	}
	if recorded := finish(t, db, first, engine.Pending, noon()); recorded.State != engine.Cancelled || !recorded.Freed {
		t.Errorf("a sync that failed and is not the newest = %+v; want it cancelled, and the newest freed", recorded)
	}
	second := leaseOne(t, db, "table", noon())
	finish(t, db, second, engine.Dead, noon())
	wantStanding(t, db, "sync", "dead", "cancelled", "cancelled")
	say(4, `{"title":"d"}`)
	if err := db.Replay(t.Context(), second.ID); err != nil {
		t.Fatal(err)
	}
	newest := leaseOne(t, db, "table", time.Now().AddDate(100, 0, 0)) // a replay that is not the newest is never sent
	wantStanding(t, db, "sync", "sending", "cancelled", "cancelled", "cancelled")
	finish(t, db, newest, engine.Delivered, noon())
	say(5, `{"done":true}`)
	say(6, `{"done":true,"x":0}`) // takes the place of a removal that was not sent yet
	var m engine.SQLMessage
	removal := leaseOne(t, db, "table", noon())
	if err := json.Unmarshal(removal.Message, &m); err != nil || m.Remove == nil || string(m.Remove.Key) != `"e"` {
		t.Errorf("an entry that is wanted no more brings %s, want its row removed", removal.Message)
	}
	finish(t, db, removal, engine.Delivered, noon())
	say(7, `{"done":true,"x":1}`)
	tell(t, db, rules, "e", version{peanuts.EntryDeleted, 8, ``})
	tell(t, db, rules, "never synced", version{peanuts.EntryDeleted, 8, ``})
	if due, err := db.Lease(t.Context(), "table", 9, noon(), noon()); err != nil || len(due) != 0 {
		t.Errorf("what was removed, or never there, brings %+v, %v; want nothing", due, err)
	}
}

// endsTheSame tells all orders of five versions of an entry: what is left is of the newest, whatever came when (R56).
func (s suite) endsTheSame(t *testing.T) {
	db, rules := s.new(t), loadRules(t, tasks)
	if err := db.DefineStats(t.Context(), rules.Stats(), false); err != nil {
		t.Fatal(err)
	}
	for name, last := range map[string]version{
		"kept":    {peanuts.EntryUpdated, 5, `{"title":"last","due":"2050-11-29","cost":4.55,"kind":"x"}`},
		"done":    {peanuts.EntryUpdated, 5, `{"title":"last","due":"2050-11-29","done":true,"cost":4.55}`},
		"deleted": {peanuts.EntryDeleted, 5, ``},
	} {
		versions := []version{
			{peanuts.EntryCreated, 1, `{"title":"a","due":"2050-11-25","cost":0.1}`},
			{peanuts.EntryUpdated, 2, `{"title":"b","due":"2050-11-26","cost":"0.2","kind":"x"}`},
			{peanuts.EntryUpdated, 3, `{"done":true,"cost":3}`},
			{peanuts.EntryUpdated, 4, `{"title":"d","due":"2050-11-27","cost":"n/a"}`},
			last,
		}
		for n, order := range permutations(len(versions)) {
			entry := fmt.Sprintf("%s-%d", name, n)
			row := ""
			for told, i := range order {
				tellOf(t, db, rules, versions[i].as(t, entry, name))
				if 7*n%32>>told&1 == 0 { // a courier comes between any of them, or not
					row = drain(t, db, row)
				}
			}
			row = drain(t, db, row)
			var reminders []string
			for _, lease := range leaseAll(t, db, "mail", time.Date(2051, 1, 1, 0, 0, 0, 0, time.UTC)) {
				if lease.Rule == "remind" {
					reminders = append(reminders, lease.NextAt.Format(time.RFC3339)+string(lease.Message))
				}
				finish(t, db, lease, engine.Delivered, noon())
			}
			wantRow, want := "", []string(nil)
			if name == "kept" {
				wantRow, want = `"last"`, []string{`2050-11-28T23:00:00Z{"body":"last"}`}
			}
			if row != wantRow || !slices.Equal(reminders, want) {
				t.Fatalf("%s in order %v leaves the row %s and the reminders %q, want %s and %q", name, order, row, reminders, wantRow, want)
			}
		}
		report := reportOf(t, db, "costs", name)
		if count := map[string]int{"kept": 120}[name]; report.All.Count != count || report.Unreadable.Count != 0 {
			t.Errorf("%s: %d in the stat, %d unreadable; want %d and none", name, report.All.Count, report.Unreadable.Count, count)
		}
		if name == "kept" && report.All.Total.String() != "546" {
			t.Errorf("the total is %s, want 120 × 4.55 = 546", report.All.Total)
		}
	}
}
