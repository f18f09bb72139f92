package main

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

// F7, C17: a flush that fails once ends the router with a clear message, whether it was one of the start or of an event.
// From then on nothing is answered with 200, though the system would let the next flush succeed; a restart is clean.
func TestAFlushThatFailedOnceEndsTheRouter(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	ledgerRules(t, dir, "http://127.0.0.1:9", "standard", "500")
	startDaemon(t, dir, nil, "--rules", "rules.yaml").halt()
	ids, whileServing := map[string]string{}, 0
	routers := 0
	for n := 0; n < sized(5, 40) || whileServing == 0 && n < 40; n++ { // how many flushes a start takes of a thread nobody knows
		routers++
		trace := filepath.Join(dir, fmt.Sprint("trace-", n))
		// Flushes are counted by thread, so the failing one is somewhere in what follows.
		injection := fmt.Sprintf("fsync,fdatasync:error=EIO:when=%d", n+1)
		failing := launchDaemon(t, dir, nil, underTrace(t, trace, "fsync,fdatasync,write", injection), "--rules", "rules.yaml")
		if failing.started() {
			whileServing++
			send := failing.sender(10 * time.Second)
			for i, err := 0, error(nil); err == nil && i < 500; i++ {
				body := expense(fmt.Sprintf("entry-%d-%d", n, i), "100") // of which no rule makes anything, so that nothing else is flushed
				receipt, failed := send(body)
				if err = failed; err == nil {
					ids[body] = receipt.ID
				}
			}
		}
		if code := failing.exited(); code != 1 {
			t.Errorf("after a failed flush the router ended with %d, want 1", code)
		}
		if log := failing.logged(); !strings.Contains(log, "store") || !strings.Contains(log, "disk I/O error") && !strings.Contains(log, "flushing its directory") {
			t.Errorf("after a failed flush the router said\n%s\nwant that it was of the store", log)
		}
		if n := acknowledgedAfterAFailedFlush(t, trace, dir); n > 0 {
			t.Errorf("%d events were answered with 200 after a failed flush", n)
		}
		restarted := startDaemon(t, dir, nil, "--rules", "rules.yaml")
		for body, id := range ids {
			if again := restarted.post(body); !again.Duplicate || again.ID != id {
				t.Errorf("an event that was answered with %s is %+v after the restart", id, again)
			}
		}
		restarted.halt()
	}
	balanced(t, beside(t, dir))
	if whileServing == 0 {
		t.Error("no flush failed while events were taken")
	}
	t.Logf("%d routers, %d of them past their start; %d events acknowledged before, 0 after", routers, whileServing, len(ids))
}

// acknowledgedAfterAFailedFlush is how many answers with 200 a trace shows behind a flush that failed. That of the
// directory alone counts for nothing while events are taken: it was flushed before, and SQLite does so only once more.
func acknowledgedAfterAFailedFlush(t *testing.T, trace, dir string) (answers int) {
	t.Helper()
	text, err := os.ReadFile(trace)
	if err != nil {
		t.Fatal(err)
	}
	flushed := regexp.MustCompile(`^(\d+) +f(?:data)?sync\(\d+<([^>]*)>`)
	under, failed := map[string]string{}, false // by thread, what it flushes
	for line := range strings.Lines(string(text)) {
		thread, _, _ := strings.Cut(line, " ")
		if call := flushed.FindStringSubmatch(line); call != nil {
			under[thread] = call[2]
		}
		switch {
		case strings.Contains(line, "(INJECTED)"):
			failed = failed || under[thread] != dir
		case failed && strings.Contains(line, `"HTTP/1.1 200`):
			answers++
		}
	}
	if !strings.Contains(string(text), "(INJECTED)") {
		t.Fatalf("no flush failed:\n%s", text)
	}
	return answers
}

// F14: killed at any write or flush of making a store, the router makes it the next time.
func TestAStoreWhoseMakingWasKilledIsMadeByTheNextStart(t *testing.T) {
	t.Parallel()
	kills := 0
	for n := 1; ; n += sized(7, 1) {
		dir := t.TempDir()
		ledgerRules(t, dir, "http://127.0.0.1:9", "standard", "500")
		const calls = "pwrite64,fsync,fdatasync,ftruncate,unlink"
		injection := fmt.Sprintf("%s:signal=KILL:when=%d", calls, n)
		killed := launchDaemon(t, dir, nil, underTrace(t, filepath.Join(dir, "trace"), calls, injection), "--rules", "rules.yaml")
		if killed.started() {
			killed.kill()
			break
		}
		if code := killed.exited(); code != -1 {
			t.Fatalf("the router ended with %d, and was to be killed; its log:\n%s", code, killed.logged())
		}
		kills++
		restarted := startDaemon(t, dir, nil, "--rules", "rules.yaml")
		restarted.post(expense("entry-1", "100"))
		restarted.halt()
		balanced(t, beside(t, dir))
	}
	if kills < 5 {
		t.Errorf("only %d kills came before the store was made", kills)
	}
	t.Logf("%d kills, 0 stores that could not be made", kills)
}
