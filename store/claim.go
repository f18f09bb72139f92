package store

import (
	"database/sql"
	"errors"

	"github.com/peanuts-router/peanuts-router/engine"
)

// Left to itself SQLite looks for the claim of an event among all claims of its rule, by the primary key.
const (
	whoClaims = `SELECT event, ` + claimIsSound + ` FROM claims c WHERE rule = ? AND value = ?`
	putClaim  = `INSERT INTO claims (rule, value, event, crc) VALUES (?1, ?2, ?3, crc32c(?1, ?2, ?3)) ON CONFLICT DO NOTHING`

	// noteSuppressed notes the newest event that a claim kept from firing. If that is the newest version of its entry, it owes
	// nothing in the place of what the claim stands for.
	noteSuppressed = `UPDATE claims INDEXED BY claims_by_event SET suppressed = ?1, crc = crc + ?1 - coalesce(suppressed, 0) WHERE rule = ?2 AND event = ?3`

	releaseClaim = `DELETE FROM claims INDEXED BY claims_by_event WHERE rule = ?2 AND event = (SELECT id FROM events WHERE seq = ?1)
		AND NOT EXISTS (SELECT 1 FROM deliveries WHERE seq` + of1 + ` AND rule = ?2 AND state <> 'cancelled')`
)

// claimed tells the judge who holds a claim.
func (k *known) claimed(tx *transaction) func(engine.Claim) engine.EventID {
	return func(claim engine.Claim) (by engine.EventID) {
		var sound bool
		err := tx.row(whoClaims, []any{string(claim.Rule), claim.Value}, (*string)(&by), &sound)
		if err == nil && !sound {
			err = damaged("the claim of rule " + string(claim.Rule) + " for " + claim.Value)
		}
		if err != nil && !errors.Is(err, sql.ErrNoRows) {
			k.failed = err
		}
		return by
	}
}

// claim makes the claims of a judgement for which something stands, and notes what other claims have suppressed.
func (a *accepting) claim(tx *transaction, event int64, j engine.Judgement, stands map[engine.RuleName]bool) error {
	for _, claim := range j.Claims {
		if !stands[claim.Rule] {
			continue
		}
		if _, err := tx.exec(putClaim, string(claim.Rule), claim.Value, string(a.ID)); err != nil {
			return err
		}
	}
	for _, suppressed := range j.Suppressed {
		if _, err := tx.exec(noteSuppressed, event, string(suppressed.Rule), string(suppressed.By)); err != nil {
			return err
		}
	}
	return nil
}

// cancel carries out a statement that cancels deliveries and returns the event, the rule and the row of each. Claims of
// which nothing but cancelled deliveries is left are released, and their lines go on.
func (tx *transaction) cancel(text string, args ...any) error {
	type owner struct {
		event, seq int64
		rule       string
		inLine     bool
	}
	var owners []owner
	err := tx.rows(text, args, func(rows *sql.Rows) error {
		var one owner
		err := rows.Scan(&one.event, &one.rule, &one.seq, &one.inLine)
		owners = append(owners, one)
		return err
	})
	tx.moves.come(engine.Cancelled, int64(len(owners)))
	for _, one := range owners {
		if err == nil {
			_, err = tx.exec(releaseClaim, one.event, one.rule)
		}
		if err == nil && one.inLine {
			_, err = tx.moveUp(one.seq)
		}
	}
	return err
}
