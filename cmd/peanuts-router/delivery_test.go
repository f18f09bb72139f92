package main

import (
	"database/sql"
	"encoding/json"
	"maps"
	"path/filepath"
	"strings"
	"testing"
)

// R10, P13, P31: Peanuts has its answer while the target still has not given one.
func TestTheAnswerWaitsForNoDelivery(t *testing.T) {
	dir := t.TempDir()
	ledger := startTarget(t, always(0))
	patientRules(t, dir, ledger.URL, "[1h]", "500")
	d := startDaemon(t, dir, nil, "--rules", "rules.yaml")
	receipt := d.post(expense("entry-1", "501"))
	ledger.next(t)
	if listed := command(t, dir, "deliveries", "list", "--state", "sending"); !strings.Contains(listed, receipt.ID+"-1") {
		t.Errorf("after the answer these are being sent:\n%s\nwant %s-1; the log:\n%s", listed, receipt.ID, d.logged())
	}
}

// R35, C14: what was accepted before an edit goes out with the message of the rule that fired, though the rule is gone; where to
// is looked up at each attempt.
func TestWhatIsPendingKeepsItsMessageThroughAnEdit(t *testing.T) {
	dir := t.TempDir()
	ledger := startTarget(t, always(503))
	rules := func(rule, path, body string) {
		putFile(t, filepath.Join(dir, "rules.yaml"), `version: 1
actions:
  ledger:
    http: {url: "`+ledger.URL+path+`"}
    retry: {initial: 250ms, multiplier: 1, max_interval: 250ms, attempts: 100} # longer than an edit takes to be seen
    breaker: {failures: 1000}
rules:
  - {name: `+rule+`, when: helper.command == "/expenses", then: [{action: ledger, body: "`+body+` {{ entry.data.amount }}"}]}
`)
	}
	rules("before", "/old", "as it was:")
	d := startDaemon(t, dir, nil, "--rules", "rules.yaml")
	receipt := d.post(expense("entry-1", "612.50"))
	ledger.next(t)
	rules("after", "/new", "as it is:")
	d.await("the reload", func(line map[string]any) bool { return line["msg"] == "rules reloaded" })
	for ledger.next(t).path != "/new" { // an attempt that had begun before the edit may arrive after it
	}
	ledger.answer(always(200))
	d.await("the delivery", func(line map[string]any) bool { return line["verdict"] == "delivered" })
	var last targetCall
	for len(ledger.calls) > 0 {
		last = ledger.next(t)
	}
	if last.body != "as it was: 612.50" || last.path != "/new" || last.key != receipt.ID+"-1" {
		t.Errorf("after the edit the target got %q at %s by %s, want the old message at /new by %s-1", last.body, last.path, last.key, receipt.ID)
	}
	d.post(expense("entry-2", "7"))
	if call := ledger.next(t); call.body != "as it is: 7" {
		t.Errorf("the next event brings %q, want the new rule's message", call.body)
	}
}

// R59, R90, P29: a table that cannot be written is tried again and given up on its own; the notification of the same rule is sent
// once, also when the sync is replayed.
func TestASyncFailsAndIsMendedOnItsOwn(t *testing.T) {
	dir := t.TempDir()
	ledger := startTarget(t, always(200))
	writeFile(t, filepath.Join(dir, "rules.yaml"), `version: 1
actions:
  ledger: {http: {url: "`+ledger.URL+`"}}
  table: {sql: {database: "sqlite:rows.db", table: expenses, key: external_id, version: version}, retry: [10ms, 10ms]}
rules:
  - name: both
    when: helper.command == "/expenses"
    then:
      - {action: ledger}
      - {action: table, upsert: {external_id: "{{ entry.id }}", amount: "{{ entry.data.amount }}"}}
`)
	d := startDaemon(t, dir, nil, "--rules", "rules.yaml")
	receipt := d.post(expense("entry-1", "612.50"))
	ledger.next(t)
	dead := d.await("the dead letter", func(line map[string]any) bool { return line["msg"] == "dead letter" })
	if dead["delivery"] != receipt.ID+"-2" || dead["attempts"] != 3.0 {
		t.Errorf("given up was %v after %v attempts, want %s-2 after 3", dead["delivery"], dead["attempts"], receipt.ID)
	}
	db, err := sql.Open("sqlite", "file:"+filepath.Join(dir, "rows.db")+"?_pragma=busy_timeout(10000)")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.Exec(`CREATE TABLE expenses (external_id TEXT PRIMARY KEY, amount NUMERIC, version TEXT)`); err != nil {
		t.Fatal(err)
	}
	command(t, dir, "dead-letters", "replay", receipt.ID+"-2")
	d.await("the row", func(line map[string]any) bool { return line["verdict"] == "delivered" && line["action"] == "table" })
	var amount string
	if err := db.QueryRow(`SELECT amount FROM expenses WHERE external_id = 'entry-1'`).Scan(&amount); err != nil || amount != "612.5" {
		t.Errorf("the row holds %q, %v; want 612.5", amount, err)
	}
	if n := len(ledger.calls); n != 0 {
		t.Errorf("the notification was sent %d times more, want once in all", n)
	}
}

// R93: a dead letter can be given up for good; it stays in the record, and is no dead letter any more.
func TestADiscardedDeadLetterIsGivenUpForGood(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	ledger := startTarget(t, always(400))
	ledgerRules(t, dir, ledger.URL, "peanuts", "500")
	d := startDaemon(t, dir, nil, "--rules", "rules.yaml")
	id := d.post(expense("entry-1", "501")).ID + "-1"
	d.await("the dead letter", func(line map[string]any) bool { return line["msg"] == "dead letter" })
	if told := command(t, dir, "dead-letters", "discard", id); told != "1 dead letter discarded.\n" {
		t.Errorf("dead-letters discard printed %q", told)
	}
	if left := command(t, dir, "dead-letters", "list"); left != "No dead letters.\n" {
		t.Errorf("dead-letters list printed\n%s\nwant none", left)
	}
	if kept := command(t, dir, "deliveries", "list", "--state", "discarded"); !strings.Contains(kept, id) {
		t.Errorf("deliveries list printed\n%s\nwant %s", kept, id)
	}
}

// R102: one id of the event is in each line about it, from the door to the dead letter.
func TestOneEventIDRunsThroughTheLog(t *testing.T) {
	dir := t.TempDir()
	ledger := startTarget(t, always(503))
	ledgerRules(t, dir, ledger.URL, "[10ms]", "500")
	d := startDaemon(t, dir, nil, "--rules", "rules.yaml")
	receipt := d.post(expense("entry-1", "501"))
	d.await("the dead letter", func(line map[string]any) bool { return line["msg"] == "dead letter" })
	told := map[string]int{}
	for text := range strings.Lines(d.logged()) {
		var line map[string]any
		if err := json.Unmarshal([]byte(text), &line); err != nil {
			t.Fatalf("a line of the log is no JSON: %s", text)
		}
		if msg, _ := line["msg"].(string); line["id"] == receipt.ID || line["event"] == receipt.ID {
			told[msg]++
		}
	}
	if want := map[string]int{"event": 1, "attempt": 2, "dead letter": 1}; !maps.Equal(told, want) {
		t.Errorf("of event %s the log tells %v, want %v:\n%s", receipt.ID, told, want, d.logged())
	}
}
