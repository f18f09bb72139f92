package actions

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"

	"github.com/peanuts-router/peanuts-router/engine"
)

func (s *sqlite) alone(ctx context.Context, job *sqliteJob) {
	job.rows, job.refused = s.writeAlone(ctx, job.change)
}

// writeAlone carries out one change in one statement.
func (s *sqlite) writeAlone(ctx context.Context, c *sqlChange) (int64, *engine.Outcome) {
	conn, err := s.connect(ctx)
	if err != nil {
		return 0, s.outcome(ctx, err)
	}
	defer conn.Close()
	table, known, err := s.described(ctx, conn)
	if err != nil {
		return 0, s.outcome(ctx, err)
	}
	rows, refused := s.write(ctx, conn, c, table)
	if refused == nil || refused.Verdict != engine.VerdictDead || !known {
		return rows, refused
	}
	// The table may have been altered since it was looked up.
	s.forget()
	if table, _, err = s.described(ctx, conn); err != nil {
		return 0, s.outcome(ctx, err)
	}
	return s.write(ctx, conn, c, table)
}

// execer is a connection, or one that prepares what is said often.
type execer interface {
	ExecContext(ctx context.Context, text string, args ...any) (sql.Result, error)
}

// write carries out a change on a table as it was looked up.
func (s *sqlite) write(ctx context.Context, conn execer, c *sqlChange, table []sqlColumn) (int64, *engine.Outcome) {
	if len(table) == 0 {
		outcome := dead("SQLITE_ERROR no such table", fmt.Sprintf("table %q: there is no such table", s.sqlNames.table[0]))
		return 0, &outcome
	}
	var arguments []any
	for _, column := range c.columns {
		found := s.find(table, column.Name)
		if found == nil {
			return 0, s.misfit(column.Name, "SQLITE_ERROR no such column", "there is no such column")
		}
		if found.computed {
			return 0, s.misfit(column.Name, "SQLITE_ERROR generated column", "the database computes this column; take it out of the upsert")
		}
		argument, err := toSQLite(column.Value, found.declared)
		if err != nil {
			return 0, s.misfit(column.Name, "not storable", err.Error())
		}
		arguments = append(arguments, argument)
	}
	result, err := conn.ExecContext(ctx, s.statement(c), arguments...)
	if err != nil {
		return 0, s.outcome(ctx, err)
	}
	rows, _ := result.RowsAffected() // this driver always knows
	return rows, nil
}

func (s *sqlite) misfit(column, status, reason string) *engine.Outcome {
	outcome := dead(status, fmt.Sprintf("column %q: %s", column, reason))
	return &outcome
}

// described is the table as it is known, or as it is looked up then; none of it when there is no table.
func (s *sqlite) described(ctx context.Context, conn *sql.Conn) (table []sqlColumn, known bool, err error) {
	s.mu.Lock()
	table = s.columns
	s.mu.Unlock()
	if table != nil {
		return table, true, nil
	}
	if table, err = s.describe(ctx, conn); err != nil {
		return nil, false, err
	}
	s.mu.Lock()
	s.columns = table
	s.mu.Unlock()
	return table, false, nil
}

func (s *sqlite) forget() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.columns = nil
}

// describe looks the table up.
func (s *sqlite) describe(ctx context.Context, conn *sql.Conn) ([]sqlColumn, error) {
	rows, err := conn.QueryContext(ctx, `SELECT name, type, "notnull" AND dflt_value IS NULL, hidden <> 0, pk FROM pragma_table_xinfo(?)`, s.sqlNames.table[0])
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var table []sqlColumn
	for rows.Next() {
		var c sqlColumn
		var pk int
		if err := rows.Scan(&c.name, &c.declared, &c.required, &c.computed, &pk); err != nil {
			return nil, err
		}
		c.declared = strings.ToUpper(c.declared)
		c.text = slices.Contains([]sqliteType{sqliteText, sqliteAny}, typeOfSQLite(c.declared))
		// The one that stands for the row's number is filled by itself.
		c.required = c.required && !(pk > 0 && c.declared == "INTEGER")
		table = append(table, c)
	}
	return table, rows.Err()
}
