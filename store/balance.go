package store

import (
	"database/sql"
	"fmt"

	"github.com/peanuts-router/peanuts-router/engine"
)

// Balance is what a store holds, counted by one query. It balances when every event is judged and every delivery is in
// exactly one state.
type Balance struct {
	Events     int                  `json:"events"`
	Judged     int                  `json:"judged"`
	Duplicates int                  `json:"duplicates"` // of events, that were only counted
	Deliveries int                  `json:"deliveries"`
	States     map[engine.State]int `json:"states"`     // nil when they could not be counted
	Attempts   int                  `json:"attempts"`   // that the deliveries count
	Delivering int                  `json:"delivering"` // attempts that are recorded as having delivered
	Failed     int                  `json:"failed"`     // attempts that are recorded as not having delivered
}

const takeBalance = `SELECT e.*, d.*, (SELECT count(*) FROM attempts) FROM
	(SELECT count(*), count(*) FILTER (WHERE generation >= 1), coalesce(sum(duplicates), 0) FROM events) e,
	(SELECT count(*), coalesce(sum(attempts), 0), count(sent_at),
		count(*) FILTER (WHERE state = 'pending'), count(*) FILTER (WHERE state = 'sending'), count(*) FILTER (WHERE state = 'delivered'),
		count(*) FILTER (WHERE state = 'dead'), count(*) FILTER (WHERE state = 'cancelled'), count(*) FILTER (WHERE state = 'discarded'),
		count(*) FILTER (WHERE state = 'shadow') FROM deliveries) d`

// balance counts what is in the store, and holds the sums against each other.
func (a *audit) balance() error {
	b := &a.Balance
	states := [...]engine.State{engine.Pending, engine.Sending, engine.Delivered, engine.Dead, engine.Cancelled, engine.Discarded, engine.Shadow}
	var counts [len(states)]int
	err := a.rows(takeBalance, func(rows *sql.Rows) error {
		into := []any{&b.Events, &b.Judged, &b.Duplicates, &b.Deliveries, &b.Attempts, &b.Delivering}
		for i := range counts {
			into = append(into, &counts[i])
		}
		return rows.Scan(append(into, &b.Failed)...)
	})
	if err != nil {
		return err
	}
	b.States = map[engine.State]int{}
	inOne := 0
	for i, state := range states {
		b.States[state], inOne = counts[i], inOne+counts[i]
	}
	if b.Judged != b.Events {
		a.found("every stored event is judged", fmt.Sprintf("%d of %d are", b.Judged, b.Events))
	}
	if inOne != b.Deliveries {
		a.found("every delivery is in exactly one state", fmt.Sprintf("%d of %d are", inOne, b.Deliveries))
	}
	if b.Attempts != b.Delivering+b.Failed {
		a.found("every attempt is recorded once", fmt.Sprintf("%d are counted, and %d recorded", b.Attempts, b.Delivering+b.Failed))
	}
	return nil
}
