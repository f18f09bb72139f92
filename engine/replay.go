package engine

import (
	"slices"
	"time"

	"github.com/peanuts-router/peanuts-router/peanuts"
)

// A replay judges a stored event once more, for what its rules owe for the event itself. It leaves out what goes with the
// entry. A reminder or a row is owed by the newest version of its entry, and a newer one takes its place: one that a replay
// of an older version brought would never be sent, and one that it brought for the newest would be sent beside its own twin,
// or make a row of which the entry does not know when it is deleted.

// Replay is what came of an event that was judged once more.
type Replay struct {
	N      int       `json:"n"` // of the event, from 1
	At     time.Time `json:"at"`
	Rules  string    `json:"rules"`        // where they were read
	Digest string    `json:"rules_digest"` // of what they said
	Verdicts
}

// Rejudging is a stored event that is to be judged once more.
type Rejudging struct {
	ID     EventID
	Event  *peanuts.Event
	At     time.Time // of the replay
	Rules  string    // where they were read, for people
	Digest string    // of what they say
	// Judge tells what is owed, from who holds claims in that transaction; nothing else is known. It may be asked again, and
	// what it told last counts. It owes nothing that follows an entry: see Rules.Rejudge.
	Judge func(Known) Judgement
}

// LeftOut is a step of a rule that fired, which a replay does not owe since it goes with the entry.
type LeftOut struct {
	Rule   RuleName   `json:"rule"`
	Action ActionName `json:"action"`
}

// Rejudge judges a stored event once more, as of its arrival, and leaves out what goes with its entry.
func (r *Rules) Rejudge(e *peanuts.Event, arrived time.Time, known Known) Judgement {
	j := r.Judge(e, arrived, known)
	j.Contributions = nil
	j.Owed = slices.DeleteFunc(j.Owed, func(owed Owed) bool {
		if owed.Follows() {
			j.LeftOut = append(j.LeftOut, LeftOut{Rule: owed.Rule, Action: owed.Action})
		}
		return owed.Follows()
	})
	return j
}
