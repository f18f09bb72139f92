package store

import (
	"sync/atomic"

	"github.com/peanuts-router/peanuts-router/engine"
)

// Moves are how many deliveries came to be owed, and came to an end, by what was committed through this Store since it was
// opened. What others do to the file is not among it.
type Moves struct {
	Owed  int64
	Ended map[engine.State]int64
}

// ends are the states that the courier leaves alone.
var ends = [...]engine.State{engine.Delivered, engine.Dead, engine.Cancelled, engine.Discarded, engine.Shadow}

// moves are those of one transaction. They count once it is committed.
type moves struct {
	owed  int64
	ended [len(ends)]int64
}

// come notes that deliveries came to a state; only ends are counted.
func (m *moves) come(to engine.State, n int64) {
	for i, state := range ends {
		if state == to {
			m.ended[i] += n
		}
	}
}

// movedTotals add up the moves of all transactions.
type movedTotals struct {
	owed  atomic.Int64
	ended [len(ends)]atomic.Int64
}

func (t *movedTotals) add(m *moves) {
	t.owed.Add(m.owed)
	for i := range m.ended {
		t.ended[i].Add(m.ended[i])
	}
}

// Moves tells what has moved since the store was opened.
func (s *Store) Moves() Moves {
	moved := Moves{Owed: s.writer.moved.owed.Load(), Ended: map[engine.State]int64{}}
	for i, state := range ends {
		moved.Ended[state] = s.writer.moved.ended[i].Load()
	}
	return moved
}
