package storetest

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/peanuts-router/peanuts-router/engine"
	"github.com/peanuts-router/peanuts-router/store"
)

func noMoves() store.Moves {
	return store.Moves{Ended: map[engine.State]int64{engine.Delivered: 0, engine.Dead: 0, engine.Cancelled: 0, engine.Discarded: 0, engine.Shadow: 0}}
}

// movesAddUp holds that what moved through a store since it was empty is what stands in it. Nothing was brought back to it.
func movesAddUp(t testing.TB, s Store) {
	t.Helper()
	audit, err := s.Check(t.Context())
	if err != nil {
		t.Fatalf("Check() = %v", err)
	}
	want := noMoves()
	want.Owed = int64(audit.Balance.Deliveries)
	for state := range want.Ended {
		want.Ended[state] = int64(audit.Balance.States[state])
	}
	if diff := cmp.Diff(want, s.Moves()); diff != "" {
		t.Errorf("Moves() (-what stands in the store +got):\n%s", diff)
	}
}

// moved notes what the last call has brought to its end.
func (m *model) moved() {
	m.moves.Owed = int64(len(m.order))
	for id, d := range m.owed {
		if _, ends := m.moves.Ended[d.State]; ends && m.stood[id] != d.State {
			m.moves.Ended[d.State]++
		}
		m.stood[id] = d.State
	}
}
