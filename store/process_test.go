package store_test

import (
	"errors"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/peanuts-router/peanuts-router/engine"
	"github.com/peanuts-router/peanuts-router/store"
)

func TestOneDaemonHoldsAStore(t *testing.T) {
	path := filepath.Join(t.TempDir(), "router.db")
	holder := start(t, "hold", path)
	if got := holder.line(t); got != "held" {
		t.Fatalf("the child says %q", got)
	}
	if _, err := store.Open(t.Context(), store.Config{Path: path}); !errors.Is(err, store.ErrLocked) || !strings.Contains(err.Error(), path) {
		t.Errorf("Open() beside another daemon = %v; want ErrLocked and the path", err)
	}
	beside, err := store.Open(t.Context(), store.Config{Path: path, Beside: true})
	if err != nil {
		t.Fatalf("Open() of a command beside a daemon = %v", err)
	}
	if _, err := beside.Accept(t.Context(), acceptance(1, time.Now(), "ledger")); err != nil {
		t.Errorf("a write of a command beside a daemon = %v", err)
	}
	shut(t, beside)
	holder.kill(t)
	s := open(t, store.Config{Path: path})
	defer shut(t, s)
	if events, _, err := s.Events(t.Context(), store.Page{}); err != nil || len(events) != 1 {
		t.Errorf("Events() after the daemon was killed = %d, %v; want what the command wrote", len(events), err)
	}
}

func TestNothingAcknowledgedIsLostWhenTheProcessIsKilled(t *testing.T) { // C1, F1, R92
	path := filepath.Join(t.TempDir(), "router.db")
	var acknowledged []string
	for range 5 {
		loader := start(t, "load", path)
		for range 50 + rand.IntN(400) {
			acknowledged = append(acknowledged, loader.line(t))
		}
		acknowledged = append(acknowledged, loader.kill(t)...)
	}
	s := open(t, store.Config{Path: path})
	defer shut(t, s)
	for _, line := range acknowledged {
		id := engine.EventID(strings.TrimPrefix(line, "+"))
		event, err := s.Event(t.Context(), id)
		if err != nil || len(event.Deliveries) != 2 {
			t.Fatalf("Event(%s), which was acknowledged = %d deliveries, %v; want 2", id, len(event.Deliveries), err)
		}
		for _, d := range event.Deliveries {
			if d.State != engine.Pending && d.State != engine.Delivered {
				t.Errorf("%s is %s after a restart; want pending or delivered", d.ID, d.State)
			}
		}
		if strings.HasPrefix(line, "+") && event.Deliveries[0].State != engine.Delivered {
			t.Errorf("%s was settled as delivered and is %s", event.Deliveries[0].ID, event.Deliveries[0].State)
		}
	}
	intact(t, path)
}

func TestNothingIsAcknowledgedAfterAWriteFailed(t *testing.T) { // C17, F7
	path := filepath.Join(t.TempDir(), "router.db")
	starved := start(t, "starve", path)
	var acknowledged []engine.EventID
	for line := starved.line(t); line != "broken"; line = starved.line(t) {
		if strings.HasPrefix(line, "error") {
			t.Fatal(line)
		}
		acknowledged = append(acknowledged, engine.EventID(line))
	}
	if err := starved.Wait(); err != nil {
		t.Fatal(err)
	}
	s := open(t, store.Config{Path: path})
	defer shut(t, s)
	for _, id := range acknowledged {
		if _, err := s.Event(t.Context(), id); err != nil {
			t.Errorf("Event(%s), which was acknowledged = %v", id, err)
		}
	}
	if len(acknowledged) == 0 {
		t.Error("nothing was acknowledged before the write failed")
	}
	intact(t, path)
}

// intact has SQLite look through the whole file.
func intact(t *testing.T, path string) {
	t.Helper()
	var verdict string
	if err := raw(t, path).QueryRowContext(t.Context(), `PRAGMA integrity_check`).Scan(&verdict); err != nil || verdict != "ok" {
		t.Errorf("integrity_check = %q, %v", verdict, err)
	}
}

func TestARestartFreesTheLeasesOfTheDaemonBefore(t *testing.T) { // C18
	path := filepath.Join(t.TempDir(), "router.db")
	now := time.Now().Add(time.Hour)
	s := open(t, store.Config{Path: path})
	a := acceptance(1, now, "ledger")
	leaseFirst(a)
	if _, err := s.Accept(t.Context(), a); err != nil {
		t.Fatal(err)
	}
	command, err := store.Open(t.Context(), store.Config{Path: path, Beside: true})
	if err != nil {
		t.Fatal(err)
	}
	if leases, err := command.Lease(t.Context(), "ledger", 1, now, now.Add(time.Minute)); err != nil || len(leases) > 0 {
		t.Errorf("Lease() after a command opened the store = %d, %v; want none: the daemon's leases are not its own to free", len(leases), err)
	}
	shut(t, command)
	shut(t, s)
	s = open(t, store.Config{Path: path})
	defer shut(t, s)
	leases, err := s.Lease(t.Context(), "ledger", 1, now, now.Add(time.Minute))
	if err != nil || len(leases) != 1 || leases[0].Generation != 2 {
		t.Errorf("Lease() after a restart = %+v, %v; want the delivery with generation 2", leases, err)
	}
}

func TestFilesAreTheOwnersAlone(t *testing.T) { // A42
	old := syscall.Umask(0)
	defer syscall.Umask(old)
	dir := filepath.Join(t.TempDir(), "state")
	if err := os.Mkdir(dir, 0o750); err != nil {
		t.Fatal(err)
	}
	s := open(t, store.Config{Path: filepath.Join(dir, "router.db")})
	defer shut(t, s)
	if _, err := s.Accept(t.Context(), acceptance(1, time.Now(), "ledger")); err != nil {
		t.Fatal(err)
	}
	got := map[string]fs.FileMode{}
	for _, name := range []string{".", "router.db", "router.db-wal", "router.db-shm", "router.db.lock"} {
		info, err := os.Stat(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		got[name] = info.Mode().Perm()
	}
	want := map[string]fs.FileMode{".": 0o750, "router.db": 0o600, "router.db-wal": 0o600, "router.db-shm": 0o600, "router.db.lock": 0o600}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("modes:\n%s", diff)
	}
}

func TestAPathIsTakenAsItIs(t *testing.T) {
	for _, name := range []string{"with space.db", "a?mode=ro&x=1.db", "100%25.db", "#1.db", "ü.db"} {
		path := filepath.Join(t.TempDir(), name)
		shut(t, open(t, store.Config{Path: path}))
		if info, err := os.Stat(path); err != nil || info.Size() == 0 {
			t.Errorf("Open(%q) made no store there: %v", name, err)
		}
	}
}
