package e2e

import (
	"bufio"
	"bytes"
	"encoding/json"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// binary is the router, built once for all tests.
var binary string

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "peanuts-router")
	if err != nil {
		panic(err)
	}
	binary = filepath.Join(dir, "peanuts-router")
	build := exec.Command("go", "build", "-o", binary, "./cmd/peanuts-router")
	build.Dir, build.Stderr = "..", os.Stderr
	code := 1
	if err := build.Run(); err == nil {
		code = m.Run()
	}
	os.RemoveAll(dir)
	os.Exit(code)
}

// router is a daemon that takes unsigned events, whose page is at admin.
type router struct{ webhook, admin string }

const rules = `version: 1
timezone: Europe/Berlin
actions:
  nobody: {http: {url: "http://127.0.0.1:9/"}, retry: []}
rules:
  - name: high-expense
    on: [entry.created]
    when: entry.data.amount > 500
    then: [{action: nobody, body: "{{ entry.id }}"}]
stats:
  expenses: {when: 'entry.data.amount != nil', value: entry.data.amount, group_by: entry.data.category}
  costs: {when: 'entry.data.cost != nil', value: entry.data.cost, unit: entry.data.currency}
`

// start starts a daemon for one test.
func start(t *testing.T) *router {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "rules.yaml"), []byte(rules), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(binary, "serve", "--unsigned", "--rules", "rules.yaml", "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0")
	cmd.Dir, cmd.SysProcAttr = dir, &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	stderr, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(stderr)
	var ready struct{ Msg, Webhook, Admin string }
	for ready.Msg != "ready" && lines.Scan() {
		_ = json.Unmarshal(lines.Bytes(), &ready)
	}
	read := make(chan struct{})
	go func() {
		defer close(read)
		for lines.Scan() {
		}
	}()
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		<-read
		_ = cmd.Wait()
	})
	if ready.Msg != "ready" {
		t.Fatal("the router did not become ready")
	}
	return &router{ready.Webhook, ready.Admin}
}

// log tells the router of an entry.
func (r *router) log(t *testing.T, event, helper, id, created string, data map[string]any) {
	t.Helper()
	body, err := json.Marshal(map[string]any{
		"event": event, "timestamp": created, "helper": map[string]any{"command": helper},
		"entry": map[string]any{"id": id, "created_at": created, "data": data}, "user": map[string]any{"id": id},
	})
	if err != nil {
		t.Fatal(err)
	}
	answer, err := http.Post(r.webhook, "application/json", bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		t.Fatalf("%s was answered %s", body, answer.Status)
	}
}

// metric waits until a line of /metrics says so.
func (r *router) metric(t *testing.T, line string) {
	t.Helper()
	for deadline := time.Now().Add(2 * time.Minute); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		var text bytes.Buffer
		answer, err := http.Get(r.admin + "/metrics")
		if err != nil {
			t.Fatal(err)
		}
		_, _ = text.ReadFrom(answer.Body)
		answer.Body.Close()
		if strings.Contains(text.String(), line) {
			return
		}
	}
	t.Fatalf("the metrics never said %q", line)
}
