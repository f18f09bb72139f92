package engine

import (
	"encoding/json"
	"time"

	"github.com/peanuts-router/peanuts-router/peanuts"
)

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

// SameStep tells whether one step owes both.
func (o *Owed) SameStep(other Owed) bool { return o.Rule == other.Rule && o.Step == other.Step }

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
