package main

import (
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/peanuts-router/peanuts-router/engine"
)

// stormWrites is how often the rules are written in the storm, every stormPause but for lulls.
const (
	stormWrites = 200
	stormPause  = 10 * time.Millisecond
	stormLull   = 20 // writes after which the rules lie still for long enough to be read
	// stormTries is how many storms there are at the most. On a busy machine a file may lie still half-written for so long
	// that it is to be read; not in each of three.
	stormTries = 3
)

// markedRules are rules of two parts that carry one mark in everything they send. A file that ends after the first part is a rules
// file, too.
func markedRules(url, mark string) (first, last string) {
	first = `version: 1
actions:
  ledger: {http: {url: "` + url + `/` + mark + `", headers: {X-Mark: "` + mark + `"}}}
rules:
  - {name: first, when: helper.command == "/expenses", then: [{action: ledger, body: "{{ entry.id }} first ` + mark + `"}]}
`
	last = `  - {name: last, when: helper.command == "/expenses", then: [{action: ledger, body: "{{ entry.id }} last ` + mark + `"}]}
`
	return first, last
}

// ways are how editors and scripts write a file of two parts.
var ways = []func(t *testing.T, path, first, last string){
	writeInParts, writeInPlace, writeByRename, writeBesideABackup, writeAnew, writeAFault,
}

func writeInPlace(t *testing.T, path, first, last string) { writeFile(t, path, first+last) }

// writeInParts leaves half of the file there for as long as the storm pauses.
func writeInParts(t *testing.T, path, first, last string) {
	file, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	for _, part := range []string{first, last} {
		<-time.After(stormPause / 2)
		if _, err := io.WriteString(file, part); err != nil {
			t.Fatal(err)
		}
	}
}

func writeByRename(t *testing.T, path, first, last string) {
	putFile(t, path, first+last)
}

func writeBesideABackup(t *testing.T, path, first, last string) {
	rename(t, path, path+"~")
	writeFile(t, path, first+last)
}

func writeAnew(t *testing.T, path, first, last string) {
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	writeFile(t, path, first+last)
}

func writeAFault(t *testing.T, path, first, last string) {
	writeFile(t, path, first+strings.Replace(last, "then", "thne", 1))
}

func rename(t *testing.T, from, to string) {
	t.Helper()
	if err := os.Rename(from, to); err != nil {
		t.Fatal(err)
	}
}

// marks are the marks that arrived, by entry and rule.
type marks struct {
	*httptest.Server
	mu   sync.Mutex
	of   map[string]map[string]string
	seen map[string]bool
	torn int // attempts whose address and header are of different rules
}

func startMarks(t *testing.T) *marks {
	m := &marks{of: map[string]map[string]string{}, seen: map[string]bool{}}
	m.Server = httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		entry, rest, _ := strings.Cut(string(body), " ")
		rule, mark, _ := strings.Cut(rest, " ")
		m.mu.Lock()
		defer m.mu.Unlock()
		if r.URL.Path != "/"+r.Header.Get("X-Mark") {
			m.torn++
		}
		if m.of[entry] == nil {
			m.of[entry] = map[string]string{}
		}
		m.of[entry][rule], m.seen[mark] = mark, true
	}))
	t.Cleanup(m.Close)
	return m
}

// mixed counts the entries of a storm that more than one set of rules has judged, and those that a part of one has.
func (m *marks) mixed(storm string) (mixed, half int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for entry, by := range m.of {
		switch {
		case !strings.HasPrefix(entry, storm):
		case len(by) < 2:
			half++
		case by["first"] != by["last"]:
			mixed++
		}
	}
	return mixed, half
}

// await waits until rules with a mark are in force.
func (m *marks) await(t *testing.T, mark string) {
	t.Helper()
	deadline := time.After(longEnough)
	poll := time.NewTicker(10 * time.Millisecond)
	defer poll.Stop()
	for arrived := false; !arrived; {
		select {
		case <-poll.C:
		case <-deadline:
			t.Fatalf("rules with %s did not come into force", mark)
		}
		m.mu.Lock()
		arrived = m.seen[mark]
		m.mu.Unlock()
	}
}

