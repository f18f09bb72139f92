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
		events = 400
		page   = 2 * time.Millisecond // that the disk takes for a page of the file; the log it takes at once
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
	send, slowest := d.sender(30*time.Second), time.Duration(0)
	for n := range events {
		body := expense(fmt.Sprint("entry-", n), "100") + strings.Repeat(" ", 64<<10)
		began := time.Now()
		if _, err := send(body); err != nil {
			t.Fatalf("event %d: %v", n, err)
		}
		slowest = max(slowest, time.Since(began))
	}
	d.kill()
	text, err := os.ReadFile(trace)
	if err != nil {
		t.Fatal(err)
	}
	copying := time.Duration(strings.Count(string(text), "(DELAYED)")) * page
	if copying < 2*time.Second {
		t.Fatalf("the copying took %s, which shows nothing", copying)
	}
	if slowest > copying/4 {
		t.Errorf("an event waited %s while copying the log took %s", slowest, copying)
	}
	t.Logf("the slowest of %d answers took %s while the log was copied for %s", events, slowest, copying)
}
