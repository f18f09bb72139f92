package store

import (
	"cmp"
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
	insertDelivery = `INSERT INTO deliveries
		(seq, rule, step, action, kind, message, state, entry, at, sync, line, turn, generation, lease_until, created_at, next_at, last_error, replay, crc, told)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`
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

// owe inserts the deliveries of an event, leased where that was asked for. stands names the rules with one that was not
// cancelled at once.
func (a *accepting) owe(tx *transaction, event int64, j engine.Judgement) (stands map[engine.RuleName]bool, err error) {
	if a.given+len(j.Owed) > maxNumber {
		return nil, errTooManyOwed
	}
	stands = map[engine.RuleName]bool{}
	received := a.ReceivedAt.UnixMilli()
	for i, owed := range j.Owed {
		d, err := a.standing(tx, &owed, j.Owed[:i])
		if err != nil {
			return nil, err
		}
		if d.sent {
			continue
		}
		row := deliveryRow(event, a.given+i+1)
		_, err = tx.exec(insertDelivery, row, string(owed.Rule), owed.Step, string(owed.Action), string(owed.Kind), string(owed.Message),
			string(d.state), d.entry, d.at, d.sync, d.line, d.turn, d.generation, d.leaseUntil, received, d.due, d.reason, a.replayed,
			d.sum(&tx.writer.summing, row, &owed, received, a.replayed), tx.writer.summing.told("", d.reason, nil, nil))
		if err != nil {
			return nil, err
		}
		tx.moves.owed++
		tx.moves.come(d.state, 1)
		if d.state == engine.Dead {
			if _, err := tx.exec(diedAlone, row); err != nil {
				return nil, err
			}
		}
		stands[owed.Rule] = stands[owed.Rule] || d.state != engine.Cancelled
		if d.state == engine.Sending {
			a.receipt.Leases = append(a.receipt.Leases, a.lease(row, i, owed))
		}
	}
	return stands, nil
}

// standing is where a new delivery stands.
type standing struct {
	state      engine.State
	entry, at  any // null for what follows no entry, and for what is no reminder
	sync       any // null for what is no sync
	line       any // null for what stands in none
	turn       turn
	due        int64
	generation int64
	leaseUntil any
	reason     string
	sent       bool // it went out already, for an earlier version of its entry
}

// standing tells where what is owed stands, behind what the event owes before it.
func (a *accepting) standing(tx *transaction, owed *engine.Owed, before []engine.Owed) (standing, error) {
	d := standing{state: engine.Pending, due: a.dueAtOnce(tx), reason: owed.Dead}
	if !owed.At.IsZero() {
		d.due = owed.At.UnixMilli()
		d.at = d.due
	}
	if owed.Sync != "" {
		d.sync = string(owed.Sync)
	}
	if owed.Shadow { // which follows no entry either: nothing is to become of it
		d.state, d.reason = engine.Shadow, cmp.Or(owed.Late, owed.Dead)
		return d, nil
	}
	waits := d.due > a.ReceivedAt.UnixMilli()
	if a.version != "" && owed.Follows() {
		d.entry = a.Event.Entry.ID
		if !a.fresh || slices.ContainsFunc(before, owed.SameStep) { // nothing follows an entry that has just come
			line, err := lookInto(tx, a.Event.Entry.ID, owed.Rule, owed.Step, d.at)
			if err != nil {
				return d, err
			}
			d.sent, waits = line.sent, waits || line.busy
		}
	}
	if owed.Order != "" {
		if err := d.join(tx, owed, d.due > a.ReceivedAt.UnixMilli()); err != nil {
			return d, err
		}
	}
	switch {
	case owed.Late != "":
		d.state, d.reason = engine.Cancelled, owed.Late
	case owed.Dead != "":
		d.state = engine.Dead
	case owed.Leased && !waits && d.turn == isNext:
		d.state, d.generation, d.leaseUntil = engine.Sending, 1, tx.millis(a.LeaseUntil)
	}
	return d, nil
}

// dueAtOnce is when what waits for nothing is due: when the event came, by the clock of this moment if that was set back since.
func (a *accepting) dueAtOnce(tx *transaction) int64 {
	return a.ReceivedAt.UnixMilli() + min(0, tx.millis(a.LeaseUntil)-a.LeaseUntil.UnixMilli())
}

func (a *accepting) lease(row int64, i int, owed engine.Owed) engine.Lease {
	next := a.ReceivedAt
	if !owed.At.IsZero() {
		next = owed.At
	}
	return engine.Lease{
		Delivery: engine.Delivery{
			ID: engine.NewDeliveryID(a.ID, a.given+i+1), Event: a.ID, Rule: owed.Rule, Action: owed.Action, Kind: owed.Kind,
			State: engine.Sending, CreatedAt: inMillis(a.ReceivedAt), NextAt: inMillis(next), Message: owed.Message,
		},
		Row: row, Generation: 1, Until: a.LeaseUntil, Body: a.Event.Raw, ReceivedAt: a.ReceivedAt, Follows: a.version != "" && owed.Follows(),
		Ordered: owed.Order != "", Own: a.Alert != nil,
	}
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
