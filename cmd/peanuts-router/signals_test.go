package main

import (
	"context"
	"database/sql"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/peanuts-router/peanuts-router/peanuts"
)

// ends is how often a daemon is ended under load; before a release it is 200.
var ends = flag.Int("ends", 12, "how often the tests of signals end a daemon")

// underWay is how much a daemon may have sent and not recorded yet: the rooms of its one lane.
const underWay = 256

// ledger is a target that answers within a few milliseconds and counts its answers by key.
type ledger struct {
	*httptest.Server
	mu    sync.Mutex
	taken map[string]int
}

func startLedger(t *testing.T) *ledger {
	l := &ledger{taken: map[string]int{}}
	l.Server = httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		<-time.After(time.Duration(rand.IntN(20)) * time.Millisecond)
		l.mu.Lock()
		defer l.mu.Unlock()
		l.taken[r.Header.Get("Idempotency-Key")]++
	}))
	t.Cleanup(l.Close)
	return l
}

// load posts events as Peanuts would, whether a daemon takes them or not.
type load struct {
	mu    sync.Mutex
	acked map[string]bool // ids of events
	stop  chan struct{}
	ended sync.WaitGroup
	n     int
}

// start sends to a daemon until it is stopped.
func (l *load) start(t *testing.T, d *daemon) {
	sender, err := peanuts.NewSender(peanuts.SenderConfig{URL: d.webhook, Secret: testSecret})
	if err != nil {
		t.Fatal(err)
	}
	l.stop = make(chan struct{})
	for range 4 {
		l.ended.Go(func() {
			for l.running() {
				receipt, err := sender.Send(context.Background(), []byte(expense(l.next(), "1")))
				if err == nil {
					l.mu.Lock()
					l.acked[receipt.ID] = true
					l.mu.Unlock()
				}
			}
		})
	}
}

// isTaken waits until an event is acknowledged that was not before.
func (l *load) isTaken(t *testing.T) {
	t.Helper()
	count := func() int {
		l.mu.Lock()
		defer l.mu.Unlock()
		return len(l.acked)
	}
	before := count()
	eventually(t, longEnough, "events are acknowledged", func() bool { return count() > before })
}

func (l *load) running() bool {
	select {
	case <-l.stop:
		return false
	default:
		return true
	}
}

// next names an entry that no other event has.
func (l *load) next() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.n++
	return fmt.Sprint("entry-", l.n)
}

func (l *load) end() {
	close(l.stop)
	l.ended.Wait()
}

// terminate sends SIGTERM, and again after each while if that is not 0, and tells how long the daemon took to end, and how it did.
func (d *daemon) terminate(t *testing.T, again time.Duration) (took time.Duration, err error) {
	t.Helper()
	began := time.Now()
	if err := d.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	for ended := again == 0; !ended; { // one that comes while the one before has not been taken is none
		select {
		case <-d.read:
			ended = true
		case <-time.After(again):
			_ = d.cmd.Process.Signal(syscall.SIGTERM) // it may have ended already
		}
	}
	<-d.read
	err = d.cmd.Wait()
	return time.Since(began), err
}

// F37, C22: ended under load, over and over, the daemon ends with 0 in time; what was acknowledged arrives, once.
func TestADaemonEndedUnderLoadLosesNothingAndRepeatsNothing(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	target, sent := startLedger(t), &load{acked: map[string]bool{}}
	ledgerRules(t, dir, target.URL, "standard", "0")
	longest := time.Duration(0)
	for run := range *ends {
		d := startDaemon(t, dir, nil, "--rules", "rules.yaml")
		sent.start(t, d)
		if run == 0 {
			sent.isTaken(t)
		}
		<-time.After(time.Duration(rand.IntN(200)) * time.Millisecond)
		took, err := d.terminate(t, 0)
		sent.end()
		if longest = max(longest, took); err != nil || took > 30*time.Second {
			t.Errorf("run %d ended with %v after %v, want 0 within 30 s; its log:\n%s", run, err, took, d.logged())
		}
	}
	lost, repeated := sent.account(t, dir, target)
	if lost+repeated > 0 {
		t.Errorf("of %d acknowledged events %d are lost, %d were sent again", len(sent.acked), lost, repeated)
	}
	t.Logf("%d ends, %d events acknowledged, %d lost, %d repeated, the longest end took %v", *ends, len(sent.acked), lost, repeated, longest)
}

