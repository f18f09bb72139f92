package main

import (
	"fmt"
	"strings"
	"sync"
	"testing"
)

// C1: a backup that is made while events keep coming holds all that was acknowledged before it began. A daemon goes on with
// it: what was owed is delivered, by the same keys, and what it knows is a duplicate.
func TestABackupUnderLoadHoldsAllThatWasAcknowledgedBefore(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	ledger := startTarget(t, always(0))
	ledgerRules(t, dir, ledger.URL, "standard", "500")
	d := startDaemon(t, dir, nil, "--rules", "rules.yaml")
	const before, workers = 100, 4
	ids := map[string]string{} // by body
	for n := range before {
		body := expense(fmt.Sprint("entry-", n), "501")
		ids[body] = d.post(body).ID
	}
	stop := make(chan struct{})
	var coming sync.WaitGroup
	for worker := range workers {
		coming.Go(func() {
			for n := 0; ; n++ {
				select {
				case <-stop:
					return
				default:
					d.post(expense(fmt.Sprint("later-", worker, "-", n), "1"))
				}
			}
		})
	}
	told := command(t, dir, "backup", "copy.db")
	close(stop)
	coming.Wait()
	d.kill()
	if !strings.Contains(told, "its books balance") {
		t.Errorf("backup printed %q", told)
	}

	ledger = startTarget(t, always(200)) // the one before may hear of the first daemon yet
	ledgerRules(t, dir, ledger.URL, "standard", "500")
	restored := startDaemon(t, dir, nil, "--rules", "rules.yaml", "--store", "copy.db")
	owed := map[string]bool{}
	for body, id := range ids {
		owed[id+"-1"] = true
		if again := restored.post(body); !again.Duplicate || again.ID != id {
			t.Errorf("what was acknowledged before the backup, posted again: %+v, want a duplicate of %s", again, id)
		}
	}
	owed[restored.post(expense("fresh", "502")).ID+"-1"] = true
	for len(owed) > 0 {
		call := ledger.next(t)
		if !owed[call.key] {
			t.Errorf("the restored daemon sent %s, which it does not owe", call.key)
		}
		delete(owed, call.key)
	}
}
