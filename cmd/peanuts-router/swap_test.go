package main

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// places are two targets, each with a token of its own, that keep what they get. They are busy but for
// every eighth call, until one is told to take everything.
type places struct {
	urls, tokens [2]string

	mu     sync.Mutex
	taker  int               // the place that takes messages
	bodies map[string]string // by key
	calls  []placeCall
	wrong  int // calls with another place's token
	other  int // calls with another body than before
}

type placeCall struct {
	place int
	key   string
}

func startPlaces(t *testing.T) *places {
	p := &places{tokens: [2]string{"token-of-the-first", "token-of-the-second"}, taker: -1, bodies: map[string]string{}}
	for i := range p.urls {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { p.take(i, w, r) }))
		t.Cleanup(server.Close)
		p.urls[i] = server.URL
	}
	return p
}

func (p *places) take(place int, w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	key := r.Header.Get("Idempotency-Key")
	p.mu.Lock()
	defer p.mu.Unlock()
	p.calls = append(p.calls, placeCall{place, key})
	if r.Header.Get("Authorization") != "Bearer "+p.tokens[place] {
		p.wrong++
	}
	if known, again := p.bodies[key]; again && known != string(body) {
		p.other++
	}
	p.bodies[key] = string(body)
	if place != p.taker && len(p.calls)%8 != 0 {
		w.WriteHeader(http.StatusServiceUnavailable)
	}
}

// open has a place take everything, and tells how many calls there were before.
func (p *places) open(place int) (calls int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.taker = place
	return len(p.calls)
}

// astray counts the calls that went elsewhere after a swap. An attempt that had begun before may arrive after it, but nothing
// follows it there.
func (p *places) astray(since int) (n int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	seen := map[string]bool{}
	for _, call := range p.calls[since:] {
		if call.place != p.taker && seen[call.key] {
			n++
		}
		seen[call.key] = true
	}
	return n
}

// reload has the daemon read its rules, and fails the test unless it takes them.
func (d *daemon) reload() {
	d.t.Helper()
	response, err := http.Post(d.admin+"/api/v1/reload", "application/json", nil)
	if err != nil {
		d.t.Fatal(err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		d.t.Fatalf("POST /api/v1/reload = %d; the log:\n%s", response.StatusCode, d.logged())
	}
}

// F36, C14: while address and secret of an action are swapped under load, no secret reaches the other's target, no message changes,
// and what waits goes to the new one.
func TestWhatWaitsFollowsItsActionAndNoSecretGoesAstray(t *testing.T) {
	t.Parallel()
	const events, each = 100, 5 // events, of which each fifth comes with a swap
	dir := t.TempDir()
	targets := startPlaces(t)
	for i, token := range targets.tokens {
		writeFile(t, filepath.Join(dir, fmt.Sprint("token-", i)), token)
	}
	move := func(to int, mark string) { // in one file, which is there whole: the daemon may also read it by itself
		putFile(t, filepath.Join(dir, "rules.yaml"), `version: 1
actions:
  ledger:
    http: {url: "`+targets.urls[to]+`", headers: {Authorization: "Bearer ${file:token-`+fmt.Sprint(to)+`}"}}
    retry: {initial: 50ms, multiplier: 1, max_interval: 50ms, attempts: 100}
    breaker: {failures: 1000} # which would leave the busy places alone
rules:
  - {name: every, when: helper.command == "/expenses", then: [{action: ledger, body: "{{ entry.id }} `+mark+`"}]}
`)
	}
	move(0, "first")
	d := startDaemon(t, dir, nil, "--rules", "rules.yaml", "--secrets-dir", dir)
	for n := range events {
		d.post(expense(fmt.Sprint("entry-", n), "1"))
		if n%each == each-1 {
			move(n/each%2, fmt.Sprint("mark-", n))
			d.reload()
		}
	}
	since := targets.open((events/each - 1) % 2)
	d.settles()
	if astray := targets.astray(since); targets.wrong+targets.other+astray > 0 || len(targets.bodies) != events {
		t.Errorf("of %d messages came %d; %d calls with another place's secret, %d with another body, %d to the place before; want none",
			events, len(targets.bodies), targets.wrong, targets.other, astray)
	}
	if dead := command(t, dir, "dead-letters", "list"); dead != "No dead letters.\n" {
		t.Errorf("dead are:\n%s", dead)
	}
	t.Logf("%d swaps, %d calls, %d of them after the last swap", events/each, len(targets.calls), len(targets.calls)-since)
}

// C19, F36: a target that answers with the secret it was called by tells nobody, though the secret was replaced meanwhile.
func TestASecretThatWasReplacedIsHiddenStill(t *testing.T) {
	dir := t.TempDir()
	arrived, answer := make(chan struct{}), make(chan struct{})
	target := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		close(arrived)
		<-answer
		w.WriteHeader(http.StatusBadRequest)
		io.WriteString(w, "not with "+r.Header.Get("Authorization"))
	}))
	defer target.Close()
	rules := func(token string) {
		writeFile(t, filepath.Join(dir, "ledger-token"), token)
	}
	rules("canary-4711-before")
	writeFile(t, filepath.Join(dir, "rules.yaml"), `version: 1
actions:
  ledger: {http: {url: "`+target.URL+`", headers: {Authorization: "Bearer ${file:ledger-token}"}}, timeout: 45s}
rules:
  - {name: every, when: helper.command == "/expenses", then: [{action: ledger}]}
`)
	d := startDaemon(t, dir, nil, "--rules", "rules.yaml", "--secrets-dir", dir)
	id := d.post(expense("entry-1", "1")).ID + "-1"
	<-arrived
	rules("canary-4711-after")
	d.reload()
	close(answer)
	d.await("the dead letter", func(line map[string]any) bool { return line["msg"] == "dead letter" })
	shown := command(t, dir, "dead-letters", "show", id, "--output", "json")
	if told := shown + d.logged(); strings.Contains(told, "canary") || !strings.Contains(shown, "not with ***") {
		t.Errorf("the answer is told as\n%s\nwant its secret hidden; the log:\n%s", shown, d.logged())
	}
}
