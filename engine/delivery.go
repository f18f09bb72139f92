package engine

import (
	"encoding/json"
	"time"
)

// State is where a delivery stands. It is always in exactly one.
type State string

// The states of a delivery.
const (
	Pending   State = "pending"   // due now or later
	Sending   State = "sending"   // leased by a courier
	Delivered State = "delivered" // the target said yes
	Dead      State = "dead"      // given up, with a reason
	Cancelled State = "cancelled" // its entry moved on before it was sent
	Discarded State = "discarded" // by an operator
	Shadow    State = "shadow"    // of a rule on trial: recorded, never sent
)

// Held says why a pending delivery waits longer than its due time.
type Held string

// What holds a delivery.
const (
	HeldBreaker Held = "breaker" // the target of its action fails, and is left alone
	HeldPaused  Held = "paused"  // the target of its action asked to be left alone (Retry-After)
	HeldRate    Held = "rate"    // its action sends no faster than it may
	HeldOrder   Held = "order"   // another one of its line comes before it (order_by)
)

// Hold is why the deliveries of an action wait: until a moment, or, without one, until the hold is lifted.
type Hold struct {
	Action ActionName
	Reason Held
	Until  time.Time
}

// Delivery is one step owed for one event.
type Delivery struct {
	ID         DeliveryID
	Event      EventID
	Replay     int // of its event, that owes it; 0 for what was owed when the event came
	Rule       RuleName
	Action     ActionName
	Kind       Kind
	State      State
	Held       Held
	HeldUntil  time.Time // when what holds it ends; zero while nobody can tell
	Attempts   int       // recorded since ever; one lost in a crash is not
	CreatedAt  time.Time
	NextAt     time.Time // of a pending one: when it is due
	At         time.Time // of a reminder: its due instant
	LastStatus string
	LastError  string          // of a dead or cancelled one: the reason; of a shadow one: why it would have been either
	Message    json.RawMessage // frozen when the rule fired; see SlackMessage and its like
	History    []Attempt       // only of a delivery that is shown alone
}

// MarshalJSON writes the delivery as the API and the command line show it.
func (d Delivery) MarshalJSON() ([]byte, error) {
	var next *time.Time
	if !d.NextAt.IsZero() {
		next = &d.NextAt
	}
	return json.Marshal(struct {
		ID         DeliveryID      `json:"id"`
		Key        string          `json:"key"`
		Event      EventID         `json:"event_id"`
		Replay     int             `json:"replay,omitempty"`
		Rule       RuleName        `json:"rule"`
		Action     ActionName      `json:"action"`
		Kind       Kind            `json:"kind"`
		State      State           `json:"state"`
		Held       Held            `json:"held"`
		HeldUntil  time.Time       `json:"held_until,omitzero"`
		Attempts   int             `json:"attempts"`
		CreatedAt  time.Time       `json:"created_at"`
		NextAt     *time.Time      `json:"next_at"`
		LastStatus string          `json:"last_status"`
		LastError  string          `json:"last_error"`
		Message    json.RawMessage `json:"message,omitempty"`
		History    []Attempt       `json:"history,omitempty"`
	}{
		d.ID, d.ID.Key(), d.Event, d.Replay, d.Rule, d.Action, d.Kind, d.State, d.Held, d.HeldUntil, d.Attempts, d.CreatedAt, next,
		d.LastStatus, d.LastError, d.Message, d.History,
	})
}
