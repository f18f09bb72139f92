package store

import (
	"context"
	"database/sql"
	"encoding/base64"
	"encoding/json"
	"errors"
	"strconv"
	"strings"
	"time"

	"github.com/peanuts-router/peanuts-router/engine"
)

// Page says which part of a list is wanted. Lists begin with the newest.
type Page struct {
	Limit  int    // 0 means 50; at most 1000
	Cursor string // what the page before gave as next; empty for the first
}

// Filter says which deliveries are wanted; what is empty does not matter.
type Filter struct {
	State  engine.State
	Action engine.ActionName
	Rule   engine.RuleName
	Event  engine.EventID
}

const (
	defaultLimit = 50
	maxLimit     = 1000

	selectEvents = `SELECT seq, id, received_at, name, helper, entry_id, duplicates, judgement FROM events WHERE seq < ? ORDER BY seq DESC LIMIT ?`
	selectEvent  = `SELECT seq, id, received_at, name, helper, entry_id, duplicates, judgement, body FROM events WHERE id = ?`

	deliveryColumns = `SELECT d.seq, e.id, d.n, d.rule, d.action, d.kind, d.state, d.attempts, d.created_at, d.next_at, d.last_status,
			d.last_error, coalesce(p.until, 0), d.message
		FROM deliveries d JOIN events e ON e.seq = d.event LEFT JOIN pauses p ON p.action = d.action `
	selectAttempts = `SELECT n, at, took, status, error, answer FROM attempts WHERE delivery = ? ORDER BY n`
)

// limit is how many rows a page asks for.
func (p Page) limit() int {
	if p.Limit <= 0 {
		return defaultLimit
	}
	return min(p.Limit, maxLimit)
}

// before is the row that the page ends above.
func (p Page) before() (int64, error) {
	if p.Cursor == "" {
		return 1<<63 - 1, nil
	}
	text, err := base64.RawURLEncoding.DecodeString(p.Cursor)
	if err != nil {
		return 0, ErrBadCursor
	}
	seq, err := strconv.ParseInt(string(text), 10, 64)
	if err != nil {
		return 0, ErrBadCursor
	}
	return seq, nil
}

// next is the cursor behind a full page; empty when the list ends.
func (p Page) next(rows int, last int64) string {
	if rows < p.limit() {
		return ""
	}
	return base64.RawURLEncoding.EncodeToString(strconv.AppendInt(nil, last, 10))
}

// Events lists events with their deliveries, without payloads and messages, and gives the cursor of the next page.
func (s *Store) Events(ctx context.Context, page Page) ([]engine.EventRecord, string, error) {
	before, err := page.before()
	if err != nil {
		return nil, "", err
	}
	events := []engine.EventRecord{}
	var last int64
	err = query(ctx, s.reading, selectEvents, []any{before, page.limit()}, func(rows *sql.Rows) error {
		event, seq, err := scanEvent(rows)
		events, last = append(events, event), seq
		return err
	})
	if err != nil {
		return nil, "", sorted("listing events", err)
	}
	for i := range events {
		if events[i].Deliveries, err = s.deliveriesOf(ctx, events[i].ID); err != nil {
			return nil, "", err
		}
	}
	return events, page.next(len(events), last), nil
}

// Event is one event with its deliveries and payload; ErrNotFound when there is none.
func (s *Store) Event(ctx context.Context, id engine.EventID) (engine.EventRecord, error) {
	var event engine.EventRecord
	found := false
	err := query(ctx, s.reading, selectEvent, []any{string(id)}, func(rows *sql.Rows) (err error) {
		var body []byte
		event, _, err = scanEvent(rows, &body)
		event.Payload, found = string(body), true
		return err
	})
	if err != nil {
		return event, sorted("reading an event", err)
	}
	if !found {
		return event, ErrNotFound
	}
	event.Deliveries, err = s.deliveriesOf(ctx, id)
	return event, err
}

func scanEvent(rows *sql.Rows, more ...any) (e engine.EventRecord, seq int64, err error) {
	var received int64
	var judged sql.NullString
	columns := []any{&seq, (*string)(&e.ID), &received, &e.Name, &e.Helper, &e.EntryID, &e.Duplicates, &judged}
	if err := rows.Scan(append(columns, more...)...); err != nil {
		return e, seq, err
	}
	j := engine.Judgement{Fired: []engine.RuleName{}, Errors: []engine.RuleError{}, Mismatches: []engine.Mismatch{}}
	if judged.Valid {
		if err := json.Unmarshal([]byte(judged.String), &j); err != nil {
			return e, seq, err
		}
	}
	e.ReceivedAt = fromMillis(received)
	e.Fired, e.Errors, e.Mismatches = orEmpty(j.Fired), orEmpty(j.Errors), orEmpty(j.Mismatches)
	return e, seq, nil
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
	err := query(ctx, s.reading, deliveryColumns+`WHERE e.id = ? ORDER BY d.n`, []any{string(event)}, func(rows *sql.Rows) error {
		delivery, _, err := s.scanDelivery(rows)
		delivery.Message = nil
		deliveries = append(deliveries, delivery)
		return err
	})
	return deliveries, sorted("listing deliveries", err)
}

