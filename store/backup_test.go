package store_test

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/peanuts-router/peanuts-router/store"
)

func TestABackupIsTheStoreAsItWas(t *testing.T) {
	path := filepath.Join(t.TempDir(), "router.db")
	daemon := open(t, store.Config{Path: path})
	defer shut(t, daemon)
	keepBooks(t, daemon, "00000000-0000-7000-8000-000000000001", "00000000-0000-7000-8000-000000000002")
	command := open(t, store.Config{Path: path, Beside: true})
	defer shut(t, command)
	to := filepath.Join(t.TempDir(), "it's a copy?.db")
	audit, err := command.Backup(t.Context(), to)
	if err != nil {
		t.Fatalf("Backup() = %v", err)
	}
	if diff := cmp.Diff(check(t, daemon), audit); diff != "" {
		t.Errorf("the copy holds (-store +copy):\n%s", diff)
	}
	if info, err := os.Stat(to); err != nil || info.Mode() != 0o600 {
		t.Errorf("the copy: %v, %v; want a file of mode 0600", info.Mode(), err)
	}
	wantFiles(t, filepath.Dir(to), "it's a copy?.db")
	if _, err := daemon.Accept(t.Context(), acceptance(1, time.Now())); err != nil {
		t.Errorf("Accept() after a backup = %v", err)
	}
	restored := open(t, store.Config{Path: to})
	defer shut(t, restored)
	if got := check(t, restored); len(got.Discrepancies) > 0 || got.Looked[0].Count != 2 {
		t.Errorf("Check() of what was restored = %+v; want two events", got)
	}
}

func TestABackupThatFailsLeavesNothing(t *testing.T) {
	ended, end := context.WithCancel(t.Context())
	end()
	for name, test := range map[string]struct {
		ctx   context.Context
		spoil string
		there bool
		want  string
	}{
		"a file that is there":          {ctx: t.Context(), there: true, want: "overwrites nothing"},
		"one that was interrupted":      {ctx: ended, want: context.Canceled.Error()},
		"books that do not balance":     {ctx: t.Context(), spoil: `UPDATE totals SET count = 7`, want: "a total is what the contributions add up to: run check on the store"},
		"no store of this program":      {ctx: t.Context(), spoil: `DROP TABLE goose_db_version`, want: "another program's database"},
		"a store that cannot be copied": {ctx: t.Context(), spoil: `PRAGMA writable_schema = ON; UPDATE sqlite_schema SET rootpage = 9999 WHERE name = 'events'`, want: "malformed"},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "router.db")
			s := open(t, store.Config{Path: path})
			defer func() { _ = s.Close() }() // one of them is broken
			keepBooks(t, s, "00000000-0000-7000-8000-000000000001", "00000000-0000-7000-8000-000000000002")
			if test.spoil != "" {
				must(t, raw(t, path), test.spoil)
			}
			to, want := filepath.Join(t.TempDir(), "copy.db"), []string(nil)
			if test.there {
				writeFile(t, to, "precious")
				want = []string{"copy.db"}
			}
			_, err := s.Backup(test.ctx, to)
			if err == nil || !strings.Contains(err.Error(), test.want) || !strings.Contains(err.Error(), to) || errors.Is(err, fs.ErrExist) != test.there {
				t.Errorf("Backup() = %v; want an error of %q that names the file", err, test.want)
			}
			wantFiles(t, filepath.Dir(to), want...)
			if text, err := os.ReadFile(to); test.there && (err != nil || string(text) != "precious") {
				t.Errorf("what was there is %q, %v now", text, err)
			}
		})
	}
}

// wantFiles holds that a directory has these files and no others.
func wantFiles(t *testing.T, directory string, want ...string) {
	t.Helper()
	entries, err := os.ReadDir(directory)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, entry := range entries {
		got = append(got, entry.Name())
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("files (-want +got):\n%s", diff)
	}
}
