package main

import (
	"bytes"
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/peanuts-router/peanuts-router/actions/receiver"
	"github.com/peanuts-router/peanuts-router/engine"
)

// C1, C10, F1: the thread through the whole. A 200 is durable: killed right after it, with the delivery under way, the
// router delivers after its restart, by the same key.
func TestADaemonKilledRightAfterThe200DeliversAfterItsRestart(t *testing.T) {
	dir := t.TempDir()
	ledger := startTarget(t, always(0))
	ledgerRules(t, dir, ledger.URL, "standard", "500")
	first := startDaemon(t, dir, nil, "--rules", "rules.yaml")
	receipt := first.post(expense("entry-1", "612.50"))
	unanswered := ledger.next(t)
	first.kill()

	ledger.answer(always(200))
	second := startDaemon(t, dir, nil, "--rules", "rules.yaml")
	delivered := ledger.next(t)
	second.await("the delivery", func(line map[string]any) bool { return line["verdict"] == "delivered" })
	if want := receipt.ID + "-1"; delivered.key != want || unanswered.key != want {
		t.Errorf("keys %q before and %q after the kill, want both %q", unanswered.key, delivered.key, want)
	}
	if delivered.path != "/hooks/entry-1" || delivered.body != `{"amount":612.50}` {
		t.Errorf("the target got %s %s, want /hooks/entry-1 {\"amount\":612.50}", delivered.path, delivered.body)
	}
	if again := second.post(expense("entry-1", "612.50")); !again.Duplicate || again.ID != receipt.ID {
		t.Errorf("the same bytes after the restart: %+v, want a duplicate of %s (C9)", again, receipt.ID)
	}
}

// R90, C10: a target that answers 500 four times and then 200 gets the message once, by one key.
func TestATargetThatRecoversGetsTheMessageOnceByOneKey(t *testing.T) {
	dir := t.TempDir()
	ledger := startTarget(t, func(n int) int {
		if n <= 4 {
			return 500
		}
		return 200
	})
	ledgerRules(t, dir, ledger.URL, "[10ms, 10ms, 10ms, 10ms, 10ms]", "500")
	d := startDaemon(t, dir, nil, "--rules", "rules.yaml")
	receipt := d.post(expense("entry-1", "501"))
	for n := 1; n <= 5; n++ {
		if call := ledger.next(t); call.key != receipt.ID+"-1" {
			t.Errorf("attempt %d came by key %q, want %q", n, call.key, receipt.ID+"-1")
		}
	}
	d.await("the delivery", func(line map[string]any) bool { return line["verdict"] == "delivered" && line["attempt"] == 5.0 })
	if n := len(ledger.calls); n != 0 {
		t.Errorf("%d calls after the success, want none", n)
	}
}

// R89, R93, C13: a target that never recovers ends as a dead letter, which a replay beside the running daemon delivers.
func TestADeadLetterIsListedAndDeliveredByAReplay(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	ledger := startTarget(t, always(503))
	ledgerRules(t, dir, ledger.URL, "[10ms, 10ms]", "500")
	d := startDaemon(t, dir, nil, "--rules", "rules.yaml")
	receipt := d.post(expense("entry-1", "501"))
	d.await("the dead letter", func(line map[string]any) bool { return line["msg"] == "dead letter" && line["level"] == "ERROR" })
	id := receipt.ID + "-1"
	if listed := command(t, dir, "dead-letters", "list"); !strings.Contains(listed, id) || !strings.Contains(listed, "gave up after 3 attempts: 503 Service Unavailable") {
		t.Errorf("dead-letters list printed\n%s\nwant %s with its reason", listed, id)
	}
	ledger.answer(always(200))
	for len(ledger.calls) > 0 {
		<-ledger.calls
	}
	if told := command(t, dir, "dead-letters", "replay", id); told != "1 dead letter replayed.\n" {
		t.Errorf("dead-letters replay printed %q", told)
	}
	if call := ledger.next(t); call.key != id {
		t.Errorf("the replay came by key %q, want %q", call.key, id)
	}
	d.await("the delivery", func(line map[string]any) bool { return line["verdict"] == "delivered" && line["attempt"] == 4.0 })
	if shown := command(t, dir, "dead-letters", "show", id); strings.Count(shown, "attempt ") != 4 || !strings.Contains(shown, "delivered") {
		t.Errorf("dead-letters show printed\n%s\nwant 4 attempts and the state delivered", shown)
	}
}

// C15, R33, R34: an edit changes what the next event does; a broken one changes nothing and names line and column.
func TestAnEditIsPickedUpAndABrokenOneChangesNothing(t *testing.T) {
	dir := t.TempDir()
	ledger := startTarget(t, always(200))
	ledgerRules(t, dir, ledger.URL, "peanuts", "500")
	d := startDaemon(t, dir, nil, "--rules", "rules.yaml")

	ledgerRules(t, dir, ledger.URL, "peanuts", "100")
	d.await("the reload", func(line map[string]any) bool { return line["msg"] == "rules reloaded" && line["generation"] == 2.0 })
	d.post(expense("entry-1", "150"))
	ledger.next(t)

	rules := filepath.Join(dir, "rules.yaml")
	sound, err := os.ReadFile(rules)
	if err != nil {
		t.Fatal(err)
	}
	putFile(t, rules, strings.Replace(string(sound), "when:", "whne:", 1))
	refused := d.await("the refusal", func(line map[string]any) bool { return line["msg"] == "rules refused, the old ones stay" })
	if problems, _ := refused["problems"].(string); !strings.Contains(problems, `rules.yaml:8:5: unknown key "whne", did you mean "when"? [unknown-key]`) {
		t.Errorf("the log says %q, want the unknown key at rules.yaml:8:5", problems)
	}
	d.post(expense("entry-2", "150"))
	ledger.next(t)
	response, err := http.Post(d.admin+"/api/v1/reload", "application/json", nil)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	var answer struct{ Errors []struct{ Line, Column int } }
	if err := json.NewDecoder(response.Body).Decode(&answer); err != nil {
		t.Fatal(err)
	}
	if response.StatusCode != 400 || len(answer.Errors) == 0 || answer.Errors[len(answer.Errors)-1].Line != 8 {
		t.Errorf("POST /api/v1/reload = %d %+v, want 400 with the place", response.StatusCode, answer)
	}
}

