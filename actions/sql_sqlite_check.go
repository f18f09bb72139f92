package actions

import (
	"context"
	"database/sql"
	"errors"

	driver "modernc.org/sqlite"
)

func (s *sqlite) check(ctx context.Context, columns []string) []SQLProblem {
	trial := s.trial(columns)
	conn, err := s.connect(ctx)
	if err != nil {
		return unreachable(s.outcome(ctx, err))
	}
	defer conn.Close()
	table, err := s.describe(ctx, conn)
	if err != nil {
		return unreachable(s.outcome(ctx, err))
	}
	problems := s.misfits(table, columns)
	if readOnly(conn) {
		problems = append(problems, SQLProblem{Message: "the database file may not be written to; check its permissions"})
	}
	if len(problems) > 0 {
		return problems
	}
	_, err = conn.ExecContext(ctx, "EXPLAIN "+s.statement(trial), make([]any, len(trial.columns))...)
	if err == nil {
		return nil
	}
	problem := SQLProblem{Message: s.outcome(ctx, err).Reason}
	var refused *driver.Error
	if errors.As(err, &refused) && noConflictTarget(refused) {
		problem = SQLProblem{s.key, sqlStates["42P10"][1]}
	}
	return []SQLProblem{problem}
}

// readOnly tells whether a database could be opened for reading only.
func readOnly(conn *sql.Conn) (is bool) {
	_ = conn.Raw(func(raw any) (err error) {
		if c, ok := raw.(interface{ IsReadOnly(string) (bool, error) }); ok {
			is, err = c.IsReadOnly("main")
		}
		return err
	})
	return is
}
