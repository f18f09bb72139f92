package store

import (
	"strings"
	"time"

	"github.com/peanuts-router/peanuts-router/engine"
)

// Filter says which deliveries are wanted; what is empty does not matter.
type Filter struct {
	State  engine.State
	Action engine.ActionName
	Rule   engine.RuleName
	Event  engine.EventID
	Since  time.Time // only those that were owed then or later: whose event came, or was replayed
	Reason string    // only those with this text in their last error
}

// terms are the filter as SQL that goes on after another condition on deliveries d. Values go as parameters only, so
// that the text is the same for all of them.
func (f Filter) terms() (text string, args []any) {
	var terms strings.Builder
	add := func(term string, values ...any) {
		terms.WriteString(" AND " + term)
		args = append(args, values...)
	}
	switch f.State {
	case "":
	case engine.Pending, engine.Sending, engine.Dead:
		terms.WriteString(" AND d.state = '" + string(f.State) + "'") // written out, so that the index of the state serves
	default:
		add("d.state = ?", string(f.State))
	}
	if f.Action != "" {
		add("d.action = ?", string(f.Action))
	}
	if f.Rule != "" {
		add("d.rule = ?", string(f.Rule))
	}
	if f.Event != "" {
		id := string(f.Event)
		add("d.seq BETWEEN (SELECT seq << 20 FROM events WHERE id = ?) AND (SELECT seq << 20 | 1048575 FROM events WHERE id = ?)", id, id)
	}
	if !f.Since.IsZero() {
		add("d.created_at >= ?", f.Since.UnixMilli())
	}
	if f.Reason != "" {
		add("instr(d.last_error, ?) > 0", f.Reason)
	}
	return terms.String(), args
}

// dead is the filter for the dead letters among what it is for.
func (f Filter) dead() Filter {
	f.State = engine.Dead
	return f
}
