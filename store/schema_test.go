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
	for _, table := range []string{"kept_rules", "totals", "contributions", "stats", "claims", "synced", "entries", "holds", "alerts", "deaths", "attempts", "deliveries", "replays", "events"} {
		must(t, other, `DROP TABLE `+table)
	}
	must(t, other, `DELETE FROM goose_db_version WHERE version_id > 0`)
	s := open(t, store.Config{Path: path})
	defer shut(t, s)
	if _, err := s.Accept(t.Context(), acceptance(1, time.Now(), "ledger")); err != nil {
		t.Errorf("Accept() after a migration that was taken again = %v", err)
	}
}

func TestNoStoreIsMadeInAnotherProgramsDatabase(t *testing.T) {
	theirs, folder := filepath.Join(t.TempDir(), "expenses.db"), t.TempDir()
	must(t, raw(t, theirs), `CREATE TABLE expenses (external_id TEXT PRIMARY KEY)`)
	before, err := os.ReadFile(theirs)
	if err != nil {
		t.Fatal(err)
	}
	for _, beside := range []bool{false, true} {
		for path, want := range map[string]string{theirs: "it is another program's database, it holds expenses", folder: "it is a directory"} {
			s, err := store.Open(t.Context(), store.Config{Path: path, Beside: beside})
			if err == nil {
				shut(t, s)
			}
			if err == nil || errors.Is(err, store.ErrBroken) || !strings.Contains(err.Error(), path+": "+want) {
				t.Errorf("Open(%s, beside %t) = %v; want %q", path, beside, err, want)
			}
		}
	}
	if after, err := os.ReadFile(theirs); err != nil || string(after) != string(before) {
		t.Errorf("the other program's database was changed (%v)", err)
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

// A schema of which one letter is another has tables read otherwise than they were written (F12).
func TestASchemaThatIsNotAsItWasMadeIsRefused(t *testing.T) {
	path := filepath.Join(t.TempDir(), "router.db")
	shut(t, open(t, store.Config{Path: path}))
	other := raw(t, path)
	must(t, other, `PRAGMA application_id = 0`) // as who made it leaves it when he is killed just then
	for _, beside := range []bool{true, false, false, true} {
		shut(t, open(t, store.Config{Path: path, Beside: beside}))
	}
	must(t, other, `PRAGMA writable_schema = ON`)
	must(t, other, `UPDATE sqlite_schema SET sql = replace(sql, '1048575', '1048577') WHERE name = 'deliveries'`)
	for _, beside := range []bool{true, false} {
		s, err := store.Open(t.Context(), store.Config{Path: path, Beside: beside})
		if err == nil {
			shut(t, s)
		}
		if !errors.Is(err, store.ErrBroken) || !strings.Contains(err.Error(), "schema") {
			t.Errorf("Open(beside %t) with another schema = %v; want ErrBroken", beside, err)
		}
	}
}

// What stands in a column but never fitted it was not written by the store (F12).
func TestAValueThatCannotHaveBeenWrittenBreaksTheStore(t *testing.T) {
	for name, spoil := range map[string]string{
		"a judgement that is no JSON": `UPDATE events SET judgement = '{"fired":['`,
		"a message that is no JSON":   `UPDATE deliveries SET message = '{"json":'`,
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "router.db")
			s := open(t, store.Config{Path: path})
			defer s.Close()
			if _, err := s.Accept(t.Context(), acceptance(1, time.Now(), "ledger")); err != nil {
				t.Fatal(err)
			}
			other := raw(t, path)
			must(t, other, spoil)
			if _, _, err := s.Events(t.Context(), store.Page{}); !errors.Is(err, store.ErrBroken) || s.Err() == nil {
				t.Errorf("Events() = %v; want ErrBroken, and a store that is broken from then on", err)
			}
		})
	}
}
