package store

import "errors"

// The row of a delivery is numbered by the row of its event and by its own number in it, so that a delivery is found, and
// those of an event stand together, without an index.
const (
	numberBits = 20
	maxNumber  = 1<<numberBits - 1

	// ofE and of1 are the rows of the deliveries of the event e, and of the event that is the first value.
	ofE = ` BETWEEN e.seq << 20 AND e.seq << 20 | 1048575`
	of1 = ` BETWEEN ?1 << 20 AND ?1 << 20 | 1048575`
)

var errTooManyOwed = errors.New("an event owes more than 1,048,575 deliveries")

// deliveryRow is the row of the nth delivery of an event; n counts from 1.
func deliveryRow(event int64, n int) int64 { return event<<numberBits | int64(n) }
