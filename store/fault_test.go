package store_test

import (
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/peanuts-router/peanuts-router/store"
)

func TestAFullDiskPassesByItself(t *testing.T) { // C17, F8
	s := open(t, store.Config{})
	defer shut(t, s)
	if err := s.Exec(t.Context(), `PRAGMA max_page_count = 1`); err != nil { // which means: as large as it is
		t.Fatal(err)
	}
	stored := 0
	var refused error
	for ; refused == nil && stored < 10_000; stored++ {
		_, refused = s.Accept(t.Context(), acceptance(stored, time.Now(), "ledger"))
	}
	if !errors.Is(refused, store.ErrUnavailable) {
		t.Fatalf("Accept() on a full disk = %v; want ErrUnavailable", refused)
	}
	if s.Err() != nil {
		t.Errorf("Err() on a full disk = %v; want nil: it passes", s.Err())
	}
	if err := s.Exec(t.Context(), `PRAGMA max_page_count = 1000000`); err != nil {
		t.Fatal(err)
	}
	receipt, err := s.Accept(t.Context(), acceptance(stored-1, time.Now(), "ledger"))
	if err != nil || receipt.Duplicate {
		t.Errorf("Accept() of the refused event with room again = %+v, %v; want it stored as new", receipt, err)
	}
}

func TestAnotherWriterIsWaitedForAndThenRefused(t *testing.T) { // C17, F10
	const busy = 50 * time.Millisecond
	path := filepath.Join(t.TempDir(), "router.db")
	s := open(t, store.Config{Path: path, BusyTimeout: busy})
	defer shut(t, s)
	other := raw(t, path)
	must(t, other, `BEGIN IMMEDIATE`)
	began := time.Now()
	_, err := s.Accept(t.Context(), acceptance(1, began))
	if took := time.Since(began); !errors.Is(err, store.ErrUnavailable) || took < busy {
		t.Errorf("Accept() beside another writer = %v after %s; want ErrUnavailable after %s", err, took, busy)
	}
	if err := s.Writable(t.Context()); !errors.Is(err, store.ErrUnavailable) {
		t.Errorf("Writable() beside another writer = %v; want ErrUnavailable", err)
	}
	if _, _, err := s.Events(t.Context(), store.Page{}); err != nil {
		t.Errorf("Events() beside another writer = %v; want to read on", err)
	}
	must(t, other, `ROLLBACK`)
	if _, err := s.Accept(t.Context(), acceptance(1, began)); err != nil {
		t.Errorf("Accept() after another writer = %v", err)
	}
}

func TestALongReaderHoldsUpNoWriter(t *testing.T) { // F11
	path := filepath.Join(t.TempDir(), "router.db")
	s := open(t, store.Config{Path: path})
	defer shut(t, s)
	reader := raw(t, path)
	must(t, reader, `BEGIN`)
	must(t, reader, `SELECT count(*) FROM events`)
	write(t, s, 0, 100)
	must(t, reader, `COMMIT`)
	if events, _, err := s.Events(t.Context(), store.Page{Limit: 1000}); err != nil || len(events) != 100 {
		t.Errorf("Events() after a long reader = %d, %v; want 100", len(events), err)
	}
}

func TestTheLogIsCopiedIntoTheFile(t *testing.T) { // F11: it stays bounded
	path := filepath.Join(t.TempDir(), "router.db")
	s := open(t, store.Config{Path: path})
	defer shut(t, s)
	log := func() int64 {
		info, err := os.Stat(path + "-wal")
		if err != nil {
			t.Fatal(err)
		}
		return info.Size()
	}
	// 16 MiB, and what is committed while that is copied: on a busy machine much may be. But a log that is never copied grows by
	// 40 MB each time.
	const limit = 28 << 20
	const each, tries = 2500, 4
	for try := range tries {
		before := log()
		write(t, s, try*each, (try+1)*each)
		if size := log(); size <= max(before, limit) {
			return
		}
	}
	t.Errorf("the log of %d times 40 MB of events has %d bytes and grows; want it to have up to %d, or no more than before", tries, log(), limit)
}

// write accepts events of 16 KB each.
func write(t *testing.T, s *store.Store, from, to int) {
	t.Helper()
	for i := from; i < to; i++ {
		a := acceptance(i, time.Now(), "ledger")
		a.Event.Raw = append(a.Event.Raw, strings.Repeat(" ", 16<<10)...)
		if _, err := s.Accept(t.Context(), a); err != nil {
			t.Fatalf("Accept(%d) = %v", i, err)
		}
	}
}

