package store

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"hash/crc32"
	"io/fs"

	"github.com/pressly/goose/v3"

	"github.com/peanuts-router/peanuts-router/internal/fault"
)

//go:embed migrations/*.sql
var migrations embed.FS

// checkSchema refuses a store that this program would not understand. What is only older is brought up to date, one
// transaction a step, so that a step that was killed can be taken again (F14); for a command it stays as it is.
func checkSchema(ctx context.Context, db *sql.DB, beside bool) error {
	files, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return err
	}
	steps, err := goose.NewProvider(goose.DialectSQLite3, db, files, goose.WithDisableGlobalRegistry(true))
	if err != nil {
		return err
	}
	var known int64
	for _, step := range steps.ListSources() {
		known = max(known, step.Version)
	}
	current, err := schemaVersion(ctx, db)
	switch {
	case err != nil:
		return err
	case current > known:
		return fmt.Errorf("its schema is version %d and this program knows %d: run the peanuts-router that wrote it, or a newer one", current, known)
	case current == known:
		return sameSchema(ctx, db, beside)
	case beside:
		return errors.New("its schema is older than this program: start the daemon once to bring it up to date")
	}
	fault.Reach(fault.Migrating)
	if _, err := steps.Up(ctx); err != nil {
		return fmt.Errorf("bringing its schema from version %d to %d: %w", current, known, err)
	}
	fault.Reach(fault.Migrating)
	return noteSchema(ctx, db)
}

// refuseStranger refuses a database that another program keeps its tables in, before a store is made among them: --store was meant for
// another file. It only looks.
func refuseStranger(ctx context.Context, db *sql.DB) error {
	version, err := schemaVersion(ctx, db)
	if err != nil || version > 0 {
		return err
	}
	var held string
	if err := db.QueryRowContext(ctx, strangeTables).Scan(&held); err != nil {
		return wrap("reading its schema", err)
	}
	if held != "" {
		return fmt.Errorf("it is another program's database, it holds %s: name another file as the store", held)
	}
	return nil
}

const strangeTables = `SELECT coalesce(group_concat(name, ', '), '') FROM (SELECT name FROM sqlite_schema
	WHERE name NOT LIKE 'sqlite!_%' ESCAPE '!' AND name <> 'goose_db_version' ORDER BY name LIMIT 5)`

// SQLite keeps the text of the schema in the file, and reads by it whatever it says. So its sum stands in the file's header,
// where nothing else uses the number.
const (
	schemaText = `SELECT coalesce(group_concat(sql, ';' ORDER BY name), '') FROM sqlite_schema WHERE name NOT LIKE 'sqlite!_%' ESCAPE '!'`
	schemaSum  = `PRAGMA application_id`
)

// sameSchema refuses a store whose schema is not as it was made: of one damaged bit in it tables are read otherwise (F12).
func sameSchema(ctx context.Context, db *sql.DB, beside bool) error {
	sum, err := sumOfSchema(ctx, db)
	var noted int32
	if err == nil {
		err = db.QueryRowContext(ctx, schemaSum).Scan(&noted)
	}
	switch {
	case err != nil || noted == sum:
		return wrap("reading its schema", err)
	case noted != 0:
		return fmt.Errorf("%w: its schema is not as it was made", ErrBroken)
	case beside:
		return nil
	}
	return noteSchema(ctx, db) // who made it was killed before he could
}

// What SQLite was told of how much stands in each table, as by ANALYZE. Of a store that was small then it makes plans that go
// through all of a large one: it looks for the beginning of a range and not for its end, or for a state and not for an action.
const (
	hasStatistics    = `SELECT EXISTS (SELECT 1 FROM sqlite_schema WHERE name = 'sqlite_stat1')`
	forgetStatistics = `DROP TABLE IF EXISTS sqlite_stat4; DROP TABLE sqlite_stat1; ANALYZE sqlite_schema`
)

// withoutStatistics sees to it that statements are carried out as they were written and are tested, whoever had the store before.
func withoutStatistics(ctx context.Context, db *sql.DB) error {
	var there bool
	err := db.QueryRowContext(ctx, hasStatistics).Scan(&there)
	if err == nil && there {
		_, err = db.ExecContext(ctx, forgetStatistics)
	}
	return wrap("forgetting its statistics", err)
}

func noteSchema(ctx context.Context, db *sql.DB) error {
	sum, err := sumOfSchema(ctx, db)
	if err == nil {
		_, err = db.ExecContext(ctx, fmt.Sprintf("%s = %d", schemaSum, sum))
	}
	return wrap("noting the sum of its schema", err)
}

func sumOfSchema(ctx context.Context, db *sql.DB) (int32, error) {
	var text string
	err := db.QueryRowContext(ctx, schemaText).Scan(&text)
	return int32(crc32.ChecksumIEEE([]byte(text))), err
}

// schemaVersion is 0 for an empty file. It only looks, where goose would make its table.
func schemaVersion(ctx context.Context, db *sql.DB) (version int64, err error) {
	var begun bool
	err = db.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM sqlite_schema WHERE name = 'goose_db_version')`).Scan(&begun)
	if err == nil && begun {
		err = db.QueryRowContext(ctx, `SELECT coalesce(max(version_id), 0) FROM goose_db_version WHERE is_applied`).Scan(&version)
	}
	return version, wrap("reading its schema", err)
}
