package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"strings"

	"github.com/peanuts-router/peanuts-router/engine"
)

const (
	eventColumns = `SELECT seq, id, received_at, name, helper, entry_id, duplicates, own, judgement, ` + eventIsSound
	selectEvents = eventColumns + ` FROM events e WHERE seq < ? ORDER BY seq DESC LIMIT ?`
	wholeEvents  = eventColumns + ` AND ` + bodyIsSound + `, body FROM events e `
	selectEvent  = wholeEvents + `WHERE id = ?`

	twoFrom = `SELECT id FROM events WHERE id >= ? ORDER BY id LIMIT 2` // those that begin alike stand side by side
)

// Events lists events with their deliveries, without payloads and messages, and gives the cursor of the next page.
func (s *Store) Events(ctx context.Context, page Page) ([]engine.EventRecord, string, error) {
	before, err := page.before()
	if err != nil {
		return nil, "", err
	}
	events := []engine.EventRecord{}
	var seqs []int64
	err = s.query(ctx, "listing events", selectEvents, []any{before, page.limit() + 1}, func(rows *sql.Rows) error {
		event, seq, err := scanEvent(rows)
		events, seqs = append(events, event), append(seqs, seq)
		return err
	})
	if err != nil {
		return nil, "", err
	}
	events, next := cut(page, events, seqs)
	if err := s.fillIn(ctx, events, seqs); err != nil {
		return nil, "", err
	}
	return events, next, nil
}

// fillIn gives events that stand side by side, the newest first, their deliveries.
func (s *Store) fillIn(ctx context.Context, events []engine.EventRecord, seqs []int64) error {
	if len(events) == 0 {
		return nil
	}
	places := map[engine.EventID]int{}
	for i := range events {
		places[events[i].ID], events[i].Deliveries = i, []engine.Delivery{}
	}
	return s.eachDelivery(ctx, "listing events", deliveriesBetween, []any{seqs[len(events)-1], seqs[0]}, func(delivery engine.Delivery, _ int64) {
		if i, ok := places[delivery.Event]; ok {
			delivery.Message = nil
			events[i].Deliveries = append(events[i].Deliveries, delivery)
		}
	})
}

// Event is one event with its deliveries and payload; ErrNotFound when there is none.
func (s *Store) Event(ctx context.Context, id engine.EventID) (engine.EventRecord, error) {
	var event engine.EventRecord
	found := false
	err := s.query(ctx, "reading an event", selectEvent, []any{string(id)}, func(rows *sql.Rows) (err error) {
		var body []byte
		event, _, err = scanEvent(rows, &body)
		event.Payload, found = string(body), true
		return err
	})
	if err != nil {
		return event, err
	}
	if !found {
		return event, ErrNotFound
	}
	if event.Deliveries, err = s.deliveriesOf(ctx, id); err != nil {
		return event, err
	}
	event.Replays, err = s.replaysOf(ctx, id)
	return event, err
}

func scanEvent(rows *sql.Rows, more ...any) (e engine.EventRecord, seq int64, err error) {
	var received int64
	var judged sql.NullString
	var sound bool
	columns := []any{&seq, (*string)(&e.ID), &received, &e.Name, &e.Helper, &e.EntryID, &e.Duplicates, &e.Own, &judged, &sound}
	if err := rows.Scan(append(columns, more...)...); err != nil {
		return e, seq, err
	}
	if !sound {
		return e, seq, damagedEvent(e.ID)
	}
	e.ReceivedAt = fromMillis(received)
	e.Verdicts, err = verdicts(judged.String)
	return e, seq, err
}

// verdicts reads a judgement that is stored; of an empty text there are none.
func verdicts(text string) (v engine.Verdicts, err error) {
	if text != "" {
		exact := json.NewDecoder(strings.NewReader(text))
		exact.UseNumber() // a mismatch keeps every digit of the number it met (C6)
		if err = exact.Decode(&v); err != nil {
			err = unreadable("a judgement", err)
		}
	}
	v.Fired, v.Suppressed = orEmpty(v.Fired), orEmpty(v.Suppressed)
	v.Errors, v.Mismatches = orEmpty(v.Errors), orEmpty(v.Mismatches)
	return v, err
}

func orEmpty[T any](list []T) []T {
	if list == nil {
		return []T{}
	}
	return list
}

// FindEvent is the id of the one event whose id begins with a text, as people paste it; ErrNotFound when there is none,
// and ErrAmbiguous when there are several.
func (s *Store) FindEvent(ctx context.Context, prefix string) (engine.EventID, error) {
	var found []engine.EventID
	err := s.query(ctx, "looking for an event", twoFrom, []any{prefix}, func(rows *sql.Rows) error {
		var id engine.EventID
		err := rows.Scan((*string)(&id))
		if strings.HasPrefix(string(id), prefix) {
			found = append(found, id)
		}
		return err
	})
	switch {
	case err != nil:
		return "", err
	case len(found) == 0 || prefix == "":
		return "", ErrNotFound
	case len(found) > 1 && string(found[0]) != prefix:
		return "", ErrAmbiguous
	}
	return found[0], nil
}
