package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// F11: a disk that is slow to take what is copied from the log into the store's file holds up no event.
func TestNoEventWaitsForTheLogToBeCopied(t *testing.T) {
	const (
		page   = 2 * time.Millisecond // that the disk takes for a page of the file; the log it takes at once
		enough = 2 * time.Second      // of copying
		tries  = 4                    // in which something else may hold up an event on a busy machine; the copying would in each
	)
	dir := t.TempDir()
	ledgerRules(t, dir, "http://127.0.0.1:9", "standard", "500")
	trace := filepath.Join(dir, "trace")
	slow := underTrace(t, trace, "pwrite64", fmt.Sprintf("pwrite64:delay_enter=%d", page.Microseconds()))
	slow = slices.Insert(slow, 1, "-P", filepath.Join(dir, "router.db"))
	d := launchDaemon(t, dir, nil, slow, "--rules", "rules.yaml")
	if !d.started() {
		t.Fatalf("the router did not start; its log:\n%s", d.logged())
	}
	send := d.sender(longEnough)
	// slowest is how long the slowest answer took while the log was copied for a while.
	slowest := func(try int) (slowest time.Duration) {
		before, events := copied(t, trace), 0
		for ; page*time.Duration(copied(t, trace)-before) < enough; events++ {
			if events == 2000 { // 130 MB
				t.Fatal("the log is not copied")
			}
			began := time.Now()
			if _, err := send(expense(fmt.Sprint("entry-", try, "-", events), "100") + strings.Repeat(" ", 64<<10)); err != nil {
				t.Fatalf("event %d: %v", events, err)
			}
			slowest = max(slowest, time.Since(began))
		}
		t.Logf("the slowest of %d answers took %s while the log was copied for %s", events, slowest, enough)
		return slowest
	}
	for try := 1; ; try++ {
		waited := slowest(try)
		if waited <= enough/2 { // which is an eighth of what copying all of the log takes
			break
		}
		if try == tries {
			t.Errorf("an event waited %s while copying the log took %s, and others as long in each of %d tries", waited, enough, tries)
			break
		}
	}
	d.kill()
}

// copied is how many pages a trace shows to have been written slowly.
func copied(t *testing.T, trace string) int {
	t.Helper()
	text, err := os.ReadFile(trace)
	if err != nil {
		t.Fatal(err)
	}
	return strings.Count(string(text), "(DELAYED)")
}
