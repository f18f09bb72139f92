package store

import (
	"context"
	"database/sql"
	"slices"
	"time"

	"github.com/peanuts-router/peanuts-router/engine"
)

const (
	selectKept = `SELECT name, text, kept_at, ` + keptIsSound + ` FROM kept_rules ORDER BY n`
	forgetKept = `DELETE FROM kept_rules`
	putKept    = `INSERT INTO kept_rules (n, name, text, kept_at, crc) VALUES (?1, ?2, ?3, ?4, crc32c(?1, ?2, ?3, ?4))`
)

// KeepRules keeps the files of the rules that came into force, in the place of those that were kept before. What is kept
// already is not written again.
func (s *Store) KeepRules(ctx context.Context, files []engine.RulesFile) error {
	kept, _, err := s.KeptRules(ctx)
	if err != nil || slices.Equal(kept, files) {
		return err
	}
	return wrap("keeping the rules", s.writer.do(ctx, true, func(tx *transaction) error {
		if _, err := tx.exec(forgetKept); err != nil {
			return err
		}
		for i, file := range files {
			if _, err := tx.exec(putKept, i+1, file.Name, file.Text, s.now().UnixMilli()); err != nil {
				return err
			}
		}
		return nil
	}))
}

// KeptRules are the files of the newest rules that came into force, and when they did; none in a store that no daemon has
// kept rules in yet.
func (s *Store) KeptRules(ctx context.Context) (files []engine.RulesFile, at time.Time, err error) {
	err = s.query(ctx, "reading the rules that were kept", selectKept, nil, func(rows *sql.Rows) error {
		var file engine.RulesFile
		var kept int64
		var sound bool
		err := rows.Scan(&file.Name, &file.Text, &kept, &sound)
		if err == nil && !sound {
			err = damaged("the rules file " + file.Name + " that was kept")
		}
		files, at = append(files, file), fromMillis(kept)
		return err
	})
	return files, at, err
}
