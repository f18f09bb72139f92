package store

import (
	"cmp"
	"slices"

	"github.com/peanuts-router/peanuts-router/engine"
)

const insertDelivery = `INSERT INTO deliveries
		(seq, rule, step, action, kind, message, state, entry, at, sync, line, turn, generation, lease_until, created_at, next_at, last_error, replay, crc, told)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`

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
