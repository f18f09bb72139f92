package main

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/peanuts-router/peanuts-router/peanuts"
)

// fate is what an event says of itself in entry.data: what its targets answer, and what the rules make of it.
type fate struct {
	N        int    `json:"n"` // of the event; no two have the same
	Plan     plan   `json:"plan"`
	Amount   int    `json:"amount"`
	Category string `json:"category"`
	Kept     bool   `json:"kept"`          // the entry has a row in the table
	Told     bool   `json:"told"`          // people hear of it, in chat and by mail
	Due      string `json:"due,omitempty"` // of its reminder
}

// plan is what the targets of HTTP answer to the attempts at one delivery.
type plan string

// The plans.
const (
	planOK      plan = "ok"
	planFail1   plan = "fail1" // 503 once, then 200
	planFail2   plan = "fail2"
	planFail4   plan = "fail4"
	planFailing plan = "failing" // 500 for ever
	planRefused plan = "refused" // 400
	planGone    plan = "gone"    // 410
	planLimited plan = "limited" // 429 with Retry-After once, then 200
	planSilent  plan = "silent"  // no answer to the first attempt, then 200
	planReset   plan = "reset"   // an answer that breaks off, then 200
	planSlow    plan = "slow"    // 200 after a while
	planKill    plan = "kill"    // 200, at which the nemesis may kill the router
)

// failures is how many attempts go wrong before one goes right.
func (p plan) failures() int {
	switch p {
	case planFail1, planLimited, planSilent, planReset:
		return 1
	case planFail2:
		return 2
	case planFail4:
		return 4
	}
	return 0
}

// attempts is how many attempts the router may make at a delivery that dies of its plan; 0 when it does not die.
func (p plan) attempts() int {
	switch p {
	case planRefused, planGone:
		return 1
	case planFailing:
		return len(retryWaits) + 1
	}
	return 0
}

// event is one event as it is sent to the router.
type event struct {
	fate
	Name    string // entry.created and its like
	Entry   string
	Version time.Time // its timestamp, by which versions of an entry are ordered
	Matches bool      // a rule wants it
	Forged  bool      // its signature is wrong
	Body    []byte    `json:"-"`
}

const (
	commandKept    = "/expenses" // of events that the rules are about
	commandIgnored = "/notes"
)

// write makes the event's text.
func (e *event) write() error {
	command := commandKept
	if !e.Matches {
		command = commandIgnored
	}
	at := e.Version.UTC().Format(time.RFC3339Nano)
	var err error
	e.Body, err = json.Marshal(map[string]any{
		"event": e.Name, "timestamp": at,
		"helper": map[string]any{"id": "h", "name": "Torture", "command": command},
		"entry":  map[string]any{"id": e.Entry, "created_at": at, "data": e.fate},
		"user":   map[string]any{"id": "u"},
	})
	return err
}

// step names one step of a rule, as a delivery does.
type step struct{ Rule, Action string }

// owes are the steps that the rules owe for the event whatever else happens to its entry: each ends delivered or dead. It is
// the rules file, told a second time.
func (e *event) owes() []step {
	if !e.Matches || e.Forged || e.Name == peanuts.EntryDeleted {
		return nil
	}
	owed := []step{{ruleBook, actionLedger}}
	switch e.Plan {
	case planLimited:
		owed[0] = step{ruleBookLimited, actionLimited}
	case planSilent:
		owed[0] = step{ruleBookSilent, actionSilent}
	}
	if e.Told {
		owed = append(owed, step{ruleTell, actionChat}, step{ruleTell, actionPost})
	}
	return owed
}

// plainHTTP tells whether a target of HTTP answers by the plan of the event.
func (s step) plainHTTP() bool {
	return s.Action == actionLedger || s.Action == actionLimited || s.Action == actionSilent
}

// says is the message of a step under a variant of the rules, byte for byte.
func (e *event) says(action string, variant int) string {
	switch action {
	case actionChat, actionPost:
		return fmt.Sprintf("n=%d amount=%d rules=%d", e.N, e.Amount, variant)
	default:
		return fmt.Sprintf(`{"n":%d,"plan":%q,"amount":%d,"rules":%d}`, e.N, string(e.Plan), e.Amount, variant)
	}
}
