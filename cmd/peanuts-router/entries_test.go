package main

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/peanuts-router/peanuts-router/engine"
	"github.com/peanuts-router/peanuts-router/internal/pgtest"
	"github.com/peanuts-router/peanuts-router/peanuts"
	"github.com/peanuts-router/peanuts-router/store"
)

// Rules that keep a row in two databases, a stat and a reminder for each entry above 500.
const entryRules = `version: 1
timezone: Europe/Berlin
actions:
  lite: {sql: {database: "sqlite:rows.db", table: expenses, key: external_id, version: version}, retry: [10ms, 10ms, 10ms, 10ms, 100ms]}
  post: {sql: {database: "${POSTGRES}", table: expenses, key: external_id, version: version}, retry: [10ms, 10ms, 10ms, 10ms, 100ms]}
  told: {http: {url: "http://127.0.0.1:9/"}}
rules:
  - name: sync
    when: helper.command == "/expenses" && entry.data.amount > 500
    then:
      - {action: lite, upsert: &row {external_id: "{{ entry.id }}", amount: "{{ entry.data.amount }}", category: "{{ entry.data.category }}"}}
      - {action: post, upsert: *row}
  - name: due
    when: entry.data.due != nil
    then: [{action: told, at: date(entry.data.due), body: due}]
stats:
  expenses: {when: 'helper.command == "/expenses" && entry.data.amount > 500', value: entry.data.amount, group_by: entry.data.category}
`

// How the last of the five events of an entry may be.
var lastEvents = []string{
	`{"event":"entry.updated","timestamp":"2026-11-23T14:00:00Z","helper":{"command":"/expenses"},"entry":{"id":"ID","data":{"amount":900.25,"category":"D","due":"2099-04-04"}}}`,
	`{"event":"entry.deleted","timestamp":"2026-11-23T14:00:00Z","helper":{"command":"/expenses"},"entry":{"id":"ID","data":{"amount":800.10,"category":"C","due":"2099-03-03"}}}`,
	`{"event":"entry.updated","timestamp":"2026-11-23T14:00:00Z","helper":{"command":"/expenses"},"entry":{"id":"ID","data":{"amount":5,"category":"D"}}}`,
}

// fiveEvents are the events of an entry, the newest last.
func fiveEvents(id, last string) []string {
	events := []string{
		`{"event":"entry.created","timestamp":"2026-11-23T10:00:00Z","helper":{"command":"/expenses"},"entry":{"id":"ID","data":{"amount":600,"category":"A","due":"2099-01-01"}}}`,
		`{"event":"entry.updated","timestamp":"2026-11-23T11:00:00Z","helper":{"command":"/expenses"},"entry":{"id":"ID","data":{"amount":700,"category":"B","due":"2099-02-02"}}}`,
		`{"event":"entry.updated","timestamp":"2026-11-23T12:00:00Z","helper":{"command":"/expenses"},"entry":{"id":"ID","data":{"amount":100,"category":"B"}}}`,
		`{"event":"entry.updated","timestamp":"2026-11-23T13:00:00Z","helper":{"command":"/expenses"},"entry":{"id":"ID","data":{"amount":800.10,"category":"C","due":"2099-03-03"}}}`,
		last,
	}
	for i := range events {
		events[i] = strings.ReplaceAll(events[i], "ID", id)
	}
	return events
}

// orders are all orders of n things.
func orders(n int) [][]int {
	if n == 0 {
		return [][]int{{}}
	}
	var all [][]int
	for _, shorter := range orders(n - 1) {
		for at := range n {
			all = append(all, slices.Insert(slices.Clone(shorter), at, n-1))
		}
	}
	return all
}

// mortal is a daemon that is killed and started again while others post to it.
type mortal struct {
	mu      sync.Mutex
	url     string
	changed chan struct{} // closed when url changes
}

func (m *mortal) live(url string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.changed != nil {
		close(m.changed)
	}
	m.url, m.changed = url, make(chan struct{})
}