// Deliveries lists deliveries without their messages, and gives the cursor of the next page.
func (s *Store) Deliveries(ctx context.Context, filter Filter, page Page) ([]engine.Delivery, string, error) {
	before, err := page.before()
	if err != nil {
		return nil, "", err
	}
	where, args := filter.where(before)
	deliveries := []engine.Delivery{}
	var last int64
	err = query(ctx, s.reading, deliveryColumns+where+` ORDER BY d.seq DESC LIMIT ?`, append(args, page.limit()), func(rows *sql.Rows) error {
		delivery, seq, err := s.scanDelivery(rows)
		delivery.Message = nil
		deliveries, last = append(deliveries, delivery), seq
		return err
	})
	if err != nil {
		return nil, "", sorted("listing deliveries", err)
	}
	return deliveries, page.next(len(deliveries), last), nil
}

// where is the filter as SQL; values go as parameters only.
func (f Filter) where(before int64) (string, []any) {
	terms, args := []string{"d.seq < ?"}, []any{before}
	if f.State == engine.Dead {
		terms = append(terms, "d.state = 'dead'") // literal, so that the index of dead letters serves
	} else if f.State != "" {
		terms, args = append(terms, "d.state = ?"), append(args, string(f.State))
	}
	if f.Action != "" {
		terms, args = append(terms, "d.action = ?"), append(args, string(f.Action))
	}
	if f.Rule != "" {
		terms, args = append(terms, "d.rule = ?"), append(args, string(f.Rule))
	}
	if f.Event != "" {
		terms, args = append(terms, "e.id = ?"), append(args, string(f.Event))
	}
	return "WHERE " + strings.Join(terms, " AND "), args
}

// Delivery is one delivery with its message and every recorded attempt; ErrNotFound when there is none.
func (s *Store) Delivery(ctx context.Context, id engine.DeliveryID) (engine.Delivery, []engine.Attempt, error) {
	event, n, err := splitID(id)
	if err != nil {
		return engine.Delivery{}, nil, err
	}
	var delivery engine.Delivery
	var seq int64
	err = query(ctx, s.reading, deliveryColumns+`WHERE e.id = ? AND d.n = ?`, []any{event, n}, func(rows *sql.Rows) (err error) {
		delivery, seq, err = s.scanDelivery(rows)
		return err
	})
	if err != nil {
		return delivery, nil, sorted("reading a delivery", err)
	}
	if seq == 0 {
		return delivery, nil, ErrNotFound
	}
	history := []engine.Attempt{}
	err = query(ctx, s.reading, selectAttempts, []any{seq}, func(rows *sql.Rows) error {
		var a engine.Attempt
		var at, took int64
		err := rows.Scan(&a.N, &at, &took, &a.Status, &a.Error, &a.Answer)
		a.At, a.Took = fromMillis(at), time.Duration(took)*time.Microsecond
		history = append(history, a)
		return err
	})
	return delivery, history, sorted("reading a delivery", err)
}

func (s *Store) scanDelivery(rows *sql.Rows) (d engine.Delivery, seq int64, err error) {
	var n int
	var created, next, pausedUntil int64
	var message string
	err = rows.Scan(&seq, (*string)(&d.Event), &n, (*string)(&d.Rule), (*string)(&d.Action), (*string)(&d.Kind), (*string)(&d.State),
		&d.Attempts, &created, &next, &d.LastStatus, &d.LastError, &pausedUntil, &message)
	d.ID, d.CreatedAt, d.Message = engine.NewDeliveryID(d.Event, n), fromMillis(created), []byte(message)
	if d.State == engine.Pending {
		d.NextAt = fromMillis(next)
		if pausedUntil > s.now().UnixMilli() {
			d.Held = engine.HeldPaused
		}
	}
	return d, seq, err
}

// Counts are how many deliveries are pending, sending and dead.
func (s *Store) Counts(ctx context.Context) (map[engine.State]int, error) {
	counts := map[engine.State]int{}
	for _, state := range []engine.State{engine.Pending, engine.Sending, engine.Dead} {
		var n int
		// The state is written out, so that its partial index is counted and nothing else.
		err := s.reading.QueryRowContext(ctx, `SELECT count(*) FROM deliveries WHERE state = '`+string(state)+`'`).Scan(&n)
		if err != nil {
			return nil, sorted("counting deliveries", err)
		}
		counts[state] = n
	}
	return counts, nil
}

// query calls each for every row.
func query(ctx context.Context, db *sql.DB, text string, args []any, each func(*sql.Rows) error) error {
	rows, err := db.QueryContext(ctx, text, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		if err := each(rows); err != nil {
			return err
		}
	}
	return errors.Join(rows.Err())
}
