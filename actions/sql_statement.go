package actions

import (
	"fmt"
	"strings"
	"sync"
)

// sqlDialect writes statements for one kind of database. The table is t in them; all values are parameters, and all
// names are quoted.
type sqlDialect struct {
	sqlNames
	quote  func(name ...string) string
	source string                            // what values are read from: r; empty where each is a parameter
	value  func(i int, column string) string // the value of the ith column
	bytes  func(expression string) string    // a text that is compared by its bytes
	differ func(column, other string) string // whether two values of one column are not the same

	mu    sync.Mutex
	texts map[string]string // of the statements of late, by the shape of the change: most are alike
}

// manyTexts is how many texts are kept, more than rules have for one table.
const manyTexts = 100

// statement is a change as one statement. A row of the same version or a newer one stays as it is (C16, P19).
func (d *sqlDialect) statement(c *sqlChange) string {
	shape := c.appendShape(make([]byte, 0, 256))
	d.mu.Lock()
	defer d.mu.Unlock()
	text, ok := d.texts[string(shape)]
	if !ok {
		if d.texts == nil || len(d.texts) == manyTexts {
			d.texts = map[string]string{}
		}
		text = d.compose(c)
		d.texts[string(shape)] = text
	}
	return text
}

func (d *sqlDialect) compose(c *sqlChange) string {
	switch {
	case c.mark != "":
		return d.marking(c)
	case c.remove:
		return d.removal(c)
	}
	return d.upsert(c)
}

func (d *sqlDialect) upsert(c *sqlChange) string {
	var names, values, sets []string
	for i, column := range c.columns {
		name := d.quote(column.Name)
		names = append(names, name)
		values = append(values, d.value(i, column.Name))
		switch {
		case d.fold(column.Name) == d.fold(d.key):
		case column.Volatile:
			sets = append(sets, fmt.Sprintf("%s = CASE WHEN %s THEN excluded.%s ELSE t.%s END", name, d.changes(c), name, name))
		default:
			sets = append(sets, fmt.Sprintf("%s = excluded.%s", name, name))
		}
	}
	from := "VALUES (" + strings.Join(values, ", ") + ")"
	if d.source != "" {
		from = "SELECT " + strings.Join(values, ", ") + " FROM " + d.source
	}
	return fmt.Sprintf("INSERT INTO %s AS t (%s) %s ON CONFLICT (%s) DO UPDATE SET %s WHERE %s", d.quote(d.table...),
		strings.Join(names, ", "), from, d.quote(d.key), strings.Join(sets, ", "), d.isNewer("excluded."+d.quote(d.version)))
}

// changes tells whether an upsert changes a row in more than what differs each time (P17).
func (d *sqlDialect) changes(c *sqlChange) string {
	conditions := []string{"1 = 0"}
	for _, column := range c.columns {
		folded := d.fold(column.Name)
		if column.Volatile || folded == d.fold(d.key) || folded == d.fold(d.version) {
			continue
		}
		name := d.quote(column.Name)
		conditions = append(conditions, d.differ("t."+name, "excluded."+name))
	}
	return strings.Join(conditions, " OR ")
}

func (d *sqlDialect) marking(c *sqlChange) string {
	from := ""
	if d.source != "" {
		from = " FROM " + d.source
	}
	return fmt.Sprintf("UPDATE %s AS t SET %s = %s, %s = %s%s WHERE %s", d.quote(d.table...), d.quote(c.mark), d.value(1, c.mark),
		d.quote(d.version), d.value(2, d.version), from, d.isRow(2))
}

func (d *sqlDialect) removal(*sqlChange) string {
	using := ""
	if d.source != "" {
		using = " USING " + d.source
	}
	return fmt.Sprintf("DELETE FROM %s AS t%s WHERE %s", d.quote(d.table...), using, d.isRow(1))
}

// isRow picks the row of the key, which is the first column, when the version, which is the last, is newer.
func (d *sqlDialect) isRow(last int) string {
	return fmt.Sprintf("t.%s = %s AND %s", d.quote(d.key), d.value(0, d.key), d.isNewer(d.value(last, d.version)))
}

func (d *sqlDialect) isNewer(version string) string {
	old := "t." + d.quote(d.version)
	return fmt.Sprintf("(%s IS NULL OR %s < %s)", old, d.bytes(old), d.bytes(version))
}
