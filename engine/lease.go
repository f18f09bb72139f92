package engine

import (
	"encoding/json"
	"time"
)

// Lease is the right to try one delivery until a moment. A result brought after another lease was given out
// changes nothing: Generation tells them apart (C18).
type Lease struct {
	Delivery
	Row        int64 // where the store keeps the delivery, to be given back with the settlement
	Generation int64
	Until      time.Time
	// PlanFrom is how many attempts were recorded before the retry plan began: 0, or what a replay found (C13).
	PlanFrom int
	// Body is the event as received; an http step without a body of its own sends it, and templates
	// inside the action are rendered from it.
	Body []byte
	// ReceivedAt is when the event was received.
	ReceivedAt time.Time
	// Own is said of what one of the router's own events owes: nothing that becomes of it raises another.
	Own bool
	// Follows is said of a delivery that goes with its entry: no other one of the same rule, step and entry is sent at the
	// same time.
	Follows bool
	// Ordered is said of a delivery that stands in a line of its action (order_by): no other one of it is sent at the same
	// time.
	Ordered bool
	// Suspect is said of a delivery that may be what takes the router down (F42): no other one is tried at the same time.
	Suspect bool
}

// Settle begins the settlement of the lease.
func (l *Lease) Settle(state State) Settlement {
	return Settlement{ID: l.ID, Row: l.Row, Follows: l.Follows, Ordered: l.Ordered, Generation: l.Generation, State: state}
}

// Attempt is one recorded try at a delivery.
type Attempt struct {
	N      int           `json:"n"` // from 1, through replays
	At     time.Time     `json:"at"`
	Took   time.Duration `json:"-"`
	Status string        `json:"status,omitempty"` // the protocol's own words: "503 Service Unavailable", "ratelimited"
	Error  string        `json:"error,omitempty"`
	Answer string        `json:"answer,omitempty"` // the first 4 KiB of a refusal; of a success it is not kept
}

// MarshalJSON writes Took as whole milliseconds under "took_ms".
func (a Attempt) MarshalJSON() ([]byte, error) {
	type plain Attempt
	return json.Marshal(struct {
		plain
		TookMS int64 `json:"took_ms"`
	}{plain(a), a.Took.Milliseconds()})
}

// Settlement is the result of one leased attempt: what to record, and where the delivery stands now.
type Settlement struct {
	ID         DeliveryID
	Row        int64 // the lease's; 0 has the store look for it
	Follows    bool  // the lease's
	Ordered    bool  // the lease's
	Generation int64
	// Attempt is what to record; nil when the lease is handed back untried, which uses up none of the plan.
	// Its N is given by the store.
	Attempt *Attempt
	State   State     // Delivered, Dead, or Pending for another try
	NextAt  time.Time // with Pending: when it is due
	Reason  string    // with Dead: why
}

// Recorded is what the store made of a Settlement.
type Recorded struct {
	// Applied is false when the lease was not the newest any more: nothing has changed then (C18).
	Applied bool
	// State is where the delivery stands now. One that was to be tried again is Cancelled when its entry moved on
	// meanwhile.
	State State
	// Freed says that another delivery of the same rule, step and entry, or of the same line, may have waited for this one.
	Freed bool
}
