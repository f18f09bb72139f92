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
	made := copied(t, trace) // of the store itself
	send, slowest, events := d.sender(30*time.Second), time.Duration(0), 0
	for ; page*time.Duration(copied(t, trace)-made) < enough; events++ {
		if events == 2000 { // 130 MB
			t.Fatal("the log is not copied")
		}
		began := time.Now()
		if _, err := send(expense(fmt.Sprint("entry-", events), "100") + strings.Repeat(" ", 64<<10)); err != nil {
			t.Fatalf("event %d: %v", events, err)
		}
		slowest = max(slowest, time.Since(began))
	}
	d.kill()
	if slowest > enough/4 {
		t.Errorf("an event waited %s while copying the log took %s", slowest, enough)
	}
	t.Logf("the slowest of %d answers took %s while the log was copied for %s", events, slowest, enough)
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
