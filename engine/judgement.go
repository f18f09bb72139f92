package engine

import "time"

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
