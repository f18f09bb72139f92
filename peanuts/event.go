package peanuts

import (
	"strings"
	"time"
)

// The events that Peanuts is known to send. Others may come; they are events like these.
const (
	EntryCreated = "entry.created"
	EntryUpdated = "entry.updated"
	EntryDeleted = "entry.deleted"
)

// Event is one webhook of Peanuts. Fields that were absent, or not of the expected type, are zero; Fields tells
// what was really sent.
type Event struct {
	Event     string    // what happened, such as EntryCreated
	Timestamp time.Time // when; zero when absent or unreadable
	Helper    Helper
	Entry     Entry
	User      User

	// Fields is the whole body. Its values are nil, bool, string, int64 (a whole number that fits), float64 (any
	// other number), []any and map[string]any. It is shared: do not change it.
	Fields map[string]any
	// Raw is the body as received. Do not change it.
	Raw []byte
}

// Helper is what the entry was logged with.
type Helper struct{ ID, Name, Command string }

// Entry is what was logged.
type Entry struct {
	ID        string
	CreatedAt time.Time      // zero when absent or unreadable
	Data      map[string]any // part of Event.Fields; nil when absent
}

// User is who logged it.
type User struct{ ID string }

// newEvent fills the typed fields from the tree.
func newEvent(fields map[string]any, body []byte) (*Event, error) {
	helper, _ := fields["helper"].(map[string]any)
	entry, _ := fields["entry"].(map[string]any)
	user, _ := fields["user"].(map[string]any)
	e := &Event{
		Event: text(fields, "event"), Timestamp: moment(fields, "timestamp"), Fields: fields, Raw: body,
		Helper: Helper{ID: text(helper, "id"), Name: text(helper, "name"), Command: text(helper, "command")},
		Entry:  Entry{ID: text(entry, "id"), CreatedAt: moment(entry, "created_at")},
		User:   User{ID: text(user, "id")},
	}
	e.Entry.Data, _ = entry["data"].(map[string]any)
	if e.Event == "" {
		return nil, &ParseError{Pointer: "/event", Problem: "event must be text that is not empty"}
	}
	if strings.HasPrefix(e.Event, "entry.") && e.Entry.ID == "" {
		return nil, &ParseError{Pointer: "/entry/id", Problem: "entry.id must be text that is not empty"}
	}
	return e, nil
}

func text(fields map[string]any, name string) string {
	text, _ := fields[name].(string)
	return text
}

func moment(fields map[string]any, name string) time.Time {
	moment, _ := time.Parse(time.RFC3339, text(fields, name))
	return moment
}
