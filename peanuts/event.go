package peanuts

import "time"

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
