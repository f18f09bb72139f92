package store

import (
	"slices"
	"testing"
)

// C8, F26: however many results wait to be recorded, an event waits for few of them.
func TestEventsGoBeforeTheRest(t *testing.T) {
	const results = 3 * restLimit
	q := queues{events: make(chan *write, 2), rest: make(chan *write, results)}
	for range results {
		q.rest <- &write{}
	}
	first, second := &write{}, &write{}
	q.events <- first
	q.events <- second
	group, _ := q.gather()
	// What was waited for may be of either queue.
	if at := slices.Index(group, second); at < 0 || at > 2 || len(group) > 2+restLimit+1 {
		t.Errorf("of %d writes an event is number %d; want it among the first 3, and up to %d results", len(group), at, restLimit+1)
	}
	for all := len(group); all < 2+results; all += len(group) {
		if group, _ = q.gather(); len(group) == 0 || len(group) > restLimit+1 {
			t.Fatalf("gather() = %d writes after %d; want up to %d", len(group), all, restLimit+1)
		}
	}
}

func TestTheRestIsWrittenHoweverManyEventsCome(t *testing.T) {
	q := queues{events: make(chan *write, 2*eventLimit), rest: make(chan *write, 1)}
	for range 2 * eventLimit {
		q.events <- &write{}
	}
	result := &write{}
	q.rest <- result
	if group, _ := q.gather(); !slices.Contains(group, result) || len(group) > eventLimit+2 {
		t.Errorf("gather() = %d writes; want up to %d, the result among them", len(group), eventLimit+2)
	}
}

func TestGatheringEndsWithBothQueues(t *testing.T) {
	q := queues{events: make(chan *write, 1), rest: make(chan *write, 3)}
	q.rest <- &write{}
	taken := &write{}
	taken.taken.Store(true) // back by its caller
	q.rest <- taken
	last := &write{then: func() {}}
	q.rest <- last
	close(q.events)
	if group, ok := q.gather(); !ok || len(group) != 2 || group[1] != last {
		t.Errorf("gather() = %d writes, %t; want those that were not taken back", len(group), ok)
	}
	q.rest <- &write{then: func() {}}
	q.rest <- &write{}
	close(q.rest)
	for range 2 {
		if group, ok := q.gather(); !ok || len(group) != 1 {
			t.Errorf("gather() = %d writes, %t; want one alone: what follows from it comes before the next", len(group), ok)
		}
	}
	if group, ok := q.gather(); ok {
		t.Errorf("gather() = %d writes after both queues ended", len(group))
	}
}
