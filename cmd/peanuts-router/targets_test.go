package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/peanuts-router/peanuts-router/engine"
	"github.com/peanuts-router/peanuts-router/peanuts"
)

// blackHole takes connections and never says a word. It counts those that are open at a time.
type blackHole struct {
	net.Listener
	mu         sync.Mutex
	open, most int
	all        int
}

func startBlackHole(t *testing.T) *blackHole {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	b := &blackHole{Listener: listener}
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go b.swallow(conn)
		}
	}()
	return b
}

func (b *blackHole) swallow(conn net.Conn) {
	defer conn.Close()
	b.mu.Lock()
	b.open, b.all = b.open+1, b.all+1
	b.most = max(b.most, b.open)
	b.mu.Unlock()
	_, _ = io.Copy(io.Discard, conn) // until the router gives up
	b.mu.Lock()
	defer b.mu.Unlock()
	b.open--
}

// counts tells how many connections are open, were at the most, and were in all. What the router has closed just now is waited
// for: it is heard of a little later.
func (b *blackHole) counts() (open, most, all int) {
	for deadline := time.Now().Add(longEnough); ; time.Sleep(10 * time.Millisecond) {
		b.mu.Lock()
		open, most, all = b.open, b.most, b.all
		b.mu.Unlock()
		if open == 0 || time.Now().After(deadline) {
			return open, most, all
		}
	}
}

// F26, C8: two hundred attempts at a target that never answers time out and free their hands, and another target is served beside
// them: no delivery to it waits for a hand to be free.
func TestTwoHundredBlackHolesHoldUpNobodyElse(t *testing.T) {
	t.Parallel()
	const holes, calls, timeout = 200, 200, 10 * time.Second
	dir := t.TempDir()
	hole := startBlackHole(t)
	arrived := make(chan time.Time, calls)
	target := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { arrived <- time.Now() }))
	defer target.Close()
	writeFile(t, filepath.Join(dir, "rules.yaml"), `version: 1
actions:
  hole: {http: {url: "http://`+hole.Addr().String()+`"}, concurrency: 200, timeout: `+timeout.String()+`, retry: []}
  fine: {http: {url: "`+target.URL+`"}}
rules:
  - {name: lost, when: entry.data.amount == 1, then: [`+strings.Repeat("{action: hole}, ", holes)+`]}
  - {name: sent, when: entry.data.amount == 2, then: [{action: fine}]}
`)
	d := startDaemon(t, dir, nil, "--rules", "rules.yaml")
	deliver := func(name string) (p99, slowest time.Duration) {
		var took []time.Duration
		for n := range calls {
			began := time.Now()
			d.post(expense(fmt.Sprint(name, n), "2"))
			took = append(took, (<-arrived).Sub(began))
		}
		slices.Sort(took)
		return took[calls*99/100], took[calls-1]
	}
	alone, _ := deliver("alone-")
	d.post(expense("lost", "1"))
	beside, slowest := deliver("beside-")
	if !d.settles() {
		t.Fatal(d.logged())
	}
	open, most, all := hole.counts()
	d.halt() // its log is whole then
	timeouts := strings.Count(d.logged(), `"status":"timeout"`)
	t.Logf("p99 from the post to the target: %v alone, %v beside %d black holes; %d connections at once, %d timed out", alone, beside, holes, most, timeouts)
	if timeouts != holes || all != holes || most < holes || open > 0 {
		t.Errorf("%d attempts timed out over %d connections, %d at once, %d open still; want %d, all at once, and none", timeouts, all, most, open, holes)
	}
	if slowest > timeout/2 { // a machine that others use too; a hand is free after the whole of it
		t.Errorf("beside black holes a delivery takes %v, and %v alone (p99)", slowest, alone)
	}
}

// F45, C9: the same bytes, fifty times at once, before and after a restart, are one event, and each action gets them once.
func TestTheSameBytesFiftyTimesAtOnceAreSentOnce(t *testing.T) {
	const times = 50
	dir := t.TempDir()
	ledger := startTarget(t, always(200))
	ledgerRules(t, dir, ledger.URL, "standard", "500")
	ids := map[string]int{}
	fresh := 0
	for range 2 {
		d := startDaemon(t, dir, nil, "--rules", "rules.yaml")
		receipts := make(chan peanuts.Receipt, times)
		var sending sync.WaitGroup
		for range times {
			sending.Go(func() { receipts <- d.post(expense("entry-1", "501")) })
		}
		sending.Wait()
		for range times {
			receipt := <-receipts
			ids[receipt.ID]++
			if !receipt.Duplicate {
				fresh++
			}
		}
		d.settles()
		d.kill()
	}
	if len(ids) != 1 || fresh != 1 {
		t.Errorf("%d posts of the same bytes are %d events, and %d were new; want 1 and 1", 2*times, len(ids), fresh)
	}
	if n := len(ledger.calls); n != 1 {
		t.Errorf("the target was called %d times, want once", n)
	}
}

// F47, C13: an answer that is huge, binary or no UTF-8 is kept in part, as text, and leaves its delivery where its status says.
func TestAnswersOfAnySizeAndKindAreKeptInPart(t *testing.T) {
	t.Parallel()
	answers := map[string]string{
		"huge":   strings.Repeat("0123456789abcdef", 10<<20/16),
		"binary": strings.Repeat("\x00\x01\x02\xfe\xff\x1b[31m", 2000),
		"broken": strings.Repeat("ä\xc3", 5000),
		"empty":  "",
	}
	dir := t.TempDir()
	target := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		status, kind, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "-")
		w.WriteHeader(map[string]int{"taken": 200, "refused": 422, "busy": 503}[status])
		_, _ = io.WriteString(w, answers[kind])
	}))
	defer target.Close()
	writeFile(t, filepath.Join(dir, "rules.yaml"), `version: 1
actions: {ledger: {http: {url: "`+target.URL+`/{{ entry.id }}"}, retry: [10ms, 10ms]}}
rules: [{name: every, when: helper.command == "/expenses", then: [{action: ledger}]}]
`)
	d := startDaemon(t, dir, nil, "--rules", "rules.yaml")
	for kind := range answers {
		for status, want := range map[string]struct {
			state    engine.State
			attempts int
		}{"taken": {engine.Delivered, 1}, "refused": {engine.Dead, 1}, "busy": {engine.Dead, 3}} {
			id := d.post(expense(status+"-"+kind, "1")).ID + "-1"
			d.settles()
			var shown struct {
				State   engine.State
				History []struct{ Answer string }
			}
			if err := json.Unmarshal([]byte(command(t, dir, "dead-letters", "show", id, "--output", "json")), &shown); err != nil {
				t.Fatal(err)
			}
			if shown.State != want.state || len(shown.History) != want.attempts {
				t.Errorf("%s with a %s answer: %s after %d attempts, want %s after %d", status, kind, shown.State, len(shown.History), want.state, want.attempts)
			}
			for _, attempt := range shown.History {
				if len(attempt.Answer) > engine.AnswerLimit || !utf8.ValidString(attempt.Answer) || strings.ContainsRune(attempt.Answer, 0) ||
					(attempt.Answer == "") != (kind == "empty" || status == "taken") {
					t.Errorf("%s with a %s answer: kept are %d bytes, %.40q", status, kind, len(attempt.Answer), attempt.Answer)
				}
			}
		}
	}
}