// F35, C15: through a storm of writes every event is judged by one whole set of rules. The writes are taken together, the last good
// one wins, and nothing is left over.
func TestThroughAStormOfWritesEveryEventIsJudgedByOneSetOfRules(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	rules := filepath.Join(dir, "rules.yaml")
	target := startMarks(t)
	first, last := markedRules(target.URL, "start")
	writeFile(t, rules, first+last)
	d := startDaemon(t, dir, nil, "--rules", "rules.yaml")
	target.mu.Lock() // all hands of the action have work once before they are counted
	for n := range 2 * engine.DefaultConcurrency {
		d.post(expense(fmt.Sprint("warm-", n), "1"))
	}
	target.mu.Unlock()
	goroutines := d.rest(t, target.Server, 1<<30)

	const least = stormWrites / stormLull
	for try := 1; ; try++ {
		read, half := d.weather(t, target, rules, fmt.Sprint("storm-", try))
		if half == 0 && read >= least && read <= 2*least {
			break
		}
		if try == stormTries {
			t.Errorf("of %d writes %d were read, and %d events judged by half a set, in the best of %d storms; want about %d, and none: what is still being written is not read",
				stormWrites, read, half, try, least)
			break
		}
	}
	if left := d.rest(t, target.Server, goroutines); left > goroutines {
		t.Errorf("%d goroutines after the storm, %d before", left, goroutines)
	}
}

// weather sends a daemon events through a storm. It tells how often rules were read, whether they were taken or refused, and
// how many events half a set has judged.
func (d *daemon) weather(t *testing.T, target *marks, rules, name string) (read, half int) {
	t.Helper()
	before := d.readings(t)
	stop, ended := make(chan struct{}), make(chan int)
	go func() {
		n := 0
		for ; ; n++ {
			select {
			case <-stop:
				ended <- n
				return
			default:
				d.post(expense(fmt.Sprint(name, "-", n), "1"))
			}
		}
	}()
	began := time.Now()
	target.storm(t, rules, name)
	took := time.Since(began)
	close(stop)
	events := <-ended
	d.settles()
	read = d.readings(t) - before
	mixed, half := target.mixed(name)
	t.Logf("%d writes in %v, read %d times; %d events under way, %d of mixed rules, %d of half a set, %d attempts torn",
		stormWrites, took, read, events, mixed, half, target.torn)
	if mixed+target.torn > 0 {
		t.Errorf("%d events were judged by mixed rules, and %d attempts torn; want none", mixed, target.torn)
	}
	return read, half
}

// readings are how often a daemon has read rules that were others than before.
func (d *daemon) readings(t *testing.T) int {
	t.Helper()
	metrics, err := d.scrape()
	if err != nil {
		t.Fatal(err)
	}
	generation, _ := strconv.Atoi(metrics["rules_generation"])
	refused, _ := strconv.Atoi(metrics["config_reloads_refused_total"])
	return generation + refused
}

// storm writes the rules in every way, over and over, each time with a mark of its own. In each lull it waits for what was written
// last to come into force.
func (m *marks) storm(t *testing.T, path, name string) {
	random := rand.New(rand.NewPCG(35, 0))
	pace := time.NewTicker(stormPause)
	defer pace.Stop()
	for n := range stormWrites {
		mark := fmt.Sprint(name, "-mark-", n)
		first, last := markedRules(m.URL, mark)
		if n%stormLull == stormLull-1 {
			writeInParts(t, path, first, last)
			m.await(t, mark)
			continue
		}
		ways[random.IntN(len(ways))](t, path, first, last)
		<-pace.C
	}
}

// rest lets go of connections and tells how many goroutines run then; it waits until they are few enough.
func (d *daemon) rest(t *testing.T, target *httptest.Server, enough int) (goroutines int) {
	t.Helper()
	d.settles()
	for deadline := time.Now().Add(longEnough); ; time.Sleep(50 * time.Millisecond) {
		target.CloseClientConnections()
		http.DefaultClient.CloseIdleConnections()
		metrics, err := d.scrape()
		if err != nil {
			t.Fatal(err)
		}
		goroutines, _ = strconv.Atoi(metrics["go_goroutines"])
		if goroutines <= enough || time.Now().After(deadline) {
			return goroutines
		}
	}
}
