package store

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"

	"github.com/pressly/goose/v3"
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
		return nil
	case beside:
		return errors.New("its schema is older than this program: start the daemon once to bring it up to date")
	}
	if _, err := steps.Up(ctx); err != nil {
		return fmt.Errorf("bringing its schema from version %d to %d: %w", current, known, err)
	}
	return nil
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
