package main

import (
	"context"
	"database/sql"
	"fmt"
	"path/filepath"
	"time"

	"github.com/peanuts-router/peanuts-router/engine"
	"github.com/peanuts-router/peanuts-router/peanuts"
	"github.com/peanuts-router/peanuts-router/store"
)

// evidence is all that an invariant is judged by: the history, and what the router has left.
type evidence struct {
	began    time.Time
	sent     []*sent
	receipts []receipt
	blows    []*blow
	variants []variant
	lives    []*life
	weather  []*disturbance

	stored  []*stored
	rows    map[string]row // of the table that a step keeps, by entry
	spent   totals         // the stat
	audits  []string       // what checks of the store found
	base    vitals         // of the first life, when nothing had happened yet
	final   vitals         // of the last one, when all was done
	drained drained
	beside  *beside       // what else was killed; nil where nothing was
	lease   time.Duration // that may have run out while an attempt was under way; 0 where none can
}

// stored is an event as the store holds it.
type stored struct {
	ID         string
	Text       string
	Sent       *sent  // that brought it; nil when nobody sent this
	Version    string // of its entry, as the router orders them
	Deliveries []delivery
}

// delivery is one step owed for an event.
type delivery struct {
	step
	Key      string
	State    engine.State
	Reason   string
	Attempts int
	History  []engine.Attempt // of what took more than one attempt, or was not delivered
}

// row is one row of the table.
type row struct {
	N       int
	Version string
}

// totals are a stat.
type totals struct {
	Count         int
	Total         string
	Groups, Daily map[string]string
}

// evidenceOf is what a run has left. The router has ended.
func evidenceOf(ctx context.Context, dir string, h *history) (*evidence, error) {
	e := &evidence{began: h.began, sent: h.sent, receipts: h.receipts, blows: h.blows, variants: h.variants, lives: h.lives, weather: h.weather}
	s, err := store.Open(ctx, store.Config{Path: filepath.Join(dir, storeFile), Beside: true})
	if err != nil {
		return nil, err
	}
	defer s.Close()
	for _, read := range []func(context.Context, *store.Store) error{e.readEvents, e.readHistories, e.readTotals} {
		if err := read(ctx, s); err != nil {
			return nil, fmt.Errorf("reading the store: %w", err)
		}
	}
	return e, e.readRows(ctx, filepath.Join(dir, tableFile))
}

// readEvents reads events and payloads, which come in the same order.
func (e *evidence) readEvents(ctx context.Context, s *store.Store) error {
	senders := map[string]*sent{}
	for _, one := range e.sent {
		senders[string(one.Body)] = one
	}
	for page := (store.Page{Limit: 1000}); ; {
		events, next, err := s.Events(ctx, page)
		if err != nil {
			return err
		}
		bodies, _, err := s.Payloads(ctx, page)
		if err != nil {
			return err
		}
		if len(bodies) != len(events) {
			return fmt.Errorf("there are %d payloads of %d events", len(bodies), len(events))
		}
		for i, event := range events {
			if event.Own {
				continue // nobody sent it
			}
			one, err := newStored(event, bodies[i])
			if err != nil {
				return err
			}
			one.Sent = senders[one.Text]
			e.stored = append(e.stored, one)
		}
		if next == "" {
			return nil
		}
		page.Cursor = next
	}
}

func newStored(event engine.EventRecord, body []byte) (*stored, error) {
	parsed, err := peanuts.Parse(body)
	if err != nil {
		return nil, err
	}
	s := &stored{ID: string(event.ID), Text: string(body), Version: parsed.Version(event.ReceivedAt)}
	for _, d := range event.Deliveries {
		s.Deliveries = append(s.Deliveries, delivery{
			step: step{string(d.Rule), string(d.Action)}, Key: d.ID.Key(), State: d.State, Reason: d.LastError, Attempts: d.Attempts,
		})
	}
	return s, nil
}

// readHistories reads the attempts at all deliveries that took more than one, or were not delivered.
func (e *evidence) readHistories(ctx context.Context, s *store.Store) (err error) {
	for _, event := range e.stored {
		for i := range event.Deliveries {
			d := &event.Deliveries[i]
			if d.Attempts == 0 || d.Attempts == 1 && d.State == engine.Delivered {
				continue
			}
			if _, d.History, err = s.Delivery(ctx, engine.DeliveryID(d.Key)); err != nil {
				return err
			}
		}
	}
	return nil
}

func (e *evidence) readTotals(ctx context.Context, s *store.Store) error {
	report, err := s.Report(ctx, statSpent, engine.StatFilter{})
	if err != nil {
		return err
	}
	e.spent = totals{Count: report.All.Count, Groups: map[string]string{}, Daily: map[string]string{}}
	if report.All.Total != nil {
		e.spent.Total = report.All.Total.String()
	}
	for name, part := range report.All.ByGroup {
		e.spent.Groups[name] = part.Total.String()
	}
	days, err := s.Days(ctx, statSpent, "", "", "")
	for _, day := range days {
		e.spent.Daily[day.Day] = day.Total.String()
	}
	return err
}

func (e *evidence) readRows(ctx context.Context, path string) error {
	db, err := sql.Open("sqlite", "file:"+path+"?mode=ro")
	if err != nil {
		return err
	}
	defer db.Close()
	rows, err := db.QueryContext(ctx, "SELECT id, n, version FROM entries")
	if err != nil {
		return err
	}
	defer rows.Close()
	e.rows = map[string]row{}
	for rows.Next() {
		var id string
		var r row
		if err := rows.Scan(&id, &r.N, &r.Version); err != nil {
			return err
		}
		e.rows[id] = r
	}
	return rows.Err()
}

// audit checks the store as the router's own command does, whether the router runs or not.
func audit(ctx context.Context, dir string) ([]string, error) {
	s, err := store.Open(ctx, store.Config{Path: filepath.Join(dir, storeFile), Beside: true})
	if err != nil {
		return nil, err
	}
	defer s.Close()
	found, err := s.Check(ctx)
	var texts []string
	for _, d := range found.Discrepancies {
		texts = append(texts, fmt.Sprintf("it does not hold that %s: %d times, as in %v", d.Broken, d.Count, d.Found[:min(3, len(d.Found))]))
	}
	return texts, err
}
