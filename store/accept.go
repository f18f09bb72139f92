package store

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/peanuts-router/peanuts-router/engine"
)

const (
	insertEvent = `INSERT INTO events (id, digest, received_at, name, helper, entry_id, judgement, body)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (digest) DO NOTHING`
	countDuplicate = `UPDATE events SET duplicates = duplicates + 1 WHERE digest = ? RETURNING id`
	insertDelivery = `INSERT INTO deliveries (event, n, rule, action, kind, message, state, generation, lease_until, created_at, next_at, last_error)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`
)

// Accept commits an event with its deliveries in one transaction. Bytes that were accepted before are a duplicate:
// only counted. When too much waits to be committed it is ErrUnavailable at once.
func (s *Store) Accept(ctx context.Context, a *engine.Acceptance) (engine.Receipt, error) {
	digest := sha256.Sum256(a.Event.Raw)
	judgement, err := judgementText(a.Judgement)
	if err != nil {
		return engine.Receipt{}, fmt.Errorf("accepting an event: %w", err)
	}
	var receipt engine.Receipt
	err = s.writer.do(ctx, false, func(tx *transaction) error {
		receipt = engine.Receipt{ID: a.ID}
		seq, fresh, err := tx.insert(insertEvent, string(a.ID), digest[:], a.ReceivedAt.UnixMilli(),
			a.Event.Event, a.Event.Helper.Command, a.Event.Entry.ID, judgement, a.Event.Raw)
		if err != nil {
			return err
		}
		if !fresh {
			receipt.Duplicate = true
			return tx.row(countDuplicate, []any{digest[:]}, (*string)(&receipt.ID))
		}
		return owe(tx, seq, a, &receipt)
	})
	if err != nil {
		return engine.Receipt{}, fmt.Errorf("accepting an event: %w", err)
	}
	return receipt, nil
}

// owe inserts the deliveries of an event, leased where that was asked for.
func owe(tx *transaction, event int64, a *engine.Acceptance, receipt *engine.Receipt) error {
	for i, owed := range a.Judgement.Owed {
		state, generation, until := engine.Pending, int64(0), any(nil)
		switch {
		case owed.Dead != "":
			state = engine.Dead
		case owed.Leased:
			state, generation, until = engine.Sending, 1, a.LeaseUntil.UnixMilli()
		}
		received := a.ReceivedAt.UnixMilli()
		_, err := tx.exec(insertDelivery, event, i+1, string(owed.Rule), string(owed.Action), string(owed.Kind),
			string(owed.Message), string(state), generation, until, received, received, owed.Dead)
		if err != nil {
			return err
		}
		if state == engine.Sending {
			receipt.Leases = append(receipt.Leases, newLease(a, i, generation))
		}
	}
	return nil
}

func newLease(a *engine.Acceptance, i int, generation int64) engine.Lease {
	owed := a.Judgement.Owed[i]
	return engine.Lease{
		Delivery: engine.Delivery{
			ID: engine.NewDeliveryID(a.ID, i+1), Event: a.ID, Rule: owed.Rule, Action: owed.Action, Kind: owed.Kind,
			State: engine.Sending, CreatedAt: inMillis(a.ReceivedAt), NextAt: inMillis(a.ReceivedAt), Message: owed.Message,
		},
		Generation: generation, Until: a.LeaseUntil, Body: a.Event.Raw, ReceivedAt: a.ReceivedAt,
	}
}

// judgementText is a judgement as it is stored: nothing when no rule had anything to say.
func judgementText(j engine.Judgement) (any, error) {
	if len(j.Fired)+len(j.Errors)+len(j.Mismatches) == 0 {
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