// post sends an event until it is answered 200.
func (m *mortal) post(t *testing.T, body string) {
	for {
		m.mu.Lock()
		url, changed := m.url, m.changed
		m.mu.Unlock()
		sender, err := peanuts.NewSender(peanuts.SenderConfig{URL: url, Secret: testSecret})
		if err != nil {
			t.Error(err)
			return
		}
		if _, err = sender.Send(context.Background(), []byte(body)); err == nil {
			return
		}
		select {
		case <-changed:
		case <-time.After(longEnough):
			t.Errorf("posting to a daemon that is not killed: %v", err)
			return
		}
	}
}

// C1, C16, R53-R56, R67, R68: all 120 orders of five events of an entry, three times, through kills in the midst of them,
// leave the right row in SQLite and in PostgreSQL, the right statistics and the right reminder; and right after each kill
// entry state, ledger and reminders are those of the events that are stored: all of an event, or none of it.
func TestEveryOrderOfAnEntrysEventsEndsTheSameThroughKills(t *testing.T) {
	t.Parallel()
	postgres := pgtest.Start(t)
	pg, err := pgx.Connect(t.Context(), postgres)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { pg.Close(context.Background()) })
	if _, err := pg.Exec(t.Context(), `CREATE TABLE expenses (external_id text PRIMARY KEY, amount numeric, category text, version text)`); err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	lite, err := sql.Open("sqlite", "file:"+filepath.Join(dir, "rows.db")+"?_pragma=busy_timeout(10000)")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { lite.Close() })
	if _, err := lite.Exec(`CREATE TABLE expenses (external_id TEXT PRIMARY KEY, amount NUMERIC, category TEXT, version TEXT)`); err != nil {
		t.Fatal(err)
	}
	writeFile(t, filepath.Join(dir, "rules.yaml"), entryRules)
	serve := func() *daemon { return startDaemon(t, dir, []string{"POSTGRES=" + postgres}, "--rules", "rules.yaml") }

	var entries [][]string
	for last, event := range lastEvents {
		for n, order := range orders(5) {
			events := fiveEvents(fmt.Sprintf("e%d-%03d", last, n), event)
			var shuffled []string
			for _, i := range order {
				shuffled = append(shuffled, events[i])
			}
			entries = append(entries, shuffled)
		}
	}
	rand.Shuffle(len(entries), func(i, j int) { entries[i], entries[j] = entries[j], entries[i] })

	d, router := serve(), &mortal{}
	router.live(d.webhook)
	var posted atomic.Int64
	killAt := make(chan struct{})
	var posting sync.WaitGroup
	work := make(chan []string)
	for range 8 {
		posting.Go(func() {
			for events := range work {
				for _, event := range events {
					router.post(t, event)
					if posted.Add(1)%400 == 0 {
						killAt <- struct{}{}
					}
				}
			}
		})
	}
	go func() {
		for _, events := range entries {
			work <- events
		}
		close(work)
		posting.Wait()
		close(killAt)
	}()
	kills := 0
	for range killAt {
		kills++
		d.kill()
		checkEntries(t, filepath.Join(dir, "router.db"))
		d = serve()
		router.live(d.webhook)
	}
	if kills < 4 {
		t.Errorf("%d kills, want 4", kills)
	}
	settled(t, dir, d)
	command(t, dir, "check") // the books balance, or it ends with 1
	checkEntries(t, filepath.Join(dir, "router.db"))

	want := map[string]string{}
	for n := range 120 {
		want[fmt.Sprintf("e0-%03d", n)] = "900.25 D"
	}
	for name, read := range map[string]func() map[string]string{
		"SQLite":     func() map[string]string { return rowsOf(t, lite) },
		"PostgreSQL": func() map[string]string { return pgRowsOf(t, pg) },
	} {
		if got := read(); fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("%s has %d rows, want %d; there differ: %v", name, len(got), len(want), differing(got, want))
		}
	}
	if stats := command(t, dir, "stats", "--month", "2026-11"); !strings.Contains(stats, "total 108,030.00   count 120   average 900.25") {
		t.Errorf("stats printed\n%s\nwant 120 times 900.25", stats)
	}
}

