package main

import (
	"fmt"
	"slices"
	"strings"
)

// invariant is something that holds after every run, however the router was treated.
type invariant struct {
	name  string // as in docs/torture.md
	says  string
	judge func(*evidence) []string // tells what is not so
}

// invariants are all of them.
var invariants = []invariant{
	{"I1", "no loss: what was answered 200 is stored, and each step it owes arrived, or died because its plan said so", (*evidence).loss},
	{"I2", "no phantom: each message comes of an event that was sent and signed, and says what the rules made of it when it came", (*evidence).phantoms},
	{"I3", "repeats: a target that said yes is asked again only when the router died in between, or may not have heard it", (*evidence).repeats},
	{"I4", "keys: each step of an event has one key, always the same, and shares it with no other", (*evidence).keys},
	{"I5", "one end: each delivery ends in one state, with what goes with it", (*evidence).ends},
	{"I6", "attempts: no more than the plan allows; a crash adds a send, and bad weather takes one away", (*evidence).attempts},
	{"I7", "dedupe: the same bytes are one event under one id, across restarts", (*evidence).dedupe},
	{"I8", "pacing: no attempt comes before its time, also after a restart", (*evidence).pacing},
	{"I9", "data: the table holds the newest version of each entry", (*evidence).data},
	{"I10", "store: whole, and its books balance, between the kills and at the end", (*evidence).store},
	{"I11", "live: soon ready, soon at work, and nothing left behind", (*evidence).live},
	{"I12", "honest: what the router says of itself is so", (*evidence).honest},
	{"I13", "state: stats, entries and reminders are what the events make them", (*evidence).state},
}

// breach is one thing that should not be.
type breach struct{ Invariant, What string }

// judge holds the evidence against all invariants.
func (e *evidence) judge() []breach {
	e.mark()
	var found []breach
	for _, one := range invariants {
		for _, what := range one.judge(e) {
			found = append(found, breach{one.name, what})
		}
	}
	return found
}

// names are the invariants that breaches are of, each once.
func names(breaches []breach) string {
	var names []string
	for _, one := range breaches {
		if !slices.Contains(names, one.Invariant) {
			names = append(names, one.Invariant)
		}
	}
	return strings.Join(names, " ")
}

// ofStep is what a message belongs to: a step of one event.
type ofStep struct {
	n      int
	action string
}

// byStep sorts receipts by what they belong to, in the order of their arrival.
func (e *evidence) byStep() map[ofStep][]receipt {
	sorted := map[ofStep][]receipt{}
	for _, r := range e.receipts {
		of := ofStep{r.N, r.Action}
		sorted[of] = append(sorted[of], r)
	}
	for _, receipts := range sorted {
		slices.SortFunc(receipts, func(a, b receipt) int { return int(a.At - b.At) })
	}
	return sorted
}

// storedOf finds what the store holds of each event that was sent; only the first of several.
func (e *evidence) storedOf() map[int]*stored {
	found := map[int]*stored{}
	for _, one := range e.stored {
		if one.Sent != nil && found[one.Sent.N] == nil {
			found[one.Sent.N] = one
		}
	}
	return found
}

// find finds the delivery of a step; nil for none.
func (s *stored) find(of step) *delivery {
	for i := range s.Deliveries {
		if s.Deliveries[i].step == of {
			return &s.Deliveries[i]
		}
	}
	return nil
}

// accepted is the try that was answered 2xx first.
func (s *sent) accepted() (t try, ok bool) {
	for _, one := range s.Tries {
		if one.Outcome == outcomeOK && (!ok || one.Done < t.Done) {
			t, ok = one, true
		}
	}
	return t, ok
}

// crashes counts the blows within a time that excuse a repeat: the router died, or was stopped for so long that its
// attempts ran out of time.
func (e *evidence) crashes(from, until moment) int {
	n := 0
	for _, b := range e.blows {
		if b.excuses() && b.At <= until && b.Until >= from {
			n++
		}
	}
	return n
}

func (b *blow) excuses() bool { return b.Kills || b.Kind == kindPause }

// pauses counts those within a time.
func (e *evidence) pauses(from, until moment) int {
	n := 0
	for _, b := range e.blows {
		if b.Kind == kindPause && b.At <= until && b.Until >= from {
			n++
		}
	}
	return n
}

// ranOut counts the times that a lease may have run out between two sends. It was given some time before the first.
func (e *evidence) ranOut(sends []receipt) int {
	n := 0
	for i := range sends[1:] {
		if e.lease > 0 && sends[i+1].At-sends[i].At >= e.lease*3/4 {
			n++
		}
	}
	return n
}

// tookDown is the reason of a delivery whose lease was lost to three crashes in a row, which is given up as what may be
// their cause (F42). A nemesis that kills so often brings that about for the innocent.
func (d *delivery) tookDown() bool { return strings.HasPrefix(d.Reason, "took the router down") }

func about(n int, of step, format string, args ...any) string {
	return fmt.Sprintf("event %d, %s to %s: ", n, of.Rule, of.Action) + fmt.Sprintf(format, args...)
}
