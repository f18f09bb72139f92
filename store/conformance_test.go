package store_test

import (
	"path/filepath"
	"testing"

	"github.com/peanuts-router/peanuts-router/store"
	"github.com/peanuts-router/peanuts-router/store/storetest"
)

func TestSQLiteKeepsThePromises(t *testing.T) {
	storetest.Run(t, func(t *testing.T) storetest.Store { return open(t, store.Config{}) })
}

// open makes a store; whoever asked for it closes it.
func open(t testing.TB, c store.Config) *store.Store {
	t.Helper()
	if c.Path == "" {
		c.Path = filepath.Join(t.TempDir(), "router.db")
	}
	s, err := store.Open(t.Context(), c)
	if err != nil {
		t.Fatalf("Open(%s) = %v", c.Path, err)
	}
	return s
}
