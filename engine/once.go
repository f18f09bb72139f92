package engine

import (
	"fmt"

	"github.com/peanuts-router/peanuts-router/engine/condition"
	"github.com/peanuts-router/peanuts-router/engine/rulefile"
)

// What keeps a rule from firing although its condition holds, and from sending although it fires:
//
// once_per claims a value for its rule. While an event holds the claim, the rule fires for no other event with that value.
// The claim is made in the transaction that stores what the rule owes, and stands for that: an event that owes nothing,
// such as a reminder without a time, claims nothing, and once all that it owed was cancelled the claim is released.
//
// A newer version of an entry takes the place of what the versions before it left unsent. So the store cancels that
// first, with the claims that nothing is left of, and has the rules judge the event then: a reminder that moves from
// Friday to Thursday loses its claim on Friday's and makes one on Thursday's in the same transaction. What is being sent,
// was sent or is dead keeps its claim. Then the newer version is suppressed and owes nothing in its place; so the
// delivery that holds the claim is not cancelled for that version should its attempt fail, or when it is replayed.
//
// A version that comes late owes nothing that follows its entry, and claims nothing by that. What it sends at once is
// claimed as ever, or the next one that comes late would send it again.

// trial is what a rule says of itself besides its condition and steps.
type trial struct {
	once     *condition.Expression // nil: it fires each time
	disabled bool                  // it is never judged
	shadow   bool                  // it is judged, and never sends
}

// Claim is a value that an event holds for a rule.
type Claim struct {
	Rule  RuleName
	Value string // typed and exact: "entry-101" in quotes, 42, true, 2026-11-23T12:00:00Z
}

// Suppressed is a rule whose condition held, and which did not fire because another event holds its claim.
type Suppressed struct {
	Rule RuleName `json:"rule"`
	By   EventID  `json:"by"` // the event that holds the claim
}

// unclaimed is what an Explanation says of a value that is absent: it is claimed by nobody and suppresses nothing.
const unclaimed = "nil"

func (c *compiler) trial(from *rulefile.Rule) trial {
	return trial{once: c.expression(from.OncePer), disabled: from.Disabled.Value, shadow: from.Shadow.Value}
}

// fire is what follows once the condition of a rule holds.
func (r *rule) fire(j *judging, v *Explanation) {
	if err := r.claim(j, v); err != nil {
		v.Error = fmt.Sprintf("once_per: %v", err)
		return
	}
	if v.SuppressedBy != "" {
		return
	}
	v.Fired = true
	r.owe(j, v)
}

// claim tells what the rule claims for the event, and who holds that already.
func (r *rule) claim(j *judging, v *Explanation) error {
	if r.once == nil {
		return nil
	}
	value, there, err := r.once.Claim(j.Scope)
	switch {
	case err != nil:
		return err
	case !there:
		v.OncePer = unclaimed
		return nil
	}
	v.OncePer = value
	claim := Claim{Rule: r.name, Value: value}
	if j.known.Claimed != nil {
		v.SuppressedBy = j.known.Claimed(claim)
	}
	if !r.shadow && v.SuppressedBy == "" {
		v.claim = &claim
	}
	return nil
}

// disabledFor names the disabled rules that would listen to an event.
func (r *Rules) disabledFor(event string, own bool) (names []RuleName) {
	for _, rule := range r.disabled {
		if rule.wants(event, own) {
			names = append(names, rule.name)
		}
	}
	return names
}

// record adds what a rule made of an event to the judgement.
func (j *Judgement) record(v *Explanation) {
	j.Mismatches = append(j.Mismatches, v.Mismatches...)
	j.Owed = append(j.Owed, v.Owed...)
	if v.Error != "" {
		j.Errors = append(j.Errors, RuleError{Rule: v.Rule, Message: v.Error})
	}
	if v.Fired {
		j.Fired = append(j.Fired, v.Rule)
	}
	if v.SuppressedBy != "" {
		j.Suppressed = append(j.Suppressed, Suppressed{Rule: v.Rule, By: v.SuppressedBy})
	}
	if v.claim != nil {
		j.Claims = append(j.Claims, *v.claim)
	}
}
