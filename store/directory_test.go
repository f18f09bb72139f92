package store_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/peanuts-router/peanuts-router/store"
)

// That the names are flushed is shown by images of power losses (internal/powerloss, F6).
func TestAStoreMakesTheDirectoriesThatItLiesIn(t *testing.T) { // A42
	base := t.TempDir()
	path := filepath.Join(base, "a", "b", "router.db")
	shut(t, open(t, store.Config{Path: path}))
	for _, made := range []string{filepath.Join(base, "a"), filepath.Join(base, "a", "b")} {
		if info, err := os.Stat(made); err != nil || info.Mode().Perm() != 0o700 {
			t.Errorf("Stat(%s) = %v, %v; want a directory of the owner's alone", made, info, err)
		}
	}
	shut(t, open(t, store.Config{Path: path})) // they are there now
	file := filepath.Join(base, "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if s, err := store.Open(t.Context(), store.Config{Path: filepath.Join(file, "below", "router.db")}); err == nil {
		shut(t, s)
		t.Error("Open() of a store below a file = nil, want an error")
	}
}
