package store

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"github.com/peanuts-router/peanuts-router/engine"
	"github.com/peanuts-router/peanuts-router/peanuts"
)

const (
	retireStat = `UPDATE stats SET current = 0, crc = crc - current WHERE id = ?`
	beginStat  = `INSERT INTO stats (name, definition, zone, position, current, reached, crc)
		VALUES (?1, ?2, ?3, ?4, 1, '', crc32c(?1, ?2, ?3) + crc32c('') + ?4 + 1)`
	placeStat = `UPDATE stats SET position = ?1, crc = crc + ?1 - position WHERE id = ?2`

	unfinishedStats = `SELECT id, name, definition, reached, ` + statIsSound + ` FROM stats WHERE current = 1 AND reached IS NOT NULL ORDER BY id`
	entriesAfter    = `SELECT n.id, e.received_at, ` + eventIsSound + ` AND ` + bodyIsSound + `, e.id, e.body FROM entries n JOIN events e ON e.seq = n.event
		WHERE n.id > ? ORDER BY n.id LIMIT ?`
	reachStat = `UPDATE stats SET reached = ?1, crc = crc + crc32c(?1) - crc32c(reached) WHERE id = ?2`

	retiredStat        = `SELECT coalesce(min(id), 0) FROM stats WHERE current = 0`
	clearContributions = `DELETE FROM contributions WHERE stat = ?1 AND entry IN (SELECT entry FROM contributions WHERE stat = ?1 LIMIT ?2)`
	clearTotals        = `DELETE FROM totals WHERE stat = ?1 AND (user, period, unit, grp) IN (SELECT user, period, unit, grp FROM totals WHERE stat = ?1 LIMIT ?2)`
	forgetStat         = `DELETE FROM stats WHERE id = ?`
)

// rebuildBatch is how many entries are added to a stat, or cleared away, in one transaction, so that no event waits for
// long.
const rebuildBatch = 100

// DefineStats says which stats there are. One that is new, or defined otherwise than before, is made anew by Rebuild; one
// that is gone is forgotten. With again all are made anew. Events that are accepted from now on count in the new ones.
func (s *Store) DefineStats(ctx context.Context, stats []engine.Stat, again bool) error {
	return wrap("defining the stats", s.writer.do(ctx, true, func(tx *transaction) error {
		if err := tx.ledger.load(tx); err != nil {
			return err
		}
		kept := map[engine.StatName]bool{}
		for _, stat := range stats {
			current, there := tx.ledger.stats[stat.Name]
			kept[stat.Name] = there && current.definition == stat.Definition && !again
		}
		for name, current := range tx.ledger.stats {
			if !kept[name] {
				if _, err := tx.exec(retireStat, current.id); err != nil {
					return err
				}
			}
		}
		for position, stat := range stats {
			var err error
			if kept[stat.Name] {
				_, err = tx.exec(placeStat, position, tx.ledger.stats[stat.Name].id)
			} else {
				_, err = tx.exec(beginStat, string(stat.Name), stat.Definition, stat.Zone, position)
			}
			if err != nil {
				return err
			}
		}
		tx.ledger.stats = nil // to be loaded again by the events behind this
		return nil
	}))
}

// Contributor tells what the newest version of an entry adds to each stat, and which stats it knows of.
type Contributor interface {
	Stats() []engine.Stat
	Contribute(e *peanuts.Event, arrived time.Time) []engine.Contribution
}

// Rebuild goes on for one batch with what DefineStats left to do: it adds entries to stats that are being made anew, and
// clears away those that are gone. done says that nothing is left to do. Interrupted, it goes on where it was.
func (s *Store) Rebuild(ctx context.Context, by Contributor) (done bool, err error) {
	err = s.writer.do(ctx, true, func(tx *transaction) error {
		done = false
		stat, found, err := unfinished(tx, by)
		if err != nil {
			return err
		}
		if found {
			return stat.advance(tx, by)
		}
		done, err = clearAway(tx)
		return err
	})
	return done, wrap("making the stats anew", err)
}

// rebuilding is a stat that is being made anew.
type rebuilding struct {
	id      int64
	name    engine.StatName
	def     string
	reached string // the last entry that is in it
}

// unfinished is the first stat that is to be made anew and is known to the contributor.
func unfinished(tx *transaction, by Contributor) (first rebuilding, found bool, err error) {
	known := map[string]bool{}
	for _, stat := range by.Stats() {
		known[string(stat.Name)+stat.Definition] = true
	}
	err = tx.rows(unfinishedStats, nil, func(rows *sql.Rows) error {
		var one rebuilding
		var sound bool
		err := rows.Scan(&one.id, (*string)(&one.name), &one.def, &one.reached, &sound)
		if err == nil && !sound {
			err = damagedStat(one.name)
		}
		if err == nil && !found && known[string(one.name)+one.def] {
			first, found = one, true
		}
		return err
	})
	return first, found, err
}

// advance adds the next entries to the stat.
func (r rebuilding) advance(tx *transaction, by Contributor) error {
	n := 0
	err := tx.rows(entriesAfter, []any{r.reached, rebuildBatch}, func(rows *sql.Rows) error {
		var received int64
		var sound bool
		var id engine.EventID
		var body []byte
		if err := rows.Scan(&r.reached, &received, &sound, (*string)(&id), &body); err != nil {
			return err
		}
		if !sound {
			return damagedEvent(id)
		}
		n++
		event, err := peanuts.Parse(body)
		if err != nil {
			return fmt.Errorf("reading the entry %s: %w", r.reached, err)
		}
		old, err := contribution(tx, r.id, r.reached)
		if err != nil {
			return err
		}
		return tx.ledger.replace(tx, r.id, r.reached, old, find(by.Contribute(event, fromMillis(received)), r.name, r.def))
	})
	if err != nil {
		return err
	}
	reached := any(r.reached)
	if n < rebuildBatch {
		reached = nil
	}
	_, err = tx.exec(reachStat, reached, r.id)
	return err
}

// clearAway removes a part of a stat that is gone; done when there is none.
func clearAway(tx *transaction) (done bool, err error) {
	var id int64
	if err := tx.row(retiredStat, nil, &id); err != nil || id == 0 {
		return err == nil, err
	}
	for _, clear := range []string{clearContributions, clearTotals} {
		if n, err := tx.exec(clear, id, rebuildBatch); err != nil || n > 0 {
			return false, err
		}
	}
	_, err = tx.exec(forgetStat, id)
	return false, err
}
