package store_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/peanuts-router/peanuts-router/store"
)

func TestAClosedStoreHasNoFileOpen(t *testing.T) {
	dir := t.TempDir()
	s := open(t, store.Config{Path: filepath.Join(dir, "router.db")})
	if _, err := s.Accept(t.Context(), acceptance(1, time.Now(), "ledger")); err != nil {
		t.Fatal(err)
	}
	if _, _, err := s.Events(t.Context(), store.Page{}); err != nil {
		t.Fatal(err)
	}
	if len(openBelow(t, dir)) == 0 {
		t.Error("an open store has no file open: the test looks in the wrong place")
	}
	shut(t, s)
	if left := openBelow(t, dir); len(left) > 0 {
		t.Errorf("after Close() are still open: %q", left)
	}
}

// openBelow are the files below a directory that this process has open.
func openBelow(t *testing.T, dir string) (files []string) {
	t.Helper()
	const descriptors = "/proc/self/fd"
	entries, err := os.ReadDir(descriptors)
	if err != nil {
		t.Skipf("this system does not tell which files are open: %v", err)
	}
	for _, entry := range entries {
		file, err := os.Readlink(filepath.Join(descriptors, entry.Name()))
		if err == nil && strings.HasPrefix(file, dir) {
			files = append(files, file)
		}
	}
	return files
}