// R27, R40, R41, R46, R47: the example rules over real sockets, with the guide's notifications: above 500, not at 500.
func TestTheExampleRulesFireAbove500AndNotAt500(t *testing.T) {
	dir := t.TempDir()
	calls := make(chan receiver.Call, 100)
	box, err := receiver.Start(receiver.Config{OnCall: func(call receiver.Call) { calls <- call }})
	if err != nil {
		t.Fatal(err)
	}
	defer box.Close()
	example, err := os.ReadFile("../../rules.example.yaml")
	if err != nil {
		t.Fatal(err)
	}
	writeFile(t, filepath.Join(dir, "rules.yaml"), string(example))
	d := startDaemon(t, dir, []string{
		"SLACK_BOT_TOKEN=xoxb-canary", "LEDGER_TOKEN=canary", "SLACK_API_URL=http://" + box.HTTP + "/api/",
		"SMTP_SERVER=smtp://" + box.SMTP, "SMTP_TLS=none", "LEDGER_URL=http://" + box.HTTP,
	}, "--rules", "rules.yaml")

	d.post(expense("at", "500"))
	d.post(expense("above", "500.01"))
	d.post(`{"event":"entry.created","helper":{"command":"/tasks"},"entry":{"id":"task","data":{"title":"Renew","due_date":"2026-01-01"}}}`)
	got := map[engine.Kind]receiver.Call{}
	for range 3 {
		select {
		case call := <-calls:
			got[call.Kind] = call
		case <-time.After(longEnough):
			t.Fatalf("only %v arrived; the log:\n%s", got, d.logged())
		}
	}
	if slack := got[engine.KindSlack]; slack.Channel != "#finance-alerts" || slack.Text != "🚨 High expense: $500.01 - Flight" {
		t.Errorf("Slack got %+v", slack)
	}
	if call := got[engine.KindHTTP]; !strings.HasSuffix(call.URL, "/hooks/above") || call.Header.Get("Authorization") != "Bearer canary" {
		t.Errorf("the ledger got %+v", call)
	}
	if mail := got[engine.KindEmail]; mail.Subject != "Due soon: Renew" || !strings.Contains(mail.Text, "Renew is due 2026-01-01.") || !strings.Contains(mail.HTML, "<b>Renew</b>") {
		t.Errorf("the mail server got %+v", mail)
	}
	if len(calls) != 0 {
		t.Errorf("more arrived: %+v", <-calls)
	}
}

// C19, A34: no secret is in a log line, an error, a frozen message, a listing or the store, though the target sends
// its token back.
func TestNoSecretIsInLogsListingsOrTheStore(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	ledger := startTarget(t, always(401))
	ledgerRules(t, dir, ledger.URL, "[10ms]", "500")
	d := startDaemon(t, dir, []string{"LEDGER_TOKEN=canary-4711-token"}, "--rules", "rules.yaml")
	receipt := d.post(expense("entry-1", "501"))
	d.await("the dead letter", func(line map[string]any) bool { return line["msg"] == "dead letter" })
	if call := ledger.next(t); call.header.Get("Authorization") != "Bearer canary-4711-token" {
		t.Fatalf("the target got %q: nothing was planted", call.header.Get("Authorization"))
	}
	shown := command(t, dir, "dead-letters", "show", receipt.ID+"-1", "--output", "json")
	if !strings.Contains(shown, "answer with ***") {
		t.Errorf("dead-letters show printed\n%s\nwant the answer with its secret hidden", shown)
	}
	listed := shown + command(t, dir, "events", "list", "--output", "json") + command(t, dir, "events", "show", receipt.ID) +
		command(t, dir, "deliveries", "list", "--output", "json") + command(t, dir, "dead-letters", "list")
	if err := d.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	<-d.read
	files, err := filepath.Glob(filepath.Join(dir, "router.db*"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no store in %s: %v", dir, err)
	}
	searched := map[string][]byte{"the log": []byte(d.logged()), "the listings": []byte(listed)}
	for _, file := range files {
		if searched[file], err = os.ReadFile(file); err != nil {
			t.Fatal(err)
		}
	}
	for where, text := range searched {
		for _, secret := range []string{"canary-4711-token", testSecret} {
			if bytes.Contains(text, []byte(secret)) {
				t.Errorf("%s holds the secret %q", where, secret)
			}
		}
	}
}

// C22, F37: SIGTERM ends the daemon with 0; what was not answered is delivered by the next.
func TestSIGTERMDrainsAndEndsWith0(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	ledger := startTarget(t, always(200))
	ledgerRules(t, dir, ledger.URL, "peanuts", "500")
	d := startDaemon(t, dir, nil, "--rules", "rules.yaml")
	d.post(expense("entry-1", "501"))
	if err := d.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	<-d.read
	if err := d.cmd.Wait(); err != nil {
		t.Errorf("the daemon ended with %v, want 0; its log:\n%s", err, d.logged())
	}
	if left := command(t, dir, "deliveries", "list", "--state", "sending"); left != "No deliveries.\n" {
		t.Errorf("still leased after the end:\n%s", left)
	}
	startDaemon(t, dir, nil, "--rules", "rules.yaml")
	ledger.next(t) // by the first daemon, or by the second
}
