package store

import (
	"database/sql"
	"errors"
	"fmt"
	"runtime/debug"

	"github.com/peanuts-router/peanuts-router/engine"
	"github.com/peanuts-router/peanuts-router/peanuts"
)

const (
	selectEntry = `SELECT version, deleted, event, ` + entryIsSound + ` FROM entries n WHERE id = ?`
	putEntry    = `INSERT INTO entries (id, version, deleted, event, crc) VALUES (?, ?, ?, ?, ?)
		ON CONFLICT (id) DO UPDATE SET version = excluded.version, deleted = excluded.deleted, event = excluded.event, crc = excluded.crc`
	selectBody = `SELECT ` + wholeBody + ` FROM events e WHERE e.seq = ?`

	syncedOf     = `SELECT rule, step, ` + syncedIsSound + ` FROM synced s WHERE entry = ?`
	putSynced    = `INSERT INTO synced (entry, rule, step, crc) VALUES (?1, ?2, ?3, crc32c(?1, ?2, ?3)) ON CONFLICT DO NOTHING`
	forgetSynced = `DELETE FROM synced WHERE entry = ? AND rule = ? AND step = ?`

	cancelOlder = `UPDATE deliveries SET state = 'cancelled', turn = 0, ` + toldOtherwise + ` WHERE entry = ?2 AND state = 'pending'
		RETURNING event, rule, seq, line IS NOT NULL`
	cancelTwins = `UPDATE deliveries SET state = 'cancelled', turn = 0, ` + toldOtherwise + `
		WHERE entry = ?2 AND rule = ?3 AND step = ?4 AND state = 'pending' AND at = ?5 RETURNING event, rule, seq, line IS NOT NULL`

	selectFollower = `SELECT d.entry, d.rule, d.step, d.at, d.sync IS 'remove', ` + isOutdated + `,
			EXISTS (SELECT 1 FROM deliveries w WHERE w.entry = d.entry AND w.rule = d.rule AND w.step = d.step AND w.state = 'pending')
		FROM deliveries d JOIN entries n ON n.id = d.entry WHERE d.seq = ?`
	hasWaiting = `SELECT EXISTS (SELECT 1 FROM deliveries WHERE entry = ? AND rule = ? AND step = ? AND state = 'pending')`

	// Whether the entry n of a delivery d has moved on. A newer version that the delivery's own claim has suppressed owes
	// nothing in its place, and does not count.
	isOutdated = `n.event <> d.event AND NOT EXISTS (SELECT 1 FROM claims c INDEXED BY claims_by_event
			WHERE c.event = (SELECT h.id FROM events h WHERE h.seq = d.event) AND c.rule = d.rule AND c.suppressed = n.event)`

	// Of the deliveries of one rule and step that follow one entry.
	lineOf = `SELECT EXISTS (SELECT 1 FROM deliveries WHERE entry = ?1 AND rule = ?2 AND step = ?3 AND state = 'sending'),
			EXISTS (SELECT 1 FROM deliveries WHERE entry = ?1 AND rule = ?2 AND step = ?3 AND state = 'delivered' AND at = ?4)`
)

// The reasons of what is cancelled.
const (
	movedOn   = "its entry moved on: a newer version came"
	wasSent   = "the same reminder was sent for an earlier version of its entry"
	noVersion = "" // of an entry that is not known yet
)

// known is what the store holds of an event's entry.
type known struct {
	engine.Known
	version string // the newest; noVersion for none
	failed  error  // what went wrong when more was asked for
}

// recall reads what is known of the event's entry.
func (a *accepting) recall(tx *transaction) (*known, error) {
	k := &known{}
	k.Claimed = k.claimed(tx)
	if a.version == "" {
		return k, nil
	}
	var deleted, sound bool
	var event int64
	err := tx.row(selectEntry, []any{a.Event.Entry.ID}, &k.version, &deleted, &event, &sound)
	if errors.Is(err, sql.ErrNoRows) {
		return k, nil
	}
	if err == nil && !sound {
		err = damaged("entry " + a.Event.Entry.ID)
	}
	if err != nil {
		return nil, err
	}
	k.Late = k.version > a.version
	if !k.Late && !deleted {
		k.Before = k.remembering(tx, event)
	}
	k.Synced = k.tables(tx, a.Event.Entry.ID)
	return k, nil
}

