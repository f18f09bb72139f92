package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/peanuts-router/peanuts-router/engine"
)

const (
	eventColumns = `SELECT seq, id, received_at, name, helper, entry_id, duplicates, own, judgement, ` + eventIsSound
	selectEvents = eventColumns + ` FROM events e WHERE seq < ? ORDER BY seq DESC LIMIT ?`
	wholeEvents  = eventColumns + ` AND ` + bodyIsSound + `, body FROM events e `
	selectEvent  = wholeEvents + `WHERE id = ?`

	twoFrom = `SELECT id FROM events WHERE id >= ? ORDER BY id LIMIT 2` // those that begin alike stand side by side

	deliveryColumns = `SELECT d.seq, e.id, d.n, d.rule, d.action, d.kind, d.state, d.attempts, d.created_at, d.next_at, d.last_status,
			d.last_error, d.message, coalesce(d.at, 0), d.turn, coalesce(d.replay, 0), ` + deliveryIsSound + ` AND ` + toldIsSound + `
		FROM deliveries d JOIN events e ON e.seq = d.event `
	deliveriesBetween = deliveryColumns + `WHERE d.seq BETWEEN ? << 20 AND ? << 20 | 1048575 ORDER BY d.seq`
	selectAttempts    = `SELECT n, at, took, status, error, answer, ` + attemptIsSound + ` FROM attempts t WHERE delivery = ?1
		UNION ALL SELECT attempts, sent_at, took, last_status, last_error, '', ` + toldIsSound + ` FROM deliveries d WHERE seq = ?1 AND sent_at IS NOT NULL
		ORDER BY n`
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

// deliveriesOf are an event's deliveries in their order, without messages.
func (s *Store) deliveriesOf(ctx context.Context, event engine.EventID) ([]engine.Delivery, error) {
	deliveries := []engine.Delivery{}
	text := deliveryColumns + `WHERE e.id = ? AND d.seq` + ofE + ` ORDER BY d.seq`
	err := s.eachDelivery(ctx, "listing deliveries", text, []any{string(event)}, func(delivery engine.Delivery, _ int64) {
		delivery.Message = nil
		deliveries = append(deliveries, delivery)
	})
	return deliveries, err
}

// Deliveries lists deliveries without their messages, and gives the cursor of the next page.
func (s *Store) Deliveries(ctx context.Context, filter Filter, page Page) ([]engine.Delivery, string, error) {
	before, err := page.before()
	if err != nil {
		return nil, "", err
	}
	wanted, args := filter.terms()
	deliveries := []engine.Delivery{}
	var seqs []int64
	text := deliveryColumns + `WHERE d.seq < ?` + wanted + ` ORDER BY d.seq DESC LIMIT ?`
	args = append(append([]any{before}, args...), page.limit()+1)
	err = s.eachDelivery(ctx, "listing deliveries", text, args, func(delivery engine.Delivery, seq int64) {
		delivery.Message = nil
		deliveries, seqs = append(deliveries, delivery), append(seqs, seq)
	})
	if err != nil {
		return nil, "", err
	}
	deliveries, next := cut(page, deliveries, seqs)
	return deliveries, next, nil
}

// Delivery is one delivery with its message and every recorded attempt; ErrNotFound when there is none.
func (s *Store) Delivery(ctx context.Context, id engine.DeliveryID) (engine.Delivery, []engine.Attempt, error) {
	event, n, err := splitID(id)
	if err != nil {
		return engine.Delivery{}, nil, err
	}
	var delivery engine.Delivery
	var seq int64
	text := deliveryColumns + `WHERE e.id = ? AND d.seq = e.seq << 20 | ?`
	err = s.eachDelivery(ctx, "reading a delivery", text, []any{event, n}, func(found engine.Delivery, place int64) {
		delivery, seq = found, place
	})
	if err != nil {
		return delivery, nil, err
	}
	if seq == 0 {
		return delivery, nil, ErrNotFound
	}
	history, err := s.history(ctx, seq)
	return delivery, history, err
}

// history is every recorded attempt at a delivery.
func (s *Store) history(ctx context.Context, delivery int64) ([]engine.Attempt, error) {
	history := []engine.Attempt{}
	err := s.query(ctx, "reading a delivery", selectAttempts, []any{delivery}, func(rows *sql.Rows) error {
		var a engine.Attempt
		var at, took int64
		var sound bool
		err := rows.Scan(&a.N, &at, &took, &a.Status, &a.Error, &a.Answer, &sound)
		if err == nil && !sound {
			err = damaged(fmt.Sprintf("attempt %d at the delivery of row %d", a.N, delivery))
		}
		a.At, a.Took = fromMillis(at), time.Duration(took)*time.Microsecond
		history = append(history, a)
		return err
	})
	return history, err
}

// eachDelivery calls each for the deliveries that a question of deliveryColumns finds, with what holds them.
func (s *Store) eachDelivery(ctx context.Context, doing, text string, args []any, each func(d engine.Delivery, seq int64)) error {
	held, err := s.heldBy(ctx)
	if err != nil {
		return wrap(doing, err)
	}
	now := s.now()
	return s.query(ctx, doing, text, args, func(rows *sql.Rows) error {
		d, seq, ordered, err := scanDelivery(rows)
		if err == nil && d.State == engine.Pending {
			d.Held = held.reason(&d, ordered, now)
		}
		each(d, seq)
		return err
	})
}

// scanDelivery reads a row of deliveryColumns. ordered says that another delivery of its line comes before it.
func scanDelivery(rows *sql.Rows) (d engine.Delivery, seq int64, ordered bool, err error) {
	var n int
	var created, next, at int64
	var message string
	var place turn
	var sound bool
	err = rows.Scan(&seq, (*string)(&d.Event), &n, (*string)(&d.Rule), (*string)(&d.Action), (*string)(&d.Kind), (*string)(&d.State),
		&d.Attempts, &created, &next, &d.LastStatus, &d.LastError, &message, &at, &place, &d.Replay, &sound)
	d.ID, d.CreatedAt, d.Message = engine.NewDeliveryID(d.Event, n), fromMillis(created), []byte(message)
	if at != 0 {
		d.At = fromMillis(at)
	}
	if d.State == engine.Pending {
		d.NextAt = fromMillis(next)
	}
	if err == nil && !sound {
		err = damagedDelivery(d.ID)
	}
	return d, seq, place == waits, err
}

// Counts are how many deliveries are pending, sending and dead.
func (s *Store) Counts(ctx context.Context) (map[engine.State]int, error) {
	counts := map[engine.State]int{}
	for _, state := range []engine.State{engine.Pending, engine.Sending, engine.Dead} {
		var n int
		// The state is written out, so that its partial index is counted and nothing else.
		err := s.one(ctx, "counting deliveries", `SELECT count(*) FROM deliveries WHERE state = '`+string(state)+`'`, nil, &n)
		if err != nil {
			return nil, err
		}
		counts[state] = n
	}
	return counts, nil
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
