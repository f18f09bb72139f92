package actions

import (
	"context"
	"database/sql"
	"fmt"
	"strings"

	"github.com/peanuts-router/peanuts-router/engine"
)

// divertedSQL writes what is meant for any database into one SQLite file, by the same statements. It makes the table and
// its columns as they are first written to.
type divertedSQL struct {
	*sqlite
	file string
}

func newDivertedSQL(settings *engine.SQLSettings, file string, connections int) (*divertedSQL, error) {
	diverted := *settings
	diverted.Table = settings.Table[strings.LastIndexByte(settings.Table, '.')+1:]
	inner, err := newSQLite(&diverted, file, connections)
	if err != nil {
		return nil, err
	}
	return &divertedSQL{sqlite: inner, file: file}, nil
}

func (d *divertedSQL) apply(ctx context.Context, c *sqlChange) (int64, *engine.Outcome) {
	if err := d.prepare(ctx, c); err != nil {
		outcome := retry("no sandbox", "the sandbox's database cannot be used")
		return 0, &outcome
	}
	return d.sqlite.apply(ctx, c)
}

// prepare makes what a change needs of the table. Its columns have no type, so that they hold each value as it came.
func (d *divertedSQL) prepare(ctx context.Context, c *sqlChange) error {
	db, err := sql.Open("sqlite", "file:"+d.file+"?_busy_timeout=5000")
	if err != nil {
		return err
	}
	defer db.Close()
	table := d.quote(d.table...)
	if _, err := db.ExecContext(ctx, fmt.Sprintf("CREATE TABLE IF NOT EXISTS %s (%s PRIMARY KEY, %s TEXT)", table, d.quote(d.key), d.quote(d.version))); err != nil {
		return err
	}
	for _, column := range c.columns {
		var there bool
		if err := db.QueryRowContext(ctx, "SELECT EXISTS (SELECT 1 FROM pragma_table_info(?) WHERE lower(name) = lower(?))", d.table[0], column.Name).Scan(&there); err != nil {
			return err
		}
		if there {
			continue
		}
		if _, err := db.ExecContext(ctx, fmt.Sprintf("ALTER TABLE %s ADD COLUMN %s", table, d.quote(column.Name))); err != nil {
			return err
		}
	}
	return nil
}
