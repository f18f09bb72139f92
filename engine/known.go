package engine

import "github.com/peanuts-router/peanuts-router/peanuts"

// Known is what is known of an event at the moment it is judged beyond what it says: where it comes from, and what the
// memory holds of its entry. The zero value knows nothing, and is that of an event from outside.
type Known struct {
	// Own says that the event is the router's own; what it says itself is no proof.
	Own bool
	// Late says that a newer version of the entry is known already.
	Late bool
	// Before gives the event that brought the version of the entry before this one; nil, or a nil event, when there is
	// none, it is not known, or the entry was deleted.
	Before func() *peanuts.Event
	// Synced tells whether the table of a step holds a row of the entry; nil knows of none.
	Synced func(StepID) bool
	// Claimed tells which event holds a claim; empty when none does. Nil knows of none.
	Claimed func(Claim) EventID
}

// StepID names a step through all generations of the rules: by its rule and its number within it, from 0.
type StepID struct {
	Rule RuleName
	Step int
}

const tooLate = "a newer version of the entry is known"

func (k *Known) synced(rule RuleName, step int) bool {
	return k.Synced != nil && k.Synced(StepID{Rule: rule, Step: step})
}
