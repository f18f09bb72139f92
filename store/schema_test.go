package store_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/peanuts-router/peanuts-router/store"
)

func TestMigrationsRunOnce(t *testing.T) { // F14
	path := filepath.Join(t.TempDir(), "router.db")
	var schemas []string
	for range 3 {
		shut(t, open(t, store.Config{Path: path}))
		var schema string
		const all = `SELECT group_concat(sql, ';') || (SELECT count(*) FROM goose_db_version) FROM sqlite_schema`
		if err := raw(t, path).QueryRowContext(t.Context(), all).Scan(&schema); err != nil {
			t.Fatal(err)
		}
		if schemas = append(schemas, schema); schema != schemas[0] {
			t.Errorf("the schema after a restart:\n%s\nwant\n%s", schema, schemas[0])
		}
	}
}

func TestAMigrationThatWasKilledIsTakenAgain(t *testing.T) { // F14
	path := filepath.Join(t.TempDir(), "router.db")
	shut(t, open(t, store.Config{Path: path}))
	other := raw(t, path)
	// What stays of a first start that was killed before its first step was committed.
	for _, table := range []string{"totals", "contributions", "stats", "claims", "synced", "entries", "holds", "attempts", "deliveries", "events"} {
		must(t, other, `DROP TABLE `+table)
	}
	must(t, other, `DELETE FROM goose_db_version WHERE version_id > 0`)
	s := open(t, store.Config{Path: path})
	defer shut(t, s)
	if _, err := s.Accept(t.Context(), acceptance(1, time.Now(), "ledger")); err != nil {
		t.Errorf("Accept() after a migration that was taken again = %v", err)
	}
}

func TestAStoreOfAnotherVersionIsRefused(t *testing.T) {
	newer := filepath.Join(t.TempDir(), "newer.db")
	shut(t, open(t, store.Config{Path: newer}))
	must(t, raw(t, newer), `INSERT INTO goose_db_version (version_id, is_applied) VALUES (999, 1)`)
	older := filepath.Join(t.TempDir(), "older.db")
	writeFile(t, older, "")
	for _, test := range []struct {
		config store.Config
		want   []string
	}{
		{store.Config{Path: newer}, []string{newer, "999", "newer"}},
		{store.Config{Path: newer, Beside: true}, []string{newer, "999", "newer"}},
		{store.Config{Path: older, Beside: true}, []string{older, "older", "start the daemon"}},
	} {
		s, err := store.Open(t.Context(), test.config)
		if err == nil {
			shut(t, s)
			t.Errorf("Open(%+v) went well", test.config)
			continue
		}
		for _, want := range test.want {
			if !strings.Contains(err.Error(), want) {
				t.Errorf("Open(%+v) = %v; want it to say %q", test.config, err, want)
			}
		}
	}
	if info, err := os.Stat(older); err != nil || info.Size() != 0 {
		t.Errorf("a command changed a store that it refused: %d bytes, %v", info.Size(), err)
	}
}

func TestACommandMakesNoStore(t *testing.T) {
	path := filepath.Join(t.TempDir(), "router.db")
	if _, err := store.Open(t.Context(), store.Config{Path: path, Beside: true}); !errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), path) {
		t.Errorf("Open() of what is not there = %v; want that and the path", err)
	}
	if left, err := filepath.Glob(path + "*"); err != nil || len(left) > 0 {
		t.Errorf("Open() left %v, %v; want nothing", left, err)
	}
}
