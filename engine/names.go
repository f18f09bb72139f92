package engine

import "strconv"

// Names of things are types, so that one cannot be passed where another belongs.
type (
	// EventID names a stored event: a UUID of version 7 in text.
	EventID string
	// DeliveryID names a delivery: its event's id, a dash and a number from 1.
	DeliveryID string
	// RuleName is a rule's name, unique in the rules file.
	RuleName string
	// ActionName is an action's name, unique in the rules file.
	ActionName string
	// Kind is what an action speaks: KindSlack, KindEmail, KindHTTP or KindSQL.
	Kind string
)

// The kinds of action.
const (
	KindSlack Kind = "slack"
	KindEmail Kind = "email"
	KindHTTP  Kind = "http"
	KindSQL   Kind = "sql"
)

// NewDeliveryID names the nth delivery of an event; n counts from 1.
func NewDeliveryID(event EventID, n int) DeliveryID {
	return DeliveryID(string(event) + "-" + strconv.Itoa(n))
}

// Key is what the delivery is known by to its target: the same through attempts, restarts, takeovers and
// replays, so that a receiver can tell a repeat (C10).
func (id DeliveryID) Key() string { return string(id) }
