package page

import (
	"context"
	"time"

	"github.com/peanuts-router/peanuts-router/engine"
)

// view is what the template shows.
type view struct {
	Month          month
	Previous, Next string // months; Next is empty in the current one
	Stats          []stat
	Zone           string // of the times below
	Events         []event
	Dead           []letter
	DeadCount      int
}

// month is 2026-11, with its name for people.
type month struct{ Key, Name string }

func newMonth(key string) month {
	first, _ := time.Parse("2006-01", key)
	return month{key, first.Format("January 2006")}
}

// view reads everything that the page shows. Without a month it is the current one, in the zone of the first stat.
func (p *Page) view(ctx context.Context, wanted string) (view, error) {
	heads, err := p.Stats.Stats(ctx)
	if err != nil {
		return view{}, err
	}
	zone := time.UTC
	if len(heads) > 0 {
		if named, err := time.LoadLocation(heads[0].Zone); err == nil {
			zone = named
		}
	}
	now := p.Now().In(zone)
	v := view{Zone: zone.String()}
	current := now.Format("2006-01")
	if wanted == "" {
		wanted = current
	}
	first, _ := time.Parse("2006-01", wanted)
	v.Month, v.Previous = newMonth(wanted), first.AddDate(0, -1, 0).Format("2006-01")
	if wanted < current {
		v.Next = first.AddDate(0, 1, 0).Format("2006-01")
	}
	for _, head := range heads {
		s, err := p.stat(ctx, head, wanted)
		if err != nil {
			return v, err
		}
		v.Stats = append(v.Stats, s)
	}
	return v, p.record(ctx, &v, zone)
}

// record reads what came last and what was given up.
func (p *Page) record(ctx context.Context, v *view, zone *time.Location) error {
	events, err := p.Record.Newest(ctx, newestEvents)
	if err != nil {
		return err
	}
	for _, e := range events {
		v.Events = append(v.Events, newEvent(e, zone))
	}
	dead, count, err := p.Record.DeadLetters(ctx, newestLetters)
	if err != nil {
		return err
	}
	v.DeadCount = count
	for _, d := range dead {
		v.Dead = append(v.Dead, letter{ID: string(d.ID), When: newMoment(d.CreatedAt, zone), Rule: string(d.Rule), Action: string(d.Action), Reason: d.LastError, Attempts: d.Attempts})
	}
	return nil
}

// moment is a time for machines and for people.
type moment struct{ Machine, People string }

func newMoment(at time.Time, zone *time.Location) moment {
	return moment{at.UTC().Format(time.RFC3339), at.In(zone).Format("2 Jan 15:04:05")}
}

// event is one that came, and what became of it.
type event struct {
	ID, Name, Helper, Entry string
	When                    moment
	Duplicates              int
	Deliveries              []delivery
	Suppressed              []suppression
	Faults                  []string // of rules
}

// delivery is what became of a message.
type delivery struct {
	Rule, Action, Kind string
	State              engine.State
	Note               string // when it is due, or why it ended so
}

// suppression is a rule that did not fire, since another event holds its claim.
type suppression struct{ Rule, By string }

// letter is a dead letter.
type letter struct {
	ID, Rule, Action, Reason string
	When                     moment
	Attempts                 int
}

func newEvent(e engine.EventRecord, zone *time.Location) event {
	shown := event{
		ID: string(e.ID), Name: e.Name, Helper: e.Helper, Entry: e.EntryID, When: newMoment(e.ReceivedAt, zone), Duplicates: e.Duplicates,
	}
	for _, d := range e.Deliveries {
		note := d.LastStatus
		switch d.State {
		case engine.Pending:
			note = "next " + newMoment(d.NextAt, zone).People
		case engine.Dead, engine.Cancelled, engine.Shadow:
			note = d.LastError
		}
		shown.Deliveries = append(shown.Deliveries, delivery{string(d.Rule), string(d.Action), string(d.Kind), d.State, note})
	}
	for _, s := range e.Suppressed {
		shown.Suppressed = append(shown.Suppressed, suppression{string(s.Rule), string(s.By)})
	}
	for _, fault := range e.Errors {
		shown.Faults = append(shown.Faults, string(fault.Rule)+": "+fault.Message)
	}
	for _, m := range e.Mismatches {
		shown.Faults = append(shown.Faults, string(m.Rule)+": "+m.Expr+" met a value that it cannot compare")
	}
	return shown
}

// States are the states of the event's deliveries with their numbers, for one line.
func (e event) States() []stateCount {
	var counts []stateCount
	for _, d := range e.Deliveries {
		at := -1
		for i := range counts {
			if counts[i].State == d.State {
				at = i
			}
		}
		if at < 0 {
			at = len(counts)
			counts = append(counts, stateCount{State: d.State})
		}
		counts[at].Count++
	}
	return counts
}

type stateCount struct {
	State engine.State
	Count int
}
