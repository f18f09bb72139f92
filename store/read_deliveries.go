package store

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"github.com/peanuts-router/peanuts-router/engine"
)

const (
	deliveryColumns = `SELECT d.seq, e.id, d.n, d.rule, d.action, d.kind, d.state, d.attempts, d.created_at, d.next_at, d.last_status,
			d.last_error, d.message, coalesce(d.at, 0), d.turn, coalesce(d.replay, 0), ` + deliveryIsSound + ` AND ` + toldIsSound + `
		FROM deliveries d JOIN events e ON e.seq = d.event `
	deliveriesBetween = deliveryColumns + `WHERE d.seq BETWEEN ? << 20 AND ? << 20 | 1048575 ORDER BY d.seq`
	selectAttempts    = `SELECT n, at, took, status, error, answer, ` + attemptIsSound + ` FROM attempts t WHERE delivery = ?1
		UNION ALL SELECT attempts, sent_at, took, last_status, last_error, '', ` + toldIsSound + ` FROM deliveries d WHERE seq = ?1 AND sent_at IS NOT NULL
		ORDER BY n`
)

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
			held.mark(&d, ordered, now)
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
		err := s.one(ctx, "counting deliveries", countOf(state), nil, &n)
		if err != nil {
			return nil, err
		}
		counts[state] = n
	}
	return counts, nil
}

// countOf counts the deliveries of a state that is open. The state is written out, so that its partial index is counted and
// nothing else.
func countOf(state engine.State) string {
	return `SELECT count(*) FROM deliveries WHERE state = '` + string(state) + `'`
}
