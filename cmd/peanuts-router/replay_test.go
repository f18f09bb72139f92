package main

import (
	"bytes"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/peanuts-router/peanuts-router/engine"
	"github.com/peanuts-router/peanuts-router/peanuts"
	"github.com/peanuts-router/peanuts-router/store"
)

// buryMany makes a store with an event of so many dead letters, or adds it to one beside its daemon.
func buryMany(t *testing.T, config store.Config, entry string, dead int) {
	t.Helper()
	s, err := store.Open(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	event, err := peanuts.Parse([]byte(expense(entry, "1")))
	if err != nil {
		t.Fatal(err)
	}
	id, err := uuid.NewV7()
	if err != nil {
		t.Fatal(err)
	}
	_, err = s.Accept(t.Context(), &engine.Acceptance{ID: engine.EventID(id.String()), ReceivedAt: time.Now(), Event: event, Judge: func(engine.Known) (j engine.Judgement) {
		for range dead {
			j.Owed = append(j.Owed, engine.Owed{Rule: "every", Action: "ledger", Kind: engine.KindHTTP, Message: []byte(`{"body":"x"}`), Dead: "404 Not Found"})
		}
		return j
	}})
	if err != nil {
		t.Fatal(err)
	}
}

// killReplay begins a replay of all dead letters, and kills it once some are replayed. It tells whether that came before its end.
func killReplay(t *testing.T, dir string, left func() int) bool {
	t.Helper()
	before := left()
	var said bytes.Buffer
	cmd := exec.Command(os.Args[0], "dead-letters", "replay", "--all", "--yes")
	cmd.Dir, cmd.Env, cmd.Stderr = dir, append(os.Environ(), asRouter+"=1"), &said
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	for left() == before {
		select {
		case err := <-ended:
			if err != nil {
				t.Fatalf("a replay that nobody killed ended with %v and said %s", err, said.String())
			}
			return false
		default:
		}
	}
	_ = cmd.Process.Kill()
	return <-ended != nil
}

// C13: a command that writes waits for its turn for longer than a daemon lets anybody wait: beside a busy one it is long in coming.
func TestACommandWaitsLongForItsTurnToWrite(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	buryMany(t, store.Config{Path: filepath.Join(dir, "router.db")}, "entry-1", 1)
	release := lockStore(t, dir)
	defer time.AfterFunc(7*time.Second, release).Stop()
	if told := command(t, dir, "dead-letters", "replay", "--all", "--yes"); told != "1 dead letter replayed.\n" {
		t.Errorf("dead-letters replay printed %q", told)
	}
}

// F48, C13: a replay of many dead letters that is killed ten times, beside a daemon that delivers them, loses none and sends none
// twice.
func TestAReplayKilledTenTimesLosesAndRepeatsNothing(t *testing.T) {
	t.Parallel()
	const kills = 10
	dead, dir := sized(5_000, 10_000), t.TempDir()
	path := filepath.Join(dir, "router.db")
	buryMany(t, store.Config{Path: path}, "entry-1", dead)
	var mu sync.Mutex
	arrived := map[string]int{}
	target := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		arrived[r.Header.Get("Idempotency-Key")]++
	}))
	defer target.Close()
	ledgerRules(t, dir, target.URL, "standard", "0")
	total, d := dead, startDaemon(t, dir, nil, "--rules", "rules.yaml")
	left := func() int {
		metrics, err := d.scrape()
		n, wrong := strconv.Atoi(metrics[`deliveries{state="dead"}`])
		if err != nil || wrong != nil {
			t.Fatal(err, wrong)
		}
		return n
	}
	killed, replays := 0, 0
	for replays < kills || killed == 0 {
		if replays == 5*kills {
			t.Fatal("no replay was killed before it had ended")
		}
		if left() == 0 {
			if killed > 0 {
				break
			}
			buryMany(t, store.Config{Path: path, Beside: true, BusyTimeout: patience}, fmt.Sprint("entry-", replays), dead) // the kill came too late
			total += dead
		}
		replays++
		if killReplay(t, dir, left) && left() > 0 {
			killed++
		}
	}
	command(t, dir, "dead-letters", "replay", "--all", "--yes")
	d.settles()
	mu.Lock()
	defer mu.Unlock()
	twice := 0
	for _, times := range arrived {
		twice += times - 1
	}
	if n := left(); n > 0 || len(arrived) != total || twice > 0 {
		t.Errorf("of %d dead letters %d arrived, %d of them again, and %d are dead still", total, len(arrived), twice, n)
	}
	t.Logf("%d dead letters, %d replays killed under way", total, killed)
}