// tables tells of the tables that may hold a row of the entry, read together when the first is asked for.
func (k *known) tables(tx *transaction, entry string) func(engine.StepID) bool {
	var synced map[engine.StepID]bool
	return func(id engine.StepID) bool {
		if synced == nil {
			synced = map[engine.StepID]bool{}
			err := tx.rows(syncedOf, []any{entry}, func(rows *sql.Rows) error {
				var one engine.StepID
				var sound bool
				err := rows.Scan((*string)(&one.Rule), &one.Step, &sound)
				if err == nil && !sound {
					err = damaged("what is kept of the tables of entry " + entry)
				}
				synced[one] = true
				return err
			})
			if err != nil {
				k.failed = err
			}
		}
		return synced[id]
	}
}

// remembering gives the event that brought the version before, read when it is first asked for.
func (k *known) remembering(tx *transaction, seq int64) func() *peanuts.Event {
	var event *peanuts.Event
	asked := false
	return func() *peanuts.Event {
		if asked {
			return event
		}
		asked = true
		err := tx.rows(selectBody, []any{seq}, func(rows *sql.Rows) error {
			body, err := scanBody(rows)
			if err == nil {
				event, err = peanuts.Parse(body)
			}
			return err
		})
		if err == nil && event == nil {
			err = damaged("an entry of which the newest event is not there")
		}
		if err != nil {
			k.failed = err
		}
		return event
	}
}

// supersede cancels what follows an older version of the event's entry, before the rules judge the newer one: it may
// claim what is released by that.
func (a *accepting) supersede(tx *transaction, k *known) error {
	if a.version == "" || k.Late || k.version == noVersion {
		return nil
	}
	return tx.cancel(cancelOlder, movedOn, a.Event.Entry.ID)
}

// moveOn makes the event's version the newest of its entry, and replaces what the entry adds to the stats.
func (a *accepting) moveOn(tx *transaction, seq int64, k *known, j engine.Judgement) error {
	id := a.Event.Entry.ID
	deleted := a.Event.Event == peanuts.EntryDeleted
	if _, err := tx.exec(putEntry, id, a.version, deleted, seq, tx.writer.summing.entry(id, a.version, deleted, seq)); err != nil {
		return err
	}
	for _, owed := range j.Owed {
		if owed.Sync != engine.SyncUpsert || owed.Shadow {
			continue
		}
		if _, err := tx.exec(putSynced, id, string(owed.Rule), owed.Step); err != nil {
			return err
		}
	}
	return contribute(tx, id, k.version != noVersion, j.Contributions, &a.receipt)
}

// line is what else there is of a rule and step that follows an entry.
type line struct {
	busy bool // one is being sent
	sent bool // the reminder of this instant was sent
}

func lookInto(tx *transaction, entry string, rule engine.RuleName, step int, at any) (l line, err error) {
	err = tx.row(lineOf, []any{entry, string(rule), step, at}, &l.busy, &l.sent)
	return l, err
}

// settleFollower settles what goes with an entry: what would be tried again is cancelled when the entry has moved on, a
// reminder that was sent is not sent again for a newer version, and a table is known to hold no row of the entry only once
// the row is removed: a removal may be cancelled for a newer version, which then owes its own.
func settleFollower(tx *transaction, seq int64, recorded *engine.Recorded) error {
	var entry, rule string
	var step int
	var at sql.NullInt64
	var removal, outdated bool
	if err := tx.row(selectFollower, []any{seq}, &entry, &rule, &step, &at, &removal, &outdated, &recorded.Freed); err != nil {
		return err
	}
	var err error
	switch {
	case recorded.State == engine.Pending && outdated:
		recorded.State = engine.Cancelled
		err = tx.cancel(cancelOne, movedOn, seq)
	case recorded.State == engine.Delivered && removal && !outdated:
		_, err = tx.exec(forgetSynced, entry, rule, step)
		return err
	case recorded.State == engine.Delivered && at.Valid:
		err = tx.cancel(cancelTwins, wasSent, entry, rule, step, at.Int64)
	default:
		return nil
	}
	if err != nil {
		return err
	}
	return tx.row(hasWaiting, []any{entry, rule, step}, &recorded.Freed) // of those that were not cancelled
}

// panicked is a judge that panicked.
type panicked struct {
	cause any
	stack string
}

func (p *panicked) Error() string {
	return fmt.Sprintf("judging the event panicked: %v\n%s", p.cause, p.stack)
}

func stack() string { return string(debug.Stack()) }
