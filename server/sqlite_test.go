package server

import (
	"net/http"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/peanuts-router/peanuts-router/store"
)

func openStore(t testing.TB) *store.Store {
	t.Helper()
	s, err := store.Open(t.Context(), store.Config{Path: filepath.Join(t.TempDir(), "router.db")})
	if err != nil {
		t.Fatalf("opening a store: %v", err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("closing the store: %v", err)
		}
	})
	return s
}

func TestFiftyEqualBodiesAtOnceAreOneEventInSQLite(t *testing.T) { // C9, F45, with the real store
	s := openStore(t)
	d := openDoor(t, func(c *Config) { c.Store, c.Judge = s, judgeFunc(owing) })
	var wg sync.WaitGroup
	answers := make([]answer, 50)
	for i := range answers {
		wg.Go(func() { answers[i] = d.post(t, "/webhook", []byte(flight)) })
	}
	wg.Wait()
	events, _, err := s.Events(t.Context(), store.Page{})
	if err != nil || len(events) != 1 || events[0].Duplicates != 49 || len(events[0].Deliveries) != 4 {
		t.Fatalf("after 50 equal bodies the store has %+v, %v, want one event with 49 duplicates and 4 deliveries", events, err)
	}
	for _, a := range answers {
		if a.status != http.StatusOK || !strings.Contains(a.text, string(events[0].ID)) {
			t.Errorf("answer to one of 50 equal bodies: %d %s, want 200 and %s", a.status, a.text, events[0].ID)
		}
	}
}
