package actions

import (
	"context"
	"fmt"
	"strings"

	"github.com/agnivade/levenshtein"

	"github.com/peanuts-router/peanuts-router/engine"
)

// SQLProblem is something that stands in the way of writing to a table.
type SQLProblem struct {
	Column  string // empty when it is about the table or the database
	Message string // for people; it holds no secret
}

// CheckSQL connects to the database of an action and tells what stands in the way of writing these columns, the one that
// marks what was removed among them; key and version are looked at in any case. Nothing is written.
func CheckSQL(ctx context.Context, settings *engine.SQLSettings, columns []string) []SQLProblem {
	database, err := newSQLDatabase(settings, 1)
	if err != nil {
		return []SQLProblem{{Message: err.Error()}}
	}
	defer database.close()
	return database.check(ctx, columns)
}

// sqlColumn is a column as the database describes it.
type sqlColumn struct {
	name     string
	declared string // its type
	text     bool   // it holds text
	required bool   // it needs a value and has none by itself
	computed bool   // it cannot be written
}

func (n *sqlNames) find(table []sqlColumn, name string) *sqlColumn {
	for i := range table {
		if n.fold(table[i].name) == n.fold(name) {
			return &table[i]
		}
	}
	return nil
}

// misfits compares a table with the columns that are to be written.
func (n *sqlNames) misfits(table []sqlColumn, columns []string) []SQLProblem {
	if len(table) == 0 {
		return []SQLProblem{{Message: fmt.Sprintf("there is no table %q", strings.Join(n.table, "."))}}
	}
	var problems []SQLProblem
	written := map[string]bool{}
	for _, name := range append([]string{n.key, n.version}, columns...) {
		if written[n.fold(name)] {
			continue
		}
		written[n.fold(name)] = true
		found := n.find(table, name)
		switch {
		case found == nil:
			problems = append(problems, SQLProblem{name, "there is no such column" + didYouMean(name, table)})
		case found.computed:
			problems = append(problems, SQLProblem{name, "the database computes this column; take it out of the upsert"})
		case n.fold(name) == n.fold(n.version) && !found.text:
			problems = append(problems, SQLProblem{name, "the version is text, but this column is declared " + found.declared})
		}
	}
	for _, column := range table {
		if column.required && !written[n.fold(column.name)] {
			problems = append(problems, SQLProblem{column.name, "the column needs a value (NOT NULL without a default), but nothing is written to it"})
		}
	}
	return problems
}

// didYouMean suggests the column that differs least, if one comes near.
func didYouMean(name string, table []sqlColumn) string {
	best, fewest := "", (len(name)+2)/3+1
	for _, column := range table {
		if d := levenshtein.ComputeDistance(strings.ToLower(name), strings.ToLower(column.name)); d < fewest {
			best, fewest = column.name, d
		}
	}
	if best == "" {
		return ""
	}
	return fmt.Sprintf(", did you mean %q?", best)
}

// trial is an upsert of these columns, to have the database explain it.
func (n *sqlNames) trial(columns []string) *sqlChange {
	c := &sqlChange{}
	seen := map[string]bool{}
	for _, name := range append([]string{n.key, n.version}, columns...) {
		if !seen[n.fold(name)] {
			c.columns = append(c.columns, engine.SQLColumn{Name: name, Value: []byte("null")})
		}
		seen[n.fold(name)] = true
	}
	return c
}

// unreachable is the one problem of a database that does not answer, or not as it should.
func unreachable(outcome *engine.Outcome) []SQLProblem {
	return []SQLProblem{{Message: "the database cannot be used: " + outcome.Reason}}
}
