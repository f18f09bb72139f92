package rehearsal

import (
	"slices"
	"time"

	"github.com/peanuts-router/peanuts-router/engine"
	"github.com/peanuts-router/peanuts-router/peanuts"
)

// movedOn is the reason of what is cancelled, in the words of the store.
const movedOn = "its entry moved on: a newer version came"

// entry is what is kept of an entry.
type entry struct {
	version string // the newest; empty before the first
	deleted bool
	newest  int            // the number of the event that brought it
	event   *peanuts.Event // that event; nil when it is recalled instead
	synced  []engine.StepID
	sent    []instant
	waiting []*Delivery
}

// instant is a reminder that was sent: by which step, and for when.
type instant struct {
	step engine.StepID
	at   int64 // in milliseconds
}

// entryOf is the entry of which an event brings a version; nil when it brings none.
func (r *Rehearsal) entryOf(e *peanuts.Event) *entry {
	if !e.IsVersion() {
		return nil
	}
	kept := r.entries[e.Entry.ID]
	if kept == nil {
		kept = &entry{}
		r.entries[e.Entry.ID] = kept
	}
	return kept
}

// known is what the store would know, at the moment at which the event with that version is judged.
func (r *Rehearsal) known(of *entry, version string) engine.Known {
	known := engine.Known{Claimed: r.claims.holder}
	if of == nil || of.version == "" {
		return known
	}
	known.Late = of.version > version
	known.Synced = func(id engine.StepID) bool { return slices.Contains(of.synced, id) }
	if !known.Late && !of.deleted {
		known.Before = r.before(of)
	}
	return known
}

// before gives the newest event of an entry, recalled when it is first asked for.
func (r *Rehearsal) before(of *entry) func() *peanuts.Event {
	if r.config.Recall == nil {
		return func() *peanuts.Event { return of.event }
	}
	var event *peanuts.Event
	asked, n := false, of.newest
	return func() *peanuts.Event {
		if !asked {
			event, asked = r.config.Recall(n), true
		}
		return event
	}
}

// moveOn cancels what waits for an older version of the entry, and releases the claims that nothing is left of.
func (r *Rehearsal) moveOn(of *entry, at time.Time) []*Delivery {
	cancelled := of.waiting
	of.waiting = nil
	for _, d := range cancelled {
		r.waiting.remove(d)
		d.settle(engine.Cancelled, at, movedOn)
		r.claims.release(d)
	}
	return cancelled
}

// become makes the version of an event the newest.
func (of *entry) become(version string, e *peanuts.Event, o *Outcome) {
	of.version, of.deleted, of.newest = version, e.Event == peanuts.EntryDeleted, o.Event
	for i := range o.Judgement.Owed {
		owed := &o.Judgement.Owed[i]
		if owed.Shadow {
			continue
		}
		id := engine.StepID{Rule: owed.Rule, Step: owed.Step}
		if owed.Sync == engine.SyncUpsert && !slices.Contains(of.synced, id) {
			of.synced = append(of.synced, id)
		}
	}
}

// wasSent tells whether the same reminder went out for an earlier version.
func (of *entry) wasSent(d *Delivery) bool {
	return !d.At.IsZero() && slices.Contains(of.sent, instant{step: d.step(), at: d.due})
}

// note remembers what was sent: a row that is gone, or a reminder.
func (of *entry) note(d *Delivery) {
	of.waiting = slices.DeleteFunc(of.waiting, func(other *Delivery) bool { return other == d })
	if d.Sync == engine.SyncRemove {
		of.synced = slices.DeleteFunc(of.synced, func(id engine.StepID) bool { return id == d.step() })
	}
	if !d.At.IsZero() {
		of.sent = append(of.sent, instant{step: d.step(), at: d.due})
	}
}
