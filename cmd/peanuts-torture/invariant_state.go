package main

import (
	"fmt"
	"maps"
	"strconv"
	"time"

	"github.com/peanuts-router/peanuts-router/engine"
	"github.com/peanuts-router/peanuts-router/peanuts"
)

// newest finds the newest stored version of each entry that the rules are about.
func (e *evidence) newest() map[string]*stored {
	newest := map[string]*stored{}
	for _, one := range e.stored {
		if one.Sent == nil || !one.Sent.Matches {
			continue
		}
		if other := newest[one.Sent.Entry]; other == nil || one.Version > other.Version {
			newest[one.Sent.Entry] = one
		}
	}
	return newest
}

// data is I9.
func (e *evidence) data() (found []string) {
	left := maps.Clone(e.rows)
	for entry, one := range e.newest() {
		got, there := left[entry]
		delete(left, entry)
		kept := one.Sent.Kept && one.Sent.Name != peanuts.EntryDeleted
		switch {
		case e.tableGaveUp(one):
		case there && !kept:
			found = append(found, fmt.Sprintf("the table has a row of entry %s, which is deleted or has none", entry))
		case !there && kept:
			found = append(found, fmt.Sprintf("the table has no row of entry %s", entry))
		case there && (got.N != one.Sent.N || got.Version != one.Version):
			found = append(found, fmt.Sprintf("the row of entry %s is of event %d, and the newest is %d", entry, got.N, one.Sent.N))
		}
	}
	for entry := range left {
		found = append(found, fmt.Sprintf("the table has a row of entry %s, which nobody sent", entry))
	}
	return found
}

// tableGaveUp tells whether the newest version of an entry did not get into the table, for as good a reason as crashes in a
// row.
func (e *evidence) tableGaveUp(one *stored) bool {
	d := one.find(step{ruleKeep, actionTable})
	return d != nil && d.State == engine.Dead && d.tookDown()
}

// store is I10.
func (e *evidence) store() []string { return e.audits }

// state is I13. That the entries are right is among what I10 checks.
func (e *evidence) state() []string {
	return append(e.wrongTotals(), e.wrongReminders()...)
}

// wrongTotals adds the stat up anew.
func (e *evidence) wrongTotals() (found []string) {
	all, count := 0, 0
	groups, daily := map[string]int{}, map[string]int{}
	for _, one := range e.newest() {
		s := one.Sent
		if s.Name == peanuts.EntryDeleted {
			continue
		}
		count++
		all += s.Amount
		groups[s.Category] += s.Amount
		daily[s.Version.UTC().Format(time.DateOnly)] += s.Amount
	}
	want := totals{Count: count, Total: strconv.Itoa(all), Groups: texts(groups), Daily: texts(daily)}
	if count == 0 {
		want.Total = e.spent.Total // of nothing there is none
	}
	if e.spent.Count != want.Count || e.spent.Total != want.Total || !maps.Equal(e.spent.Groups, want.Groups) || !maps.Equal(e.spent.Daily, want.Daily) {
		found = append(found, fmt.Sprintf("the stat is %+v, and the events make it %+v", e.spent, want))
	}
	return found
}

func texts(of map[string]int) map[string]string {
	texts := map[string]string{}
	for name, n := range of {
		texts[name] = strconv.Itoa(n)
	}
	return texts
}

// wrongReminders holds what was reminded of against the newest versions of the entries.
func (e *evidence) wrongReminders() (found []string) {
	receipts, newest := e.byStep(), e.newest()
	for _, one := range e.stored {
		if one.Sent == nil || one.Sent.Due == "" || one.Sent.Name == peanuts.EntryDeleted {
			continue
		}
		due, err := time.Parse(time.RFC3339Nano, one.Sent.Due)
		if err != nil {
			found = append(found, fmt.Sprintf("event %d is due at %q", one.Sent.N, one.Sent.Due))
			continue
		}
		sends := receipts[ofStep{one.Sent.N, actionReminders}]
		for _, r := range sends {
			if at := e.began.Add(r.At + e.ahead(r.At)); at.Before(due.Truncate(time.Millisecond)) {
				found = append(found, fmt.Sprintf("event %d was reminded of %s too soon", one.Sent.N, due.Sub(at)))
			}
		}
		d := one.find(step{ruleRemind, actionReminders})
		if newest[one.Sent.Entry] == one && (d == nil || !d.tookDown() && !e.wornOut(d, planOK) && (d.State != engine.Delivered || len(sends) == 0)) {
			found = append(found, fmt.Sprintf("event %d is the newest of its entry, and was not reminded of", one.Sent.N))
		}
	}
	return found
}