// differing are the entries whose rows are not as they should be.
func differing(got, want map[string]string) []string {
	var ids []string
	for id, row := range got {
		if want[id] != row {
			ids = append(ids, id+" "+row)
		}
	}
	for id := range want {
		if _, ok := got[id]; !ok {
			ids = append(ids, id+" is missing")
		}
	}
	return ids
}

// settled waits until nothing but reminders is pending. It looks at the store in one statement: between two a delivery
// could be missed.
func settled(t *testing.T, dir string, d *daemon) {
	t.Helper()
	db, err := sql.Open("sqlite", "file:"+filepath.Join(dir, "router.db")+"?mode=ro&_pragma=busy_timeout(10000)")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	for deadline := time.Now().Add(longEnough); time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
		var left int
		if err := db.QueryRow(`SELECT count(*) FROM deliveries WHERE rule = 'sync' AND state IN ('pending', 'sending')`).Scan(&left); err != nil {
			t.Fatal(err)
		}
		if left == 0 {
			return
		}
	}
	t.Fatalf("still not settled; the log:\n%s", d.logged())
}

// checkEntries holds the entries, totals and reminders of a store that nobody uses against the events in it.
func checkEntries(t *testing.T, path string) {
	t.Helper()
	s, err := store.Open(t.Context(), store.Config{Path: path, Beside: true})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	newest, owed := newestOf(t, s)
	count, sum := 0, engine.Amount{}
	for entry, event := range newest {
		due, _ := event.Entry.Data["due"].(string)
		amount := fmt.Sprint(event.Entry.Data["amount"])
		deleted := event.Event == peanuts.EntryDeleted
		if want := dueIn(t, due); !deleted && due != "" && !slices.Equal(owed[entry], []time.Time{want}) {
			t.Errorf("%s has the reminders %v, want one at %v", entry, owed[entry], want)
		} else if (deleted || due == "") && len(owed[entry]) > 0 {
			t.Errorf("%s has the reminders %v, want none", entry, owed[entry])
		}
		value, err := engine.NewAmount(amount)
		if err != nil {
			t.Fatal(err)
		}
		if !deleted && value.Float() > 500 {
			count, sum = count+1, sum.Plus(value)
		}
	}
	report, err := s.Report(t.Context(), "expenses", engine.StatFilter{Month: "2026-11"})
	if err != nil {
		t.Fatal(err)
	}
	if report.Month.Count != count || report.Month.Total.String() != sum.String() {
		t.Errorf("the stat counts %d and sums to %s; the %d entries in the store say %d and %s",
			report.Month.Count, report.Month.Total, len(newest), count, sum)
	}
}

// newestOf gives the newest event of each entry that a store has an event of, and when its pending reminders are due.
func newestOf(t *testing.T, s *store.Store) (newest map[string]*peanuts.Event, owed map[string][]time.Time) {
	t.Helper()
	newest, owed = map[string]*peanuts.Event{}, map[string][]time.Time{}
	for cursor, more := "", true; more; more = cursor != "" {
		page, next, err := s.Events(t.Context(), store.Page{Limit: 1000, Cursor: cursor})
		if err != nil {
			t.Fatal(err)
		}
		cursor = next
		for _, listed := range page {
			record, err := s.Event(t.Context(), listed.ID)
			if err != nil {
				t.Fatal(err)
			}
			event, err := peanuts.Parse([]byte(record.Payload))
			if err != nil {
				t.Fatal(err)
			}
			for _, d := range record.Deliveries {
				if d.Rule == "due" && d.State == engine.Pending {
					owed[record.EntryID] = append(owed[record.EntryID], d.NextAt)
				}
			}
			if known := newest[record.EntryID]; known == nil || cmp.Compare(known.Version(time.Time{}), event.Version(time.Time{})) < 0 {
				newest[record.EntryID] = event
			}
		}
	}
	return newest, owed
}

