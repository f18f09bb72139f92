package engine

import (
	"encoding/json"
	"strconv"
	"time"

	"github.com/peanuts-router/peanuts-router/peanuts"
)

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
	Attempts   int // recorded since ever; one lost in a crash is not
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
		Attempts   int             `json:"attempts"`
		CreatedAt  time.Time       `json:"created_at"`
		NextAt     *time.Time      `json:"next_at"`
		LastStatus string          `json:"last_status"`
		LastError  string          `json:"last_error"`
		Message    json.RawMessage `json:"message,omitempty"`
		History    []Attempt       `json:"history,omitempty"`
	}{
		d.ID, d.ID.Key(), d.Event, d.Replay, d.Rule, d.Action, d.Kind, d.State, d.Held, d.Attempts, d.CreatedAt, next,
		d.LastStatus, d.LastError, d.Message, d.History,
	})
}

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

// Owed is one delivery that judging an event brought forth, before it has an id.
type Owed struct {
	Rule    RuleName
	Step    int // within its rule, from 0
	Action  ActionName
	Kind    Kind
	Message json.RawMessage
	// Order is the value for which the deliveries of the action go one after the other; empty when there is none.
	Order string
	// At is the due instant of a reminder; zero for what is due at once.
	At time.Time
	// Sync says what the message does to the row of the entry; empty for what is no sync.
	Sync Sync
	// Late is the reason why this is cancelled at once: a newer version of the entry is known.
	Late string
	// Dead is the reason why this can never be sent, as when an http message could not be rendered (C21). Such
	// a delivery is stored as a dead letter at once.
	Dead string
	// Shadow says that the rule is on trial: this is recorded and never sent, and nothing else follows from it.
	Shadow bool
	// Leased asks the store to give out the lease in the same transaction: a courier has a hand free.
	Leased bool
}

// Follows tells whether the delivery goes with its entry: a reminder or a sync, which a newer version of the entry takes
// the place of.
func (o *Owed) Follows() bool { return !o.At.IsZero() || o.Sync != "" }

// Sync is what a message does to the row of an entry.
type Sync string

// The syncs.
const (
	SyncUpsert Sync = "upsert"
	SyncRemove Sync = "remove"
)

// Acceptance is an event to be committed with all that follows from it in one transaction (C1).
type Acceptance struct {
	ID         EventID
	ReceivedAt time.Time
	Event      *peanuts.Event
	// Judge tells what follows, from what is known of the event's entry in that transaction: what an older version of it
	// left unsent is cancelled by then, and the claims of that released. It is not asked for a
	// duplicate, and may be asked again when the transaction is tried again; what it told last counts.
	Judge func(Known) Judgement
	// Alert says that the event is the router's own, and what to remember of it; nil of an event from outside.
	Alert *Alert
	// LeaseUntil is when the leases asked for by Owed.Leased run out: by a reading of the clock, which may jump.
	LeaseUntil time.Time
}

// Receipt is what the store made of an Acceptance.
type Receipt struct {
	ID        EventID // of the first event with these bytes
	Duplicate bool    // the bytes were known; nothing new is owed (C9)
	// Leases are the deliveries that were asked for as leased, in the order of Judgement.Owed.
	Leases []Lease
	// Totals are the sums of the day that the event changed, as they are now.
	Totals []DayTotal
}

// Judgement is what one generation of rules made of one event.
type Judgement struct {
	Generation int64        `json:"generation"`
	Fired      []RuleName   `json:"fired"`
	Suppressed []Suppressed `json:"suppressed,omitempty"`
	Disabled   []RuleName   `json:"disabled,omitempty"` // rules that would have been judged
	Errors     []RuleError  `json:"rule_errors"`
	Mismatches []Mismatch   `json:"mismatches"`
	Owed       []Owed       `json:"-"`
	// Claims are made by the event for what it owes by their rules. Those of rules that owe nothing, or nothing that is not
	// cancelled at once, are not made.
	Claims []Claim `json:"-"`
	// Contributions are what the entry adds to each stat now. They are empty for an event that brings no newer version
	// of its entry, which changes no stat.
	Contributions []Contribution `json:"-"`
	// LeftOut is what a replay does not owe, though its rule fired.
	LeftOut []LeftOut `json:"left_out,omitempty"`
}

// RuleError is a rule that failed at run time: it did not fire, and says why (C7).
type RuleError struct {
	Rule    RuleName `json:"rule"`
	Message string   `json:"message"`
}

// Mismatch is a comparison that met a value of the wrong type, such as text where a number belongs.
type Mismatch struct {
	Rule  RuleName `json:"rule"`
	Expr  string   `json:"expr"`  // the sub-expression as written
	Value any      `json:"value"` // what was met, cut to 256 characters when it is text
	Place string   `json:"place,omitempty"`
}

// EventRecord is a stored event.
type EventRecord struct {
	ID         EventID   `json:"id"`
	ReceivedAt time.Time `json:"received_at"`
	Name       string    `json:"event"`
	Own        bool      `json:"own,omitempty"` // the router raised it itself
	Helper     string    `json:"helper"`        // its command
	EntryID    string    `json:"entry_id"`
	Duplicates int       `json:"duplicates"` // how often the same bytes came again
	Verdicts
	Deliveries []Delivery `json:"deliveries"`        // of its replays, too
	Replays    []Replay   `json:"replays,omitempty"` // only of an event that is shown alone
	Payload    string     `json:"payload,omitempty"` // the text as received
}

// Verdicts are what the rules had to say of an event.
type Verdicts struct {
	Fired      []RuleName   `json:"fired"`
	Suppressed []Suppressed `json:"suppressed"`
	Disabled   []RuleName   `json:"disabled,omitempty"` // rules that were switched off then
	Errors     []RuleError  `json:"rule_errors"`
	Mismatches []Mismatch   `json:"mismatches"`
	LeftOut    []LeftOut    `json:"left_out,omitempty"` // of a replay
}
