package main

import (
	"fmt"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/peanuts-router/peanuts-router/engine"
)

// F2, C9: killed anywhere between reading an event and having answered it, the router is told of it again, as Peanuts does
// where there was no answer. However far it had come, there is one event for the bytes, and whoever got a 200 gets its id.
func TestAnEventWhoseAnswerWasLostIsOneEvent(t *testing.T) {
	t.Parallel()
	least := sized(8, 100)
	kills, again, doubtful := 0, 0, 0 // of events sent again: those that were committed, and never answered
	early := 0                        // kills that came while the router started: what wakes its threads is written, too
	for n := 0; n < least || kills*2 < least || doubtful == 0; n++ {
		if n == 10*least {
			t.Fatalf("of %d kills %d came too early, and %d between a commit and its answer: nothing was tried", n, early, doubtful)
		}
		dir := t.TempDir()
		ledgerRules(t, dir, "http://127.0.0.1:9", "standard", "500")
		// A thread's first write may be the line of the log that says where to send.
		injection := fmt.Sprintf("write:signal=KILL:when=%d", n%8+2)
		killed := launchDaemon(t, dir, nil, underTrace(t, filepath.Join(dir, "trace"), "write", injection), "--rules", "rules.yaml")
		if !killed.started() {
			if code := killed.exited(); code != -1 {
				t.Fatalf("the router did not start, and ended with %d; its log:\n%s", code, killed.logged())
			}
			early++
			continue
		}
		kills++
		answered := sendUntilTheEnd(killed, 8)
		if code := killed.exited(); code != -1 {
			t.Fatalf("the router ended with %d, and was to be killed; its log:\n%s", code, killed.logged())
		}
		restarted := startDaemon(t, dir, nil, "--rules", "rules.yaml")
		for body, id := range answered {
			receipt := restarted.post(body)
			again++
			switch {
			case id != "" && (!receipt.Duplicate || receipt.ID != id):
				t.Errorf("an event that was answered with %s is %+v when it comes again", id, receipt)
			case id == "" && receipt.Duplicate:
				doubtful++
			}
		}
		if events := countEvents(t, beside(t, dir)); events != len(answered) {
			t.Errorf("%d bodies are %d events", len(answered), events)
		}
		restarted.kill()
	}
	t.Logf("%d kills, %d more too early, %d events sent again, %d of them committed and never answered, 0 doubled", kills, early, again, doubtful)
}

// sendUntilTheEnd sends events by several connections at once until the daemon has ended, or should have. It tells all that were sent,
// with the ids of those that were answered.
func sendUntilTheEnd(d *daemon, connections int) map[string]string {
	send := d.sender(10 * time.Second)
	answered := map[string]string{}
	var mu sync.Mutex
	var sending sync.WaitGroup
	for connection := range connections {
		sending.Go(func() {
			for n, failed := 0, error(nil); failed == nil && n < 500; n++ {
				body := expense(fmt.Sprintf("entry-%d-%d", connection, n), "100")
				receipt, err := send(body)
				failed = err
				mu.Lock()
				answered[body] = receipt.ID
				mu.Unlock()
			}
		})
	}
	sending.Wait()
	return answered
}

// F3, C10: killed at some moment after the target has answered 200, the router sends once more at the most, by the same key,
// and then never again.
func TestADeliveryWhoseMarkWasLostIsRepeatedOnceByItsKey(t *testing.T) {
	t.Parallel()
	kills, repeated := 0, 0
	for range sized(2, 40) {
		for _, after := range []time.Duration{0, 200 * time.Microsecond, time.Millisecond, 5 * time.Millisecond, 20 * time.Millisecond} {
			kills++
			dir := t.TempDir()
			answered := make(chan struct{}, 1)
			ledger := startTarget(t, func(int) int {
				answered <- struct{}{}
				return 200
			})
			ledgerRules(t, dir, ledger.URL, "standard", "500")
			killed := startDaemon(t, dir, nil, "--rules", "rules.yaml")
			send, sent := killed.sender(10*time.Second), make(chan struct{})
			go func() {
				defer close(sent)
				_, _ = send(expense("entry-1", "501")) // the router may be dead before it has answered
			}()
			<-answered
			<-time.After(after)
			killed.kill()
			<-sent
			first := ledger.next(t)
			restarted := startDaemon(t, dir, nil, "--rules", "rules.yaml")
			s := beside(t, dir)
			eventually(t, longEnough, "the delivery is marked", func() bool { return len(deliveriesIn(t, s, engine.Delivered)) == 1 })
			restarted.halt()
			select {
			case again := <-ledger.calls:
				repeated++
				if again.key != first.key || again.body != first.body {
					t.Errorf("the target got %q by %s and then %q by %s, want the same", first.body, first.key, again.body, again.key)
				}
			default:
			}
			if n := len(ledger.calls); n > 0 {
				t.Errorf("the target got %d calls more than one repeat", n)
			}
		}
	}
	t.Logf("%d kills after the target's 200, %d repeats, none by another key", kills, repeated)
}
