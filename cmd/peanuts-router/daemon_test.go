package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/peanuts-router/peanuts-router/peanuts"
)

const testSecret = "a secret of the tests, long enough"

// longEnough is how long a test waits for what must come about: longer than that takes on the busiest machine.
const longEnough = 2 * time.Minute

// tester is what a daemon needs of a test, or of a script of one.
type tester interface {
	Helper()
	Fatal(args ...any)
	Fatalf(format string, args ...any)
	Cleanup(func())
}

// daemon is a router in a process of its own.
type daemon struct {
	t              tester
	cmd            *exec.Cmd
	webhook, admin string
	lines          chan map[string]any
	mu             sync.Mutex
	log            bytes.Buffer
	read           chan struct{} // closed when the log has ended
}

// startDaemon starts `serve` on free ports and waits until it is ready.
func startDaemon(t tester, dir string, env []string, args ...string) *daemon {
	t.Helper()
	d := launchDaemon(t, dir, env, []string{os.Args[0]}, args...)
	d.awaitReady()
	return d
}

// launchDaemon starts `serve` on free ports by a program, or by one that starts it in its turn.
func launchDaemon(t tester, dir string, env, program []string, args ...string) *daemon {
	t.Helper()
	d := &daemon{t: t, lines: make(chan map[string]any, 10_000), read: make(chan struct{})}
	args = append(append(program[1:len(program):len(program)], "serve", "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0"), args...)
	d.cmd = exec.Command(program[0], args...)
	d.cmd.Dir = dir
	d.cmd.Env = append(os.Environ(), append([]string{asRouter + "=1", envSecret + "=" + testSecret}, env...)...)
	d.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	stderr, err := d.cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := d.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go d.readLog(stderr)
	t.Cleanup(func() { d.kill() })
	return d
}

func (d *daemon) awaitReady() {
	d.t.Helper()
	if !d.started() {
		d.t.Fatalf("the daemon ended before it was ready; its log:\n%s", d.logged())
	}
}

// started waits until a daemon is ready, and tells whether it came to that before it ended.
func (d *daemon) started() bool {
	d.t.Helper()
	ready := d.find("ready", func(line map[string]any) bool { return line["msg"] == "ready" })
	d.webhook, _ = ready["webhook"].(string)
	d.admin, _ = ready["admin"].(string)
	return ready != nil
}

func (d *daemon) readLog(from io.Reader) {
	defer close(d.read)
	lines := bufio.NewScanner(from)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		d.mu.Lock()
		d.log.WriteString(lines.Text() + "\n")
		d.mu.Unlock()
		var line map[string]any
		if json.Unmarshal(lines.Bytes(), &line) == nil {
			select {
			case d.lines <- line:
			default: // nobody waits for a line; all are in the log
			}
		}
	}
}

// await waits for a line of the log.
func (d *daemon) await(what string, is func(line map[string]any) bool) map[string]any {
	d.t.Helper()
	line := d.find(what, is)
	if line == nil {
		d.t.Fatalf("the daemon ended before it logged %s; its log:\n%s", what, d.logged())
	}
	return line
}

// find waits for a line of the log, or until the daemon has ended without it.
func (d *daemon) find(what string, is func(line map[string]any) bool) map[string]any {
	d.t.Helper()
	timeout := time.After(longEnough)
	for {
		select {
		case line := <-d.lines:
			if is(line) {
				return line
			}
		case <-d.read:
			for len(d.lines) > 0 { // what it logged last
				if line := <-d.lines; is(line) {
					return line
				}
			}
			return nil
		case <-timeout:
			d.t.Fatalf("the daemon did not log %s in time; its log:\n%s", what, d.logged())
		}
	}
}

func (d *daemon) logged() string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.log.String()
}

// kill ends the daemon as a power cut would, short of the power.
func (d *daemon) kill() {
	_ = d.cmd.Process.Kill()
	<-d.read
	_ = d.cmd.Wait()
}

