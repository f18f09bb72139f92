package store

import (
	"database/sql"

	"github.com/peanuts-router/peanuts-router/engine"
)

// A line are the deliveries of one action for which order_by had one value. Of those that are due one is next: it is
// pending or being sent. The others wait behind it, in the order in which they were created, until it is delivered, dead,
// cancelled or discarded. A reminder joins when it is due. What waits is not looked at when leases are given out, however
// much of it there is.
type turn int

const (
	isNext    turn = iota // also of what stands in no line
	waits                 // behind the one that is next
	notJoined             // it is not due yet
)

const (
	// Whether somebody is next in a line, of the action and the line of a delivery d.
	somebodyIsNext = `(EXISTS (SELECT 1 FROM deliveries o WHERE o.action = d.action AND o.line = d.line AND o.state = 'sending')
			OR EXISTS (SELECT 1 FROM deliveries o WHERE o.action = d.action AND o.line = d.line AND o.state = 'pending' AND o.turn = 0))`

	lineIsBusy = `SELECT EXISTS (SELECT 1 FROM deliveries WHERE action = ?1 AND line = ?2 AND state = 'sending')
			OR EXISTS (SELECT 1 FROM deliveries WHERE action = ?1 AND line = ?2 AND state = 'pending' AND turn = 0)`
	isInTheWay = `SELECT ` + somebodyIsNext + ` FROM deliveries d WHERE d.seq = ?`
	joinLine   = `UPDATE deliveries SET turn = 1 WHERE seq = ?`

	// The first of those that wait in the line of a delivery that has left it, unless somebody is next.
	moveUp = `UPDATE deliveries SET turn = 0 WHERE seq = (
			SELECT (SELECT min(w.seq) FROM deliveries w WHERE w.action = d.action AND w.line = d.line AND w.state = 'pending' AND w.turn = 1)
			FROM deliveries d WHERE d.seq = ? AND d.line IS NOT NULL AND NOT ` + somebodyIsNext + `)`
)

// join gives a new delivery its place in its line, unless it ends at once.
func (d *standing) join(tx *transaction, owed *engine.Owed, later bool) error {
	d.line = owed.Order
	switch {
	case owed.Late != "" || owed.Dead != "":
		return nil
	case later:
		d.turn = notJoined
		return nil
	}
	var busy bool
	err := tx.row(lineIsBusy, []any{string(owed.Action), owed.Order}, &busy)
	if busy {
		d.turn = waits
	}
	return err
}

// joins has a delivery that has come due join its line, and tells whether it has to wait there.
func (tx *transaction) joins(seq int64) (waits bool, err error) {
	if err = tx.row(isInTheWay, []any{seq}, &waits); err != nil || !waits {
		return false, err
	}
	_, err = tx.exec(joinLine, seq)
	return true, err
}

// moveUp tells whether another delivery is next now that one has left its line.
func (tx *transaction) moveUp(seq int64) (freed bool, err error) {
	n, err := tx.exec(moveUp, seq)
	return n > 0, err
}

// gone carries out a statement by which deliveries end, and which returns the row of each. Their lines go on.
func (tx *transaction) gone(text string, args ...any) (n int64, err error) {
	var seqs []int64
	err = tx.rows(text, args, func(rows *sql.Rows) error {
		var seq int64
		err := rows.Scan(&seq)
		seqs = append(seqs, seq)
		return err
	})
	for _, seq := range seqs {
		if err == nil {
			_, err = tx.moveUp(seq)
		}
	}
	return int64(len(seqs)), err
}
