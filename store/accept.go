package store

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/peanuts-router/peanuts-router/engine"
	"github.com/peanuts-router/peanuts-router/internal/fault"
)

const (
	countDuplicate = `UPDATE events SET duplicates = duplicates + 1, crc = crc + 1 WHERE timestamp = ? AND digest = ?
		RETURNING id, (SELECT ` + eventIsSound + ` FROM events e WHERE e.seq = events.seq)`
	insertEvent = `INSERT INTO events (id, timestamp, digest, received_at, name, helper, entry_id, generation, judgement, crc, body)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`
)

// Accept commits an event with all that follows from it in one transaction. Bytes that were accepted before are a
// duplicate: only counted. When too much waits to be committed it is ErrUnavailable at once.
func (s *Store) Accept(ctx context.Context, a *engine.Acceptance) (engine.Receipt, error) {
	acceptance := &accepting{Acceptance: a, version: a.Event.Version(a.ReceivedAt), digest: digestOf(a.Event.Raw)}
	if err := s.writer.do(ctx, false, acceptance.write); err != nil {
		return engine.Receipt{}, fmt.Errorf("accepting an event: %w", err)
	}
	return acceptance.receipt, nil
}

// accepting is an event on its way into the store.
type accepting struct {
	*engine.Acceptance
	version string // of the entry; empty when the event brings none
	fresh   bool   // it is the first of its entry
	given   int    // how many numbers of deliveries the event has given out before
	// replayed is the number of the replay that owes what is owed; null for what is owed because the event came.
	replayed any
	digest   [sha256.Size]byte
	receipt  engine.Receipt
}

// write stores an event with what follows, or counts a duplicate.
func (a *accepting) write(tx *transaction) error {
	a.receipt = engine.Receipt{ID: a.ID}
	known, err := a.recall(tx)
	if err != nil {
		return err
	}
	// The first event of an entry is no duplicate: an entry is known for as long as any event of it is kept, and longer.
	a.fresh = a.version != "" && known.version == noVersion
	if !a.fresh {
		a.receipt.Duplicate, err = a.countDuplicate(tx)
		if err != nil || a.receipt.Duplicate {
			return err
		}
	}
	return a.follow(tx, known)
}

// countDuplicate notes that the bytes came again, and names the event that they were the first time.
func (a *accepting) countDuplicate(tx *transaction) (duplicate bool, err error) {
	var sound bool
	err = tx.row(countDuplicate, []any{a.timestamp(), a.digest[:]}, (*string)(&a.receipt.ID), &sound)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return false, nil
	case err == nil && !sound:
		err = damagedEvent(a.receipt.ID)
	}
	return err == nil, err
}

// timestamp is the event's own, as the store keeps it.
func (a *accepting) timestamp() int64 {
	if a.Event.Timestamp.IsZero() {
		return 0
	}
	return a.Event.Timestamp.UnixMilli()
}

// follow judges a fresh event by what is known of its entry, and stores it with what follows.
func (a *accepting) follow(tx *transaction, known *known) error {
	if err := a.supersede(tx, known); err != nil {
		return err
	}
	judgement, err := a.judge(known.Known)
	if err == nil {
		err = known.failed
	}
	if err != nil {
		return err
	}
	fault.Reach(fault.Rendering)
	seq, err := a.insert(tx, judgement)
	if err != nil {
		return err
	}
	fault.Reach(fault.Accepting)
	if a.Alert != nil {
		if err := tx.raised(seq, a.Alert); err != nil {
			return err
		}
	}
	if a.version != "" && !known.Late {
		if err := a.moveOn(tx, seq, known, judgement); err != nil {
			return err
		}
	}
	stands, err := a.owe(tx, seq, judgement)
	if err != nil {
		return err
	}
	return a.claim(tx, seq, judgement, stands)
}

// judge asks what follows. A judge that panics must not take the writer with it.
func (a *accepting) judge(known engine.Known) (j engine.Judgement, err error) {
	defer func() {
		if cause := recover(); cause != nil {
			err = &panicked{cause: cause, stack: stack()}
		}
	}()
	return a.Judge(known), nil
}

// insert stores the event with what the rules had to say, and tells its row.
func (a *accepting) insert(tx *transaction, j engine.Judgement) (seq int64, err error) {
	said, err := judgementText(j)
	if err != nil {
		return 0, err
	}
	e := a.Event
	tx.writer.unseen += len(e.Raw) >> 12 // pages of its own
	return tx.insert(insertEvent, string(a.ID), a.timestamp(), a.digest[:], a.ReceivedAt.UnixMilli(),
		e.Event, e.Helper.Command, e.Entry.ID, j.Generation, said, a.sum(&tx.writer.summing, j.Generation, said), e.Raw)
}

// judgementText is a judgement as it is stored: nothing when no rule had anything to say.
func judgementText(j engine.Judgement) (any, error) {
	if len(j.Fired)+len(j.Suppressed)+len(j.Disabled)+len(j.Errors)+len(j.Mismatches) == 0 {
		return nil, nil
	}
	text, err := json.Marshal(j)
	if err != nil {
		// A value that JSON cannot hold, such as a time in the year 10000, must not keep its event out (C7).
		j.Mismatches = slices.Clone(j.Mismatches)
		for i, m := range j.Mismatches {
			j.Mismatches[i].Value = fmt.Sprint(m.Value)
		}
		text, err = json.Marshal(j)
	}
	return string(text), err
}

// inMillis is a time as the store keeps it.
func inMillis(t time.Time) time.Time { return time.UnixMilli(t.UnixMilli()).UTC() }