func TestWhatIsNoStoreIsRefused(t *testing.T) { // F12
	for name, spoil := range map[string]func(*testing.T, string){
		"a header overwritten": func(t *testing.T, path string) { overwrite(t, path, 0, []byte(strings.Repeat("x", 100))) },
		"a text file":          func(t *testing.T, path string) { writeFile(t, path, strings.Repeat("# Notes\n", 1000)) },
	} {
		t.Run(name, func(t *testing.T) {
			path := spoiled(t, spoil)
			for _, beside := range []bool{false, true} {
				s, err := store.Open(t.Context(), store.Config{Path: path, Beside: beside})
				if err == nil {
					shut(t, s)
				}
				if !errors.Is(err, store.ErrBroken) || !strings.Contains(err.Error(), path) || !strings.Contains(err.Error(), "backup") {
					t.Errorf("Open(beside %t) = %v; want ErrBroken, the path, and what to do", beside, err)
				}
			}
		})
	}
}

func TestAStoreWithAHoleIsServedNoMore(t *testing.T) { // C17, F12
	zero := func(t *testing.T, path string) { overwrite(t, path, rootOf(t, path, "events"), make([]byte, 4096)) }
	for name, use := range map[string]func(*testing.T, *store.Store) error{
		"met by a reader": func(t *testing.T, s *store.Store) error {
			_, _, err := s.Events(t.Context(), store.Page{})
			return err
		},
		"met by a writer": func(t *testing.T, s *store.Store) error {
			_, err := s.Accept(t.Context(), acceptance(100, time.Now()))
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := open(t, store.Config{Path: spoiled(t, zero)})
			defer s.Close()
			if err := use(t, s); !errors.Is(err, store.ErrBroken) {
				t.Fatalf("the first use = %v; want ErrBroken", err)
			}
			select {
			case <-s.Failed():
			default:
				t.Error("Failed() is still open")
			}
			if err := s.Err(); !errors.Is(err, store.ErrBroken) {
				t.Errorf("Err() = %v; want ErrBroken", err)
			}
			_, accepting := s.Accept(t.Context(), acceptance(101, time.Now()))
			_, dueing := s.Due(t.Context(), time.Now())
			for call, err := range map[string]error{"Accept()": accepting, "Due()": dueing, "Writable()": s.Writable(t.Context())} {
				if !errors.Is(err, store.ErrBroken) {
					t.Errorf("%s after it = %v; want ErrBroken", call, err)
				}
			}
		})
	}
}

func TestAFileCutShortIsNeverServedAsWhole(t *testing.T) { // F12
	for _, part := range []int64{1, 2, 3} {
		path := spoiled(t, func(t *testing.T, path string) {
			info, err := os.Stat(path)
			if err == nil {
				err = os.Truncate(path, info.Size()*part/4)
			}
			if err != nil {
				t.Fatal(err)
			}
		})
		s, err := store.Open(t.Context(), store.Config{Path: path})
		if err == nil {
			_, _, err = s.Events(t.Context(), store.Page{Limit: 1000})
			_ = s.Close()
		}
		if !errors.Is(err, store.ErrBroken) {
			t.Errorf("a file cut to %d/4 is read with %v; want ErrBroken", part, err)
		}
	}
}

// spoiled is the path of a store with 100 events that was closed and then damaged.
func spoiled(t *testing.T, spoil func(*testing.T, string)) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "router.db")
	s := open(t, store.Config{Path: path})
	for i := range 100 {
		if _, err := s.Accept(t.Context(), acceptance(i, time.Now(), "ledger")); err != nil {
			t.Fatal(err)
		}
	}
	shut(t, s)
	spoil(t, path)
	return path
}

// rootOf is where the first page of a table is in the file.
func rootOf(t *testing.T, path, table string) int64 {
	t.Helper()
	db, err := sql.Open("sqlite", "file:"+path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	var page int64
	if err := db.QueryRow(`SELECT rootpage FROM sqlite_schema WHERE name = ?`, table).Scan(&page); err != nil {
		t.Fatal(err)
	}
	return (page - 1) * 4096
}

func overwrite(t *testing.T, path string, at int64, with []byte) {
	t.Helper()
	file, err := os.OpenFile(path, os.O_RDWR, 0)
	if err == nil {
		_, err = file.WriteAt(with, at)
		err = errors.Join(err, file.Close())
	}
	if err != nil {
		t.Fatal(err)
	}
}

func writeFile(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// raw is one connection of another program.
func raw(t testing.TB, path string) *sql.Conn {
	t.Helper()
	db, err := sql.Open("sqlite", fmt.Sprintf("file:%s?_busy_timeout=60000", path))
	if err != nil {
		t.Fatal(err)
	}
	conn, err := db.Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = errors.Join(conn.Close(), db.Close()) })
	return conn
}

func must(t *testing.T, conn *sql.Conn, text string) {
	t.Helper()
	if _, err := conn.ExecContext(t.Context(), text); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
}
