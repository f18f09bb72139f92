package actions

import (
	"context"
	"errors"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
)

// columnsOfPostgres describes a table: name, type, whether it is text, required, computed.
const columnsOfPostgres = `
	SELECT a.attname::text, format_type(a.atttypid, a.atttypmod), t.typcategory = 'S',
		(a.attnotnull OR t.typnotnull) AND NOT a.atthasdef AND t.typdefault IS NULL AND a.attidentity = '',
		a.attgenerated <> '' OR a.attidentity = 'a'
	FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_type t ON t.oid = a.atttypid
	WHERE a.attrelid = to_regclass($1::text) AND a.attnum > 0 AND NOT a.attisdropped
	ORDER BY a.attnum`

// describe returns the columns of the table; none when there is no table.
func (p *postgres) describe(ctx context.Context, pool *pgxpool.Pool) ([]sqlColumn, error) {
	rows, err := pool.Query(ctx, columnsOfPostgres, p.quote(p.table...))
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (sqlColumn, error) {
		var c sqlColumn
		err := row.Scan(&c.name, &c.declared, &c.text, &c.required, &c.computed)
		return c, err
	})
}

func (p *postgres) check(ctx context.Context, columns []string) []SQLProblem {
	pool, err := p.connections()
	if err != nil {
		return unreachable(p.outcome(ctx, nil, nil, err))
	}
	table, err := p.describe(ctx, pool)
	if err != nil {
		return unreachable(p.outcome(ctx, pool, p.trial(columns), err))
	}
	problems := p.misfits(table, columns)
	if len(problems) > 0 {
		return problems
	}
	trial := p.trial(columns)
	if _, err = pool.Exec(ctx, "EXPLAIN "+p.statement(trial), "{}"); err == nil {
		return nil
	}
	problem := SQLProblem{Message: p.outcome(ctx, pool, trial, err).Reason}
	var refused *pgconn.PgError
	if errors.As(err, &refused) && refused.Code == "42P10" {
		problem = SQLProblem{p.key, sqlStates["42P10"][1]}
	}
	return []SQLProblem{problem}
}
