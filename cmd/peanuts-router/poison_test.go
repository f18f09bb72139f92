package main

import (
	"bufio"
	"fmt"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// deadlyTarget takes every message, but for one: when that arrives the router dies, as by a fault of its own.
type deadlyTarget struct {
	poison  string // its path
	mu      sync.Mutex
	victim  *daemon
	taken   map[string]int // how often each path was answered
	deaths  int
	patient time.Duration // how long the others take to be answered
}

func (g *deadlyTarget) ServeHTTP(_ http.ResponseWriter, r *http.Request) {
	if r.URL.Path == g.poison {
		g.mu.Lock()
		defer g.mu.Unlock()
		g.deaths++
		_ = g.victim.cmd.Process.Kill()
		return
	}
	select {
	case <-r.Context().Done(): // the router is dead
	case <-time.After(g.patient):
		g.mu.Lock()
		defer g.mu.Unlock()
		g.taken[r.URL.Path]++
	}
}

// F42, C18: a delivery that takes the process down is given up after three crashes in a row, with that reason. What was leased
// beside it is delivered, though it was lost in the same crashes.
func TestADeliveryThatTakesTheRouterDownDiesAlone(t *testing.T) {
	t.Parallel()
	const events = 12
	dir := t.TempDir()
	g := &deadlyTarget{poison: "/ledger/poison", taken: map[string]int{}, patient: 50 * time.Millisecond}
	target := httptest.NewServer(g)
	defer target.Close()
	writeFile(t, filepath.Join(dir, "rules.yaml"), `version: 1
actions:
  ledger: {http: {url: "`+target.URL+`/ledger/{{ entry.id }}"}, timeout: 45s, retry: [10ms]}
  mirror: {http: {url: "`+target.URL+`/mirror/{{ entry.id }}"}, timeout: 45s, retry: [10ms]}
rules:
  - {name: all, when: helper.command == "/expenses", then: [{action: ledger}, {action: mirror}]}
`)
	g.mu.Lock() // the first crash waits until everything is owed
	d := startDaemon(t, dir, nil, "--rules", "rules.yaml")
	g.victim = d
	poison := d.post(expense("poison", "1")).ID + "-1"
	for n := range events {
		d.post(expense(fmt.Sprint("entry-", n), "1"))
	}
	g.mu.Unlock()
	for crashed := true; crashed; {
		<-d.read
		g.mu.Lock()
		d = startDaemon(t, dir, nil, "--rules", "rules.yaml")
		g.victim = d
		g.mu.Unlock()
		crashed = !d.settles()
	}
	listed := command(t, dir, "dead-letters", "list")
	if strings.Count(listed, "took the router down") != 1 || !strings.Contains(listed, poison) || g.deaths != 3 {
		t.Errorf("after %d crashes these are dead:\n%s\nwant %s alone, after 3", g.deaths, listed, poison)
	}
	if want := 2*events + 1; len(g.taken) != want {
		t.Errorf("%d deliveries beside the poison were taken, want all %d", len(g.taken), want)
	}
}

// settles waits until nothing is owed any more, and tells whether the daemon lived to see it.
func (d *daemon) settles() bool {
	d.t.Helper()
	deadline := time.After(longEnough)
	poll := time.NewTicker(20 * time.Millisecond)
	defer poll.Stop()
	for {
		select {
		case <-d.read:
			return false
		case <-deadline:
			d.t.Fatalf("deliveries are owed still; the log:\n%s", d.logged())
		case <-poll.C:
			metrics, err := d.scrape()
			if err == nil && metrics[`deliveries{state="pending"}`] == "0" && metrics[`deliveries{state="sending"}`] == "0" {
				return true
			}
		}
	}
}

// scrape reads the metrics, by name without the prefix.
func (d *daemon) scrape() (map[string]string, error) {
	response, err := http.Get(d.admin + "/metrics")
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	metrics := map[string]string{}
	lines := bufio.NewScanner(response.Body)
	for lines.Scan() {
		if name, value, ok := strings.Cut(strings.TrimPrefix(lines.Text(), "peanuts_router_"), " "); ok && name != "#" {
			metrics[name] = value
		}
	}
	return metrics, lines.Err()
}
