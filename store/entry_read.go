package store

import (
	"context"
	"database/sql"

	"github.com/peanuts-router/peanuts-router/engine"
)

const eventsOfEntry = wholeEvents + `WHERE entry_id = ? ORDER BY seq`

// EntryEvents lists all events of an entry with their payloads, in the order of arrival. It looks through all events: it is
// for people who ask.
func (s *Store) EntryEvents(ctx context.Context, entry string) ([]engine.EventRecord, error) {
	var events []engine.EventRecord
	err := s.query(ctx, "listing the events of an entry", eventsOfEntry, []any{entry}, func(rows *sql.Rows) error {
		var body []byte
		event, _, err := scanEvent(rows, &body)
		event.Payload = string(body)
		events = append(events, event)
		return err
	})
	return events, err
}