// post sends a signed event and returns its receipt.
func (d *daemon) post(body string) peanuts.Receipt {
	d.t.Helper()
	sender, err := peanuts.NewSender(peanuts.SenderConfig{URL: d.webhook, Secret: testSecret})
	if err != nil {
		d.t.Fatal(err)
	}
	receipt, err := sender.Send(context.Background(), []byte(body))
	if err != nil {
		d.t.Fatalf("posting %s: %v\n%s", body, err, d.logged())
	}
	return receipt
}

// command runs a command of the router beside the daemon and returns what it printed.
func command(t *testing.T, dir string, args ...string) string {
	t.Helper()
	cmd := exec.Command(os.Args[0], args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), asRouter+"=1", "NO_COLOR=1")
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("peanuts-router %s: %v\n%s%s", strings.Join(args, " "), err, out, stderr.String())
	}
	return string(out)
}

// target is an HTTP endpoint that answers as it is told and reports what it gets.
type target struct {
	*httptest.Server
	calls  chan targetCall
	mu     sync.Mutex
	status func(n int) int // of the nth call, from 1
	n      int
}

type targetCall struct {
	key, path, body string
	header          http.Header
}

// startTarget starts a target; status 0 leaves a call without an answer until the target ends.
func startTarget(t tester, status func(n int) int) *target {
	g := &target{calls: make(chan targetCall, 1000), status: status}
	ended := make(chan struct{})
	g.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		g.mu.Lock()
		g.n++
		answer := g.status(g.n)
		g.mu.Unlock()
		select {
		case g.calls <- targetCall{key: r.Header.Get("Idempotency-Key"), path: r.URL.Path, body: string(body), header: r.Header}:
		case <-ended: // nobody asks for more calls than there is room for
		}
		if answer == 0 {
			select {
			case <-ended:
			case <-r.Context().Done():
			}
			return
		}
		w.WriteHeader(answer)
		io.WriteString(w, "answer with "+r.Header.Get("Authorization"))
	}))
	t.Cleanup(func() {
		close(ended)
		g.Close()
	})
	return g
}

func (g *target) answer(status func(n int) int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.status, g.n = status, 0
}

func always(status int) func(int) int { return func(int) int { return status } }

// next waits for a call.
func (g *target) next(t *testing.T) targetCall {
	t.Helper()
	select {
	case call := <-g.calls:
		return call
	case <-time.After(longEnough):
		t.Fatal("the target was not called in time")
		return targetCall{}
	}
}

func writeFile(t testing.TB, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// putFile has a file there whole or not at all: a daemon may read it at any moment, and takes half of an edit for one.
func putFile(t testing.TB, path, text string) {
	t.Helper()
	writeFile(t, path+".tmp", text)
	if err := os.Rename(path+".tmp", path); err != nil {
		t.Fatal(err)
	}
}

// ledgerRules send every expense above a limit to a target.
func ledgerRules(t *testing.T, dir, url, retry string, limit string) {
	t.Helper()
	putFile(t, filepath.Join(dir, "rules.yaml"), `version: 1
actions:
  ledger:
    http: {url: "`+url+`/hooks/{{ entry.id }}", headers: {Authorization: "Bearer ${LEDGER_TOKEN:-none}"}}
    retry: `+retry+`
rules:
  - name: high-expense
    when: helper.command == "/expenses" && entry.data.amount > `+limit+`
    then:
      - action: ledger
        json: {amount: "{{ entry.data.amount }}"}
`)
}

// patientRules are ledgerRules that leave the target all the time that an attempt may take.
func patientRules(t *testing.T, dir, url, retry string, limit string) {
	t.Helper()
	ledgerRules(t, dir, url, retry, limit)
	rules := filepath.Join(dir, "rules.yaml")
	text, err := os.ReadFile(rules)
	if err != nil {
		t.Fatal(err)
	}
	putFile(t, rules, strings.Replace(string(text), "    retry:", "    timeout: 45s\n    retry:", 1))
}

// expense is an event of an amount.
func expense(id, amount string) string {
	return `{"event":"entry.created","timestamp":"2026-11-23T10:00:00Z","helper":{"id":"h","name":"Expenses","command":"/expenses"},` +
		`"entry":{"id":"` + id + `","created_at":"2026-11-23T10:00:00Z","data":{"amount":` + amount + `,"category":"Travel","description":"Flight"}},"user":{"id":"u"}}`
}
