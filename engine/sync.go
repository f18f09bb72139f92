package engine

import (
	"encoding/json"
	"time"

	"github.com/peanuts-router/peanuts-router/engine/condition"
	"github.com/peanuts-router/peanuts-router/engine/rulefile"
)

// sqlStep keeps the row of an entry in step with it.
type sqlStep struct {
	columns []sqlColumn
	key     int    // its place in columns
	keep    bool   // a row whose entry is wanted no more
	mark    string // the column that marks such a row instead of deleting it
}

type sqlColumn struct {
	name     string
	value    *tree
	volatile bool
}

func (c *compiler) sql(from *rulefile.Step, action *SQLSettings) *sqlStep {
	s := &sqlStep{keep: from.OnDelete.Word.Value == rulefile.OnDeleteKeep}
	if from.OnDelete.Mark != nil {
		s.mark = from.OnDelete.Mark.Mark.Value
	}
	for i, column := range from.Upsert.Columns {
		if column.Name.Value == action.Key {
			s.key = i
		}
		value := c.tree(column.Value, condition.Column)
		s.columns = append(s.columns, sqlColumn{name: column.Name.Value, value: value, volatile: value.usesNow()})
	}
	return s
}

// sync is the step's message when it is a sync; nil when it is another.
func (s *step) sync() *sqlStep {
	sync, _ := s.message.(*sqlStep)
	return sync
}

func (s *sqlStep) freeze(j *judging) (any, []string, error) {
	r := rendering{scope: j.Scope}
	m := SQLMessage{Version: j.event.Version(j.now)}
	for _, column := range s.columns {
		m.Columns = append(m.Columns, SQLColumn{Name: column.name, Value: r.tree(column.value), Volatile: column.volatile})
	}
	if s.mark != "" {
		m.Columns = append(m.Columns, SQLColumn{Name: s.mark, Value: json.RawMessage("null")}) // the entry is there again
	}
	return m, r.absent, r.err
}

// fallback is nil: a table takes no plain text.
func (s *sqlStep) fallback(RuleName, *judging, error) any { return nil }

// remove is what the step owes once its entry is deleted, or wanted no more: nothing when it never made a row for it. Its
// error says that the order cannot be told.
func (s *step) remove(rule *rule, n int, j *judging) ([]Owed, error) {
	sync := s.sync()
	if sync == nil || sync.keep || !j.event.IsVersion() || !j.known.synced(rule.name, n) {
		return nil, nil
	}
	owed, err := s.owed(rule, n, j)
	owed.Sync = SyncRemove
	r := rendering{scope: j.Scope}
	m := SQLMessage{Version: j.event.Version(j.now), Remove: &SQLRemoval{
		Key: r.tree(sync.columns[sync.key].value), Mark: sync.mark, At: j.event.Instant(j.now).Truncate(time.Millisecond),
	}}
	if r.err != nil {
		owed.Dead = "the key of the row could not be rendered: " + r.err.Error()
	}
	return []Owed{owed.with(m, j)}, err
}
