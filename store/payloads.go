package store

import (
	"context"
	"database/sql"

	"github.com/peanuts-router/peanuts-router/engine"
)

// wholeBody are the columns that scanBody reads of an event.
const wholeBody = `e.id, ` + bodyIsSound + `, e.body`

const selectBodies = `SELECT seq, ` + wholeBody + ` FROM events e WHERE seq < ? ORDER BY seq DESC LIMIT ?`

// Payloads lists the payloads of events as they were received, the newest first, and gives the cursor of the next page.
func (s *Store) Payloads(ctx context.Context, page Page) ([][]byte, string, error) {
	before, err := page.before()
	if err != nil {
		return nil, "", err
	}
	var bodies [][]byte
	var seqs []int64
	err = s.query(ctx, "listing payloads", selectBodies, []any{before, page.limit() + 1}, func(rows *sql.Rows) error {
		var seq int64
		body, err := scanBody(rows, &seq)
		bodies, seqs = append(bodies, body), append(seqs, seq)
		return err
	})
	if err != nil {
		return nil, "", err
	}
	bodies, next := cut(page, bodies, seqs)
	return bodies, next, nil
}

// scanBody reads a body that stands behind other columns, and refuses one that is not what was received.
func scanBody(rows *sql.Rows, before ...any) (body []byte, err error) {
	var id engine.EventID
	var sound bool
	err = rows.Scan(append(before, (*string)(&id), &sound, &body)...)
	if err == nil && !sound {
		err = damagedEvent(id)
	}
	return body, err
}
