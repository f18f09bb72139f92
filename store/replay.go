package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"

	"github.com/peanuts-router/peanuts-router/engine"
)

const (
	// givenOut are the highest numbers that an event has given to deliveries and to replays.
	givenOut = `SELECT e.seq, (SELECT coalesce(max(d.seq) & 1048575, 0) FROM deliveries d WHERE d.seq` + ofE + `),
			(SELECT coalesce(max(n), 0) FROM replays WHERE event = e.seq)
		FROM events e WHERE e.id = ?`
	putReplay = `INSERT INTO replays (event, n, at, rules, digest, judgement, crc) VALUES (?1, ?2, ?3, ?4, ?5, ?6, crc32c(?1, ?2, ?3, ?4, ?5, ?6))`

	selectReplays = `SELECT r.n, r.at, r.rules, r.digest, r.judgement, ` + replayIsSound + ` FROM replays r JOIN events e ON e.seq = r.event WHERE e.id = ? ORDER BY r.n`
)

// ReplayEvent judges a stored event once more, and commits what follows from that in one transaction: the judgement, the
// deliveries with the next numbers of the event, and the claims. What is known of entries, the stats, and what waits for
// entries stay as they are. It is ErrNotFound when there is no such event.
func (s *Store) ReplayEvent(ctx context.Context, r *engine.Rejudging) (n int, err error) {
	err = s.writer.do(ctx, true, func(tx *transaction) error {
		again := accepting{Acceptance: &engine.Acceptance{ID: r.ID, Event: r.Event, ReceivedAt: r.At, Judge: r.Judge}}
		var event int64
		err := tx.row(givenOut, []any{string(r.ID)}, &event, &again.given, &n)
		if errors.Is(err, sql.ErrNoRows) {
			n = 0
			return nil
		}
		n++
		if err != nil {
			return err
		}
		return again.replay(tx, event, n, r)
	})
	if err == nil && n == 0 {
		err = ErrNotFound
	}
	return n, wrap("replaying the event "+string(r.ID), err)
}

// replay judges the event as its nth replay, and stores what follows. Since it brings no version of its entry, nothing of
// that goes with the entry.
func (a *accepting) replay(tx *transaction, event int64, n int, r *engine.Rejudging) error {
	known := &known{}
	known.Claimed = known.claimed(tx)
	judgement, err := a.judge(known.Known)
	if err == nil {
		err = known.failed
	}
	if err != nil {
		return err
	}
	if slices.ContainsFunc(judgement.Owed, func(owed engine.Owed) bool { return owed.Follows() }) {
		return errors.New("a replay owes nothing that goes with an entry")
	}
	text, err := judgementText(judgement)
	if err != nil {
		return err
	}
	if text == nil {
		text = "{}"
	}
	if _, err := tx.exec(putReplay, event, n, r.At.UnixMilli(), r.Rules, r.Digest, text); err != nil {
		return err
	}
	a.replayed = int64(n)
	stands, err := a.owe(tx, event, judgement)
	if err != nil {
		return err
	}
	judgement.Suppressed = nil // what a claim suppresses is noted of the events that stand for their entries
	return a.claim(tx, event, judgement, stands)
}

// replaysOf are the replays of an event, the first one first; nil when there are none.
func (s *Store) replaysOf(ctx context.Context, event engine.EventID) (replays []engine.Replay, err error) {
	err = s.query(ctx, "reading the replays of an event", selectReplays, []any{string(event)}, func(rows *sql.Rows) error {
		var replay engine.Replay
		var at int64
		var text string
		var sound bool
		err := rows.Scan(&replay.N, &at, &replay.Rules, &replay.Digest, &text, &sound)
		if err == nil && !sound {
			err = damaged(fmt.Sprintf("replay %d of event %s", replay.N, event))
		}
		if err != nil {
			return err
		}
		replay.At = fromMillis(at)
		replay.Verdicts, err = verdicts(text)
		replays = append(replays, replay)
		return err
	})
	return replays, err
}
