package condition

import (
	"strconv"
	"time"

	"github.com/expr-lang/expr/vm"

	"github.com/peanuts-router/peanuts-router/peanuts"
)

// memoryBudget is how many elements one evaluation may build.
const memoryBudget = 100_000

// Scope is one event at one time, for any number of expressions one after the other. It is not safe for
// concurrent use.
type Scope struct {
	event      *peanuts.Event
	now        time.Time
	before     func() *peanuts.Event
	machine    vm.VM
	env        map[string]any // what expr sees: the scope itself, for our functions
	mismatches []Mismatch
	frames     []frame
}

// NewScope makes the scope of an event. before is asked for the event that brought the version of its entry before this
// one, each time that an expression wants to know; it answers nil when there is none, or it is not known. A nil before
// knows of none.
func NewScope(e *peanuts.Event, now time.Time, before func() *peanuts.Event) *Scope {
	s := &Scope{}
	s.machine.MemoryBudget = memoryBudget
	s.env = map[string]any{scopeName: s}
	s.Reset(e, now, before)
	return s
}

// Reset makes it the scope of another event.
func (s *Scope) Reset(e *peanuts.Event, now time.Time, before func() *peanuts.Event) {
	s.event, s.now, s.before = e, now, before
}

// EntryID is the id of the event's entry; empty when it has none.
func (s *Scope) EntryID() string { return s.event.Entry.ID }

// run evaluates a program. Mismatches gather in s.mismatches.
func (s *Scope) run(p *program) (any, error) {
	s.mismatches, s.frames = s.mismatches[:0], s.frames[:0]
	if p.native != nil {
		return p.native(s), nil
	}
	value, err := s.machine.Run(p.code, s.env)
	if err != nil {
		return nil, runError(p.source, err)
	}
	return value, nil
}

// path is a way into an event: member names and list indexes.
type path []any // of string and int

// value is what stands at the path; nil when nothing does.
func (s *Scope) value(p path) any {
	if moment, ok := s.moment(p); ok {
		return moment
	}
	var value any = s.event.Fields
	if p[0] == oldName {
		value, p = s.oldData(), p[1:]
	}
	for _, step := range p {
		if value = member(value, step); value == nil {
			return nil
		}
	}
	return value
}

// old is the event that brought the version before; nil when it is not known.
func (s *Scope) old() *peanuts.Event {
	if s.before == nil {
		return nil
	}
	return s.before()
}

// oldData is the entry's data before this event; nil when it is not known.
func (s *Scope) oldData() any {
	old := s.old()
	if old == nil || old.Entry.Data == nil {
		return nil
	}
	return old.Entry.Data
}

// isTime tells whether the path is one of the two of the envelope that are times.
func (p path) isTime() bool {
	return len(p) == 1 && p[0] == "timestamp" || len(p) == 2 && p[0] == "entry" && p[1] == "created_at"
}

// moment answers for the paths that are times.
func (s *Scope) moment(p path) (value any, ok bool) {
	if !p.isTime() {
		return nil, false
	}
	moment := s.event.Timestamp
	if len(p) == 2 {
		moment = s.event.Entry.CreatedAt
	}
	if moment.IsZero() {
		return nil, true
	}
	return moment, true
}

// member is one step into a value: a member of an object, or an item of a list, counted from its end when negative.
// What is not there is absent, also in a value that has no members.
func member(value, step any) any {
	switch in := value.(type) {
	case map[string]any:
		if name, ok := step.(string); ok {
			return in[name]
		}
	case []any:
		if index, ok := asIndex(step); ok {
			if index < 0 {
				index += len(in)
			}
			if index >= 0 && index < len(in) {
				return in[index]
			}
		}
	}
	return nil
}

func asIndex(step any) (int, bool) {
	switch n := step.(type) {
	case int:
		return n, true
	case int64:
		return int(n), true
	}
	return 0, false
}

// sent is the JSON at the path just as it was sent; false when it cannot be told, as for an index from a list's end.
func (s *Scope) sent(p path) ([]byte, bool) {
	steps := make([]string, len(p))
	for i, step := range p {
		switch step := step.(type) {
		case string:
			steps[i] = step
		case int:
			if step < 0 {
				return nil, false
			}
			steps[i] = strconv.Itoa(step)
		}
	}
	if steps[0] == oldName {
		old := s.old()
		if old == nil {
			return nil, false
		}
		return old.RawValue(append([]string{"entry", "data"}, steps[1:]...)...)
	}
	return s.event.RawValue(steps...)
}
