package lint

import (
	"slices"
	"strings"
	"time"

	"github.com/peanuts-router/peanuts-router/engine/condition"
	"github.com/peanuts-router/peanuts-router/peanuts"
)

// maxFields is how many fields are learned of one helper. One with more makes names of values: nothing is said of it.
const maxFields = 5000

// Seen is what was seen of events.
type Seen struct {
	now     time.Time
	samples []sample
	helpers map[string]*fields // by command
}

// sample is a payload that rules are judged with.
type sample struct {
	name  string
	event *peanuts.Event
}

// fields are the fields of one helper's entries.
type fields struct {
	paths map[string]kinds // by their text, list indexes left out
}

// kinds counts what a field was.
type kinds struct{ texts, others int }

// NewSeen has seen nothing yet. Samples without a timestamp are judged at the time now.
func NewSeen(now time.Time) *Seen { return &Seen{now: now, helpers: map[string]*fields{}} }

// Sample adds a sample payload: rules are judged with it, and its fields are known.
func (s *Seen) Sample(name string, e *peanuts.Event) {
	s.samples = append(s.samples, sample{name: name, event: e})
	s.Event(e)
}

// Event adds an event that came once: its fields are known.
func (s *Seen) Event(e *peanuts.Event) {
	if len(e.Entry.Data) == 0 {
		return
	}
	known := s.helpers[e.Helper.Command]
	if known == nil {
		known = &fields{paths: map[string]kinds{}}
		s.helpers[e.Helper.Command] = known
	}
	known.learn([]any{"entry", "data"}, e.Entry.Data)
}

func (f *fields) learn(path []any, value any) {
	if len(f.paths) > maxFields {
		return
	}
	if len(path) > 2 {
		name := fieldName(path)
		f.paths[name] = f.paths[name].and(value)
	}
	switch v := value.(type) {
	case map[string]any:
		for name, member := range v {
			f.learn(append(slices.Clone(path), name), member)
		}
	case []any:
		for i, item := range v {
			f.learn(append(slices.Clone(path), i), item)
		}
	}
}

// and counts one value more. What is null tells nothing of its kind.
func (k kinds) and(value any) kinds {
	switch v := value.(type) {
	case nil:
	case string:
		if isNumber(v) {
			k.others++
		} else {
			k.texts++
		}
	default:
		k.others++
	}
	return k
}

// at is what a field was, by its path as a condition says it.
func (f *fields) at(path string) kinds {
	if f == nil {
		return kinds{}
	}
	return f.paths[strings.TrimPrefix(path, "entry.data.")]
}

// has tells whether a field was seen.
func (f *fields) has(name string) bool {
	if f == nil || len(f.paths) > maxFields {
		return true
	}
	_, ok := f.paths[name]
	return ok
}

// fieldName is the name of a path below entry.data, list indexes left out.
func fieldName(path []any) string {
	below := []any{}
	for _, step := range path[2:] {
		if name, isName := step.(string); isName {
			below = append(below, name)
		}
	}
	if len(below) == 0 {
		return ""
	}
	return strings.TrimPrefix(condition.PathText(append([]any{"entry"}, below...)), "entry.")
}

// moment is when a sample is judged.
func (s *Seen) moment(e *peanuts.Event) time.Time {
	if e.Timestamp.IsZero() {
		return s.now
	}
	return e.Timestamp
}
