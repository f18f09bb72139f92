package store

import (
	"context"
	"database/sql"
)

const selectBodies = `SELECT seq, body FROM events WHERE seq < ? ORDER BY seq DESC LIMIT ?`

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
		var body []byte
		err := rows.Scan(&seq, &body)
		bodies, seqs = append(bodies, body), append(seqs, seq)
		return err
	})
	if err != nil {
		return nil, "", err
	}
	bodies, next := cut(page, bodies, seqs)
	return bodies, next, nil
}
