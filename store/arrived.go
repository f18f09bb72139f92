package store

import (
	"context"
	"database/sql"

	"github.com/peanuts-router/peanuts-router/engine"
)

const (
	arrivedAfter = wholeEvents + `WHERE seq > ? ORDER BY seq LIMIT ?`
	countEvents  = `SELECT count(*) FROM events`
)

// Arrival is an event with its place in the order of arrival. Places count from 1; some may be left out.
type Arrival struct {
	engine.EventRecord
	Place int64
}

// Arrived gives n events in the order of arrival, from behind a place in it, with payloads and deliveries. At the end there
// are none.
func (s *Store) Arrived(ctx context.Context, after int64, n int) ([]Arrival, error) {
	var events []Arrival
	index := map[engine.EventID]int{}
	err := s.query(ctx, "reading events", arrivedAfter, []any{after, n}, func(rows *sql.Rows) error {
		var body []byte
		event, seq, err := scanEvent(rows, &body)
		event.Payload = string(body)
		index[event.ID] = len(events)
		events = append(events, Arrival{event, seq})
		return err
	})
	if err != nil || len(events) == 0 {
		return nil, err
	}
	bounds := []any{events[0].Place, events[len(events)-1].Place}
	err = s.eachDelivery(ctx, "reading events", deliveriesBetween, bounds, func(delivery engine.Delivery, _ int64) {
		if i, ok := index[delivery.Event]; ok {
			events[i].Deliveries = append(events[i].Deliveries, delivery)
		}
	})
	return events, err
}

// Body is the body of the event at a place in the order of arrival; ErrNotFound when it is gone.
func (s *Store) Body(ctx context.Context, place int64) ([]byte, error) {
	return s.body(ctx, selectBody, place)
}

// body is what a question of wholeBody finds; ErrNotFound when it finds nothing.
func (s *Store) body(ctx context.Context, text string, which any) (body []byte, err error) {
	err = s.query(ctx, "reading an event", text, []any{which}, func(rows *sql.Rows) (err error) {
		body, err = scanBody(rows)
		return err
	})
	if err == nil && body == nil {
		err = ErrNotFound
	}
	return body, err
}

// EventCount is how many events are stored.
func (s *Store) EventCount(ctx context.Context) (n int, err error) {
	err = s.one(ctx, "counting events", countEvents, nil, &n)
	return n, err
}
