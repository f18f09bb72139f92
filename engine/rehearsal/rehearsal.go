package rehearsal

import (
	"cmp"
	"crypto/sha256"
	"time"

	"github.com/peanuts-router/peanuts-router/engine"
	"github.com/peanuts-router/peanuts-router/peanuts"
)

// Config says what is rehearsed.
type Config struct {
	Rules *engine.Rules
	// Recall gives an event that was told before, by its number, or nil when it is not to be had. Without it the newest
	// event of each entry is kept.
	Recall func(n int) *peanuts.Event
	// Explain asks for Outcome.Explained.
	Explain bool
}

// Rehearsal is a row of events that is being told. It is not safe for concurrent use.
type Rehearsal struct {
	config  Config
	told    int
	first   map[[sha256.Size]byte]int // the number of the first event with these bytes
	entries map[string]*entry
	claims  claims
	waiting reminders
}

// New begins a rehearsal: nothing is known, and nothing is owed.
func New(config Config) *Rehearsal {
	return &Rehearsal{config: config, first: map[[sha256.Size]byte]int{}, entries: map[string]*entry{}, claims: claims{}}
}

// Outcome is what followed from one event.
type Outcome struct {
	Event int // its number in the row, from 0
	// Before are the reminders that were sent since the event before, in the order of their instants.
	Before []*Delivery
	// Duplicate says that the same bytes were told before, as the event First: nothing follows from this one.
	Duplicate bool
	First     int
	// Judgement is that of the rules. The events that hold claims are named by their numbers; see Number.
	Judgement engine.Judgement
	// Explained tells of every rule why it fired, or did not; only with Config.Explain.
	Explained []engine.Explanation
	// Cancelled are the reminders of older versions of the entry.
	Cancelled []*Delivery
	// Owed are the deliveries that the event brought, sent by now unless they wait, died, came too late or are shadows. A
	// reminder that was sent for an earlier version of the entry is not among them.
	Owed []*Delivery
}

// Delivery is a step that was owed, and what became of it. It changes while the row is told.
type Delivery struct {
	engine.Owed
	Event int          // the number of the event that brought it
	N     int          // its number among what the event brought, from 1
	State engine.State // Pending, Delivered, Dead, Cancelled or Shadow
	// Since is when it came to that state: of a delivered one the instant at which it was sent.
	Since  time.Time
	Reason string // of a dead or cancelled one; of a shadow one why it would have been either

	entry *entry        // that it goes with; nil for none
	claim *engine.Claim // that stands for it; nil for none
	due   int64         // in milliseconds, as a store keeps it
	place int           // among the reminders that wait
}

// Tell lets an event arrive from outside, after time has walked to that moment.
func (r *Rehearsal) Tell(e *peanuts.Event, at time.Time) Outcome { return r.tell(e, at, false) }

// TellOwn lets the router itself raise an event, after time has walked to that moment.
func (r *Rehearsal) TellOwn(e *peanuts.Event, at time.Time) Outcome { return r.tell(e, at, true) }

func (r *Rehearsal) tell(e *peanuts.Event, at time.Time, own bool) Outcome {
	o := Outcome{Event: r.told, Before: r.Walk(at)}
	r.told++
	digest := sha256.Sum256(e.Raw)
	if first, known := r.first[digest]; known {
		o.Duplicate, o.First = true, first
		return o
	}
	r.first[digest] = o.Event
	r.judge(&o, e, at, own)
	return o
}

// judge finds what follows from an event that is new, and keeps it. What waits for an older version of the entry is
// cancelled before the rules are asked, and what that had claimed is free by then.
func (r *Rehearsal) judge(o *Outcome, e *peanuts.Event, at time.Time, own bool) {
	version := e.Version(at)
	entry := r.entryOf(e)
	known := r.known(entry, version)
	known.Own = own
	newest := entry != nil && !known.Late
	if newest {
		o.Cancelled = r.moveOn(entry, at)
	}
	o.Judgement = r.config.Rules.Judge(e, at, known)
	if r.config.Explain {
		o.Explained = r.config.Rules.Explain(e, at, known)
	}
	if newest {
		entry.become(version, e, o)
		if r.config.Recall == nil {
			entry.event = e
		}
	}
	for i := range o.Judgement.Owed {
		d := &Delivery{Owed: o.Judgement.Owed[i], Event: o.Event, N: i + 1, entry: entry}
		if r.owe(d, at) {
			o.Owed = append(o.Owed, d)
		}
	}
	r.claims.take(o)
}

// owe finds where a new delivery stands. It is false for a reminder that was sent for an earlier version of its entry.
func (r *Rehearsal) owe(d *Delivery, at time.Time) bool {
	if !d.Follows() {
		d.entry = nil
	}
	d.due = at.UnixMilli()
	if !d.At.IsZero() {
		d.due = d.At.UnixMilli()
	}
	switch {
	case d.Shadow:
		d.settle(engine.Shadow, at, cmp.Or(d.Late, d.Dead))
	case d.entry != nil && d.entry.wasSent(d):
		return false
	case d.Late != "":
		d.settle(engine.Cancelled, at, d.Late)
	case d.Dead != "":
		d.settle(engine.Dead, at, d.Dead)
	case d.due > at.UnixMilli():
		d.settle(engine.Pending, at, "")
		r.wait(d)
	default:
		d.send(at)
	}
	return true
}

func (d *Delivery) settle(state engine.State, at time.Time, reason string) {
	d.State, d.Since, d.Reason = state, at, reason
}

// send delivers, and has the entry remember it.
func (d *Delivery) send(at time.Time) {
	d.settle(engine.Delivered, at, "")
	if d.entry != nil {
		d.entry.note(d)
	}
}

// step names the step that owes the delivery.
func (d *Delivery) step() engine.StepID { return engine.StepID{Rule: d.Rule, Step: d.Step} }
