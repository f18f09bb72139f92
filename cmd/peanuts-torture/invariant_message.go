package main

import (
	"fmt"
	"slices"
	"time"

	"github.com/peanuts-router/peanuts-router/peanuts"
)

// phantoms is I2.
func (e *evidence) phantoms() (found []string) {
	byN := map[int]*sent{}
	for _, s := range e.sent {
		byN[s.N] = s
	}
	for _, one := range e.stored {
		if one.Sent == nil || one.Sent.Forged {
			found = append(found, fmt.Sprintf("the event %s is stored, and nobody sent it under the secret", one.ID))
		}
	}
	for of, receipts := range e.byStep() {
		s := byN[of.n]
		if s == nil || !s.mayReach(of.action) {
			found = append(found, fmt.Sprintf("%s got a message of event %d, which owes it none: %q", of.action, of.n, receipts[0].Text))
			continue
		}
		texts := e.texts(s, of.action)
		for _, r := range receipts {
			if r.Text != receipts[0].Text || !slices.Contains(texts, r.Text) {
				found = append(found, fmt.Sprintf("%s got %q of event %d, first %q; the rules in force when it came made of it one of %q", of.action, r.Text, of.n, receipts[0].Text, texts))
				break
			}
		}
	}
	return found
}

// mayReach tells whether an event may bring a message to an action.
func (s *sent) mayReach(action string) bool {
	if s.Forged || !s.Matches || s.Name == peanuts.EntryDeleted || !s.mayBeStored() {
		return false
	}
	if action == actionReminders {
		return s.Due != ""
	}
	return slices.ContainsFunc(s.owes(), func(owed step) bool { return owed.Action == action })
}

// mayBeStored tells whether any try to send an event was not refused.
func (s *sent) mayBeStored() bool {
	return slices.ContainsFunc(s.Tries, func(t try) bool { return t.Outcome != outcomeFail }) || len(s.Tries) == 0
}

// reloadedWithin is how long a router may take to notice new rules that nobody told it of.
const reloadedWithin = 3 * time.Second

// texts are what the message of an event may say: what the rules made of it that may have been in force between its first
// sending and the first answer that it is stored.
func (e *evidence) texts(s *sent, action string) (texts []string) {
	from, until := forEver, forEver
	for _, t := range s.Tries {
		from = min(from, t.At)
	}
	if len(s.Tries) == 0 {
		from = 0
	}
	if t, ok := s.accepted(); ok {
		until = t.Done
	}
	for i, v := range e.variants {
		replaced := i+1 < len(e.variants) && e.variants[i+1].At+reloadedWithin < from
		if v.At <= until && !replaced {
			texts = append(texts, s.says(action, v.Number))
		}
	}
	return texts
}

// keys is I4.
func (e *evidence) keys() (found []string) {
	owners := map[string]ofStep{}
	for of, receipts := range e.byStep() {
		for _, r := range receipts {
			if r.Key == "" || r.Key != receipts[0].Key {
				found = append(found, fmt.Sprintf("event %d went to %s under the keys %q and %q", of.n, of.action, receipts[0].Key, r.Key))
				break
			}
		}
		key := receipts[0].Key
		if other, taken := owners[key]; taken && other != of {
			found = append(found, fmt.Sprintf("event %d to %s and event %d to %s share the key %q", other.n, other.action, of.n, of.action, key))
		}
		owners[key] = of
	}
	return found
}

// repeats is I3.
func (e *evidence) repeats() (found []string) {
	for of, receipts := range e.byStep() {
		if repeats, excused := e.repeated(receipts); repeats > excused {
			found = append(found, fmt.Sprintf("%s said yes to event %d %d times, with %d reasons for it", of.action, of.n, repeats+1, excused))
		}
	}
	return found
}

// repeated counts the times that a target was asked again after it had said yes, and what excuses it: crashes, and answers that
// the router may not have heard.
func (e *evidence) repeated(receipts []receipt) (repeats, excused int) {
	var yes []receipt
	for i := range receipts {
		if receipts[i].said() {
			yes = append(yes, receipts[i])
		}
	}
	if len(yes) < 2 {
		return 0, 0
	}
	return len(yes) - 1, e.crashes(yes[0].At, yes[len(yes)-1].At) + e.ranOut(yes) + unheard(yes)
}

// dedupe is I7.
func (e *evidence) dedupe() (found []string) {
	texts, ids := map[string]string{}, map[string]*stored{}
	for _, one := range e.stored {
		if other, twice := texts[one.Text]; twice {
			found = append(found, fmt.Sprintf("the same bytes are the events %s and %s", other, one.ID))
		}
		texts[one.Text], ids[one.ID] = one.ID, one
	}
	for _, s := range e.sent {
		first, ok := s.accepted()
		for _, t := range s.Tries {
			if ok && t.Outcome == outcomeOK && t.ID != first.ID {
				found = append(found, fmt.Sprintf("event %d was answered with the ids %q and %q", s.N, first.ID, t.ID))
			}
		}
		if one := ids[first.ID]; ok && one != nil && one.Text != string(s.Body) {
			found = append(found, fmt.Sprintf("event %d was answered with the id %q, which is another event's", s.N, first.ID))
		}
	}
	return found
}