// dueIn is the instant of a date in the rules' zone.
func dueIn(t *testing.T, date string) time.Time {
	t.Helper()
	if date == "" {
		return time.Time{}
	}
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	due, err := time.ParseInLocation("2006-01-02", date, berlin)
	if err != nil {
		t.Fatal(err)
	}
	return due.UTC()
}

func rowsOf(t *testing.T, db *sql.DB) map[string]string {
	t.Helper()
	rows, err := db.Query(`SELECT external_id, amount || ' ' || category FROM expenses`)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	got := map[string]string{}
	for rows.Next() {
		var id, row string
		if err := rows.Scan(&id, &row); err != nil {
			t.Fatal(err)
		}
		got[id] = row
	}
	return got
}

func pgRowsOf(t *testing.T, db *pgx.Conn) map[string]string {
	t.Helper()
	rows, err := db.Query(t.Context(), `SELECT external_id, amount || ' ' || category FROM expenses`)
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	var id, row string
	if _, err := pgx.ForEachRow(rows, []any{&id, &row}, func() error { got[id] = row; return nil }); err != nil {
		t.Fatal(err)
	}
	return got
}

// F1, F31: a reminder whose moment passes while no router runs is sent once by the next one, by its key, and never again.
func TestAReminderOutlivesAKillAcrossItsMoment(t *testing.T) {
	t.Parallel()
	remind := func(id string, due time.Time) string {
		return fmt.Sprintf(`{"event":"entry.created","timestamp":"2026-11-23T10:00:00Z","helper":{"command":"/tasks"},"entry":{"id":%q,"data":{"due":%q}}}`,
			id, due.UTC().Format(time.RFC3339Nano))
	}
	var dir string
	var told *target
	var receipt peanuts.Receipt
	var moment time.Time
	for wait := 3 * time.Second; time.Until(moment) <= 0; wait *= 2 { // once more, where the kill came too late
		dir, told = t.TempDir(), startTarget(t, always(200))
		writeFile(t, filepath.Join(dir, "rules.yaml"), `version: 1
actions: {told: {http: {url: "`+told.URL+`"}}}
rules:
  - name: due
    when: entry.data.due != nil
    then: [{action: told, at: date(entry.data.due), body: "{{ entry.id }}"}]
`)
		first := startDaemon(t, dir, nil, "--rules", "rules.yaml")
		moment = time.Now().Add(wait)
		receipt = first.post(remind("soon", moment))
		first.post(remind("later", moment.Add(time.Hour)))
		first.kill()
	}
	if len(told.calls) > 0 {
		t.Fatal("the reminder was sent before its moment")
	}
	listed := command(t, dir, "deliveries", "list", "--output", "json")
	if want := moment.UTC().Format(`"next_at": "2006-01-02T15:04:05`); !strings.Contains(listed, want) {
		t.Errorf("deliveries list printed\n%s\nwant %s", listed, want)
	}
	<-time.After(time.Until(moment))
	second := startDaemon(t, dir, nil, "--rules", "rules.yaml")
	if call := told.next(t); call.key != receipt.ID+"-1" || call.body != "soon" {
		t.Errorf("the target got %+v, want the reminder of the one that was due", call)
	}
	second.await("the delivery", func(line map[string]any) bool { return line["verdict"] == "delivered" })
	second.kill()
	third := startDaemon(t, dir, nil, "--rules", "rules.yaml")
	third.post(remind("at once", moment))
	if call := told.next(t); call.body != "at once" {
		t.Errorf("the target got %+v, want what came after the restart", call)
	}
	third.await("the delivery", func(line map[string]any) bool { return line["verdict"] == "delivered" })
	if left := command(t, dir, "deliveries", "list", "--state", "pending", "--output", "json"); strings.Count(left, `"id"`) != 1 {
		t.Errorf("pending:\n%s\nwant the reminder of the one that is due in an hour", left)
	}
}
