package main

import (
	"fmt"
	"testing"
	"time"
)

func TestWhichChangesConcernTheRules(t *testing.T) {
	dir := t.TempDir()
	file := dir + "/rules.yaml"
	for _, c := range []struct {
		path, changed string
		want          bool
	}{
		{file, dir + "/rules.yaml", true},
		{file, dir + "/other.yaml", false},
		{file, dir + "/router.db-wal", false},
		{file, dir + "/.rules.yaml.swp", false},
		{file, dir + "/..data", true},
		{file, dir + "/..2026_11_24", true},
		{dir, dir + "/other.yaml", true},
		{dir, dir + "/router.db", false},
		{dir, dir + "/..data", true},
	} {
		if got := concerns(c.path, directoryOf(c.path), c.changed); got != c.want {
			t.Errorf("concerns(%s, %s) = %t", c.path, c.changed, got)
		}
	}
}

// C15, R33: an edit is read while events keep coming, though the store lies beside the rules and changes without end.
func TestAnEditIsPickedUpWhileEventsKeepComing(t *testing.T) {
	dir := t.TempDir()
	ledger := startTarget(t, always(200))
	ledgerRules(t, dir, ledger.URL, "peanuts", "500")
	d := startDaemon(t, dir, nil, "--rules", "rules.yaml")
	stop, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		for n := 0; ; n++ {
			select {
			case <-stop:
				return
			default:
				d.post(expense(fmt.Sprint("entry-", n), "1"))
			}
		}
	}()
	defer func() { close(stop); <-ended }()
	d.await("the first event", func(line map[string]any) bool { return line["msg"] == "event" })
	ledgerRules(t, dir, ledger.URL, "peanuts", "100")
	edited := time.Now()
	d.await("the reload", func(line map[string]any) bool { return line["msg"] == "rules reloaded" })
	if took := time.Since(edited); took > rereadEvery/2 {
		t.Errorf("the edit was read after %v, by the net below the watch", took)
	}
}
