package rulefile

import (
	"fmt"
	"strings"
)

func (c *checker) sql(a *Action) {
	s := a.SQL
	for _, setting := range []struct {
		key   string
		value Text
	}{{"database", s.Database}, {"table", s.Table}, {"key", s.Key}, {"version", s.Version}} {
		c.required(a.Name.anchored, setting.value.anchored, setting.key)
		if setting.value.IsSet() && setting.value.Value == "" {
			c.at(setting.value.anchored, "bad-value", setting.key+" must not be empty")
		}
	}
	if s.Database.Value != "" && !strings.HasPrefix(s.Database.Value, "${") && !isDatabase(s.Database.Value) {
		c.at(s.Database.anchored, "bad-url", "database must be sqlite:FILE or postgres://user@host/name")
	}
	if s.Key.IsSet() && s.Key.Value == s.Version.Value {
		c.at(s.Version.anchored, "bad-value", "key and version must be two columns")
	}
}

func isDatabase(name string) bool {
	for _, scheme := range []string{"sqlite:", "postgres://", "postgresql://"} {
		if rest, ok := strings.CutPrefix(name, scheme); ok && rest != "" {
			return true
		}
	}
	return false
}

// upsert checks the columns of a step against what its action fills itself.
func (c *checker) upsert(s *Step, action *Action) {
	if len(s.Upsert.Columns) == 0 {
		switch {
		case !s.Upsert.IsSet():
			c.at(s.Where.anchored, "missing-key", "an sql step needs upsert, the columns with their values")
		case !s.Upsert.bad:
			c.at(s.Upsert.anchored, "missing-key", "upsert names no column")
		}
		return
	}
	if s.At.IsSet() {
		c.at(s.At.anchored, "bad-value", "at does not go with upsert: a row follows its entry at once")
	}
	keyed := false
	for _, column := range s.Upsert.Columns {
		switch {
		case column.Name.Value == "":
			c.at(column.Name.anchored, "bad-name", "a column's name must not be empty")
		case column.Name.Value == action.SQL.Version.Value:
			c.at(column.Name.anchored, "bad-value", "the router fills the version column itself; leave it out")
		case column.Name.Value == action.SQL.Key.Value:
			keyed = true
			c.key(column)
		}
	}
	if !keyed && action.SQL.Key.Value != "" {
		c.at(s.Upsert.Columns[0].Name.anchored, "missing-key", fmt.Sprintf("the key column %s is missing; map it to \"{{ entry.id }}\"", action.SQL.Key.Value))
	}
	c.onDelete(s, action)
}

// key checks that the row of an entry stays the same one: it can be found again, also when the entry is deleted.
func (c *checker) key(column Column) {
	t := column.Value
	if t.Scalar == nil || !strings.Contains(t.Scalar.Value, "entry.id") || strings.Contains(t.Scalar.Value, "entry.data") || strings.Contains(t.Scalar.Value, "old") {
		c.at(column.Name.anchored, "bad-value", "the key column must be made of entry.id alone, as in \"{{ entry.id }}\": its row must be found again when the entry is deleted")
	}
}

func (c *checker) onDelete(s *Step, action *Action) {
	o := s.OnDelete
	switch {
	case o.Mark != nil:
		c.required(o.anchored, o.Mark.Mark.anchored, "mark")
		name := o.Mark.Mark.Value
		if name != "" && (name == action.SQL.Key.Value || name == action.SQL.Version.Value) {
			c.at(o.Mark.Mark.anchored, "bad-value", "the marked column must be neither key nor version")
		}
		for _, column := range s.Upsert.Columns {
			if column.Name.Value == name && name != "" {
				c.at(column.Name.anchored, "bad-value", "on_delete fills this column; leave it out")
			}
		}
	case o.Word.IsSet() && o.Word.Value != OnDeleteRow && o.Word.Value != OnDeleteKeep:
		c.at(o.Word.anchored, "bad-value", "on_delete is delete, keep, or {mark: COLUMN}")
	}
}

// stats checks what conditions do not say.
func (c *checker) stats() {
	named := map[string]Text{}
	for _, stat := range c.file.Stats {
		c.name("stat", stat.Name, named)
		c.required(stat.Name.anchored, stat.When.anchored, "when")
		c.required(stat.Name.anchored, stat.Value.anchored, "value")
		for key, text := range map[string]Text{"when": stat.When, "exclude": stat.Exclude, "value": stat.Value, "group_by": stat.GroupBy, "unit": stat.Unit} {
			c.expression(key, text)
		}
	}
}
