package engine

import "github.com/peanuts-router/peanuts-router/engine/rulefile"

// Table is a table of a database, and the columns of it that a step of a rule writes.
type Table struct {
	Action   Action
	Settings *SQLSettings
	Columns  []string

	from   *rulefile.Action
	step   rulefile.Text // what names the action
	places map[string]rulefile.Text
}

// table is what a step of an sql action writes; nil of another.
func (c *compiler) table(from *rulefile.Step, action Action) *Table {
	settings, ok := action.Settings.(*SQLSettings)
	if !ok {
		return nil
	}
	t := &Table{Action: action, Settings: settings, step: from.Action, places: map[string]rulefile.Text{}}
	for i := range c.file.Actions {
		if c.file.Actions[i].Name.Value == string(action.Name) {
			t.from = &c.file.Actions[i]
		}
	}
	for _, column := range from.Upsert.Columns {
		t.add(column.Name)
	}
	if from.OnDelete.Mark != nil {
		t.add(from.OnDelete.Mark.Mark)
	}
	return t
}

func (t *Table) add(column rulefile.Text) {
	t.Columns = append(t.Columns, column.Value)
	t.places[column.Value] = column
}

// Problem tells of something wrong with a column of the table, or with the table as a whole when it names none, at the
// place of the file that speaks of it.
func (t *Table) Problem(column, message string) rulefile.Problem {
	where, known := t.places[column]
	switch {
	case column == "":
		where = t.from.SQL.Table
	case known:
	case column == t.Settings.Version:
		where = t.from.SQL.Version
	case column == t.Settings.Key:
		where = t.from.SQL.Key
	default:
		where = t.step // a column that the step does not write
	}
	if column != "" {
		message = "column " + column + ": " + message
	}
	p := where.Problem(0, len(where.Value), "table-misfit", message)
	p.Hint = ""
	return p
}

// Tables are what the rules write to tables, in the order of the file.
func (r *Rules) Tables() []Table {
	var tables []Table
	for _, rule := range r.rules {
		for i := range rule.steps {
			if table := rule.steps[i].table; table != nil {
				tables = append(tables, *table)
			}
		}
	}
	return tables
}