// account has a last daemon deliver what is left, and counts what never arrived and what arrived more than once.
func (l *load) account(t *testing.T, dir string, target *ledger) (lost, repeated int) {
	t.Helper()
	d := startDaemon(t, dir, nil, "--rules", "rules.yaml")
	if !d.settles() {
		t.Fatalf("the last daemon ended; its log:\n%s", d.logged())
	}
	for id := range l.acked {
		if target.taken[id+"-1"] == 0 {
			lost++
		}
	}
	for _, times := range target.taken {
		repeated += times - 1
	}
	if len(l.acked) == 0 {
		t.Error("nothing was acknowledged")
	}
	return lost, repeated
}

// F37: a second SIGTERM ends the daemon at once. What was acknowledged arrives; what was under way may arrive once more.
func TestASecondSIGTERMEndsAtOnceAndLosesNothing(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	target, sent := startLedger(t), &load{acked: map[string]bool{}}
	ledgerRules(t, dir, target.URL, "standard", "0")
	runs, longest := max(1, *ends/3), time.Duration(0)
	for run := range runs {
		d := startDaemon(t, dir, nil, "--rules", "rules.yaml")
		sent.start(t, d)
		if run == 0 {
			sent.isTaken(t)
		}
		<-time.After(time.Duration(rand.IntN(200)) * time.Millisecond)
		took, err := d.terminate(t, time.Duration(1+rand.IntN(10))*time.Millisecond)
		sent.end()
		var exit *exec.ExitError
		killed := errors.As(err, &exit) && exit.Sys().(syscall.WaitStatus).Signal() == syscall.SIGTERM
		if longest = max(longest, took); err != nil && !killed || took > 5*time.Second {
			t.Errorf("run %d ended with %v after %v; its log:\n%s", run, err, took, d.logged())
		}
	}
	lost, repeated := sent.account(t, dir, target)
	if lost > 0 || repeated > runs*underWay {
		t.Errorf("of %d acknowledged events %d are lost, %d were sent again; want none and %d at most", len(sent.acked), lost, repeated, runs*underWay)
	}
	t.Logf("%d ends, %d events acknowledged, %d lost, %d repeated, the longest end took %v", runs, len(sent.acked), lost, repeated, longest)
}

// F37, C17: ended while the store cannot be written, the daemon still ends within 30 s, and the next one delivers what was
// acknowledged; what was under way may arrive once more.
func TestSIGTERMWhileTheStoreIsDown(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	target, sent := startLedger(t), &load{acked: map[string]bool{}}
	ledgerRules(t, dir, target.URL, "standard", "0")
	d := startDaemon(t, dir, nil, "--rules", "rules.yaml")
	sent.start(t, d)
	sent.isTaken(t)
	other, err := sql.Open("sqlite", "file:"+filepath.Join(dir, "router.db")+"?_pragma=busy_timeout(60000)")
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	other.SetMaxOpenConns(1)
	if _, err := other.Exec(`BEGIN IMMEDIATE`); err != nil {
		t.Fatal(err)
	}
	took, ended := d.terminate(t, 0)
	sent.end()
	if _, err := other.Exec(`ROLLBACK`); err != nil {
		t.Fatal(err)
	}
	// An event that waits for the store may be cut off at the end of the doors' grace, which is told, and was acknowledged by nobody.
	if ended != nil && !strings.Contains(d.logged(), "requests were cut off") || took > 30*time.Second {
		t.Errorf("the daemon ended with %v after %v, want 0 within 30 s; its log:\n%s", ended, took, d.logged())
	}
	lost, repeated := sent.account(t, dir, target)
	if lost > 0 || repeated > underWay {
		t.Errorf("of %d acknowledged events %d are lost, %d were sent again; want none and %d at most", len(sent.acked), lost, repeated, underWay)
	}
	t.Logf("ended after %v: %d events acknowledged, %d lost, %d repeated", took, len(sent.acked), lost, repeated)
}
