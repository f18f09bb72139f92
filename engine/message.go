package engine

import (
	"encoding/json"
	"time"
)

// SlackMessage is what a slack step says. Values from the event are escaped for Slack's markup already.
type SlackMessage struct {
	Channel string          `json:"channel,omitempty"` // the step's own; else the action's
	Text    string          `json:"text,omitempty"`
	Blocks  json.RawMessage `json:"blocks,omitempty"` // a JSON array
}

// EmailMessage is what an email step says.
type EmailMessage struct {
	To      []string `json:"to,omitempty"` // the step's own; else the action's
	Subject string   `json:"subject,omitempty"`
	Text    string   `json:"text,omitempty"`
	HTML    string   `json:"html,omitempty"` // values from the event are escaped already
}

// HTTPMessage is what an http step says. With neither JSON nor Body the event goes out as it was received.
type HTTPMessage struct {
	Headers map[string]string `json:"headers,omitempty"` // the step's own, over the action's
	JSON    json.RawMessage   `json:"json,omitempty"`
	Body    *string           `json:"body,omitempty"`
}

// SQLMessage is what an sql step says: how the row of an entry shall look, or that it shall be gone. Just one of Columns
// and Remove is set.
type SQLMessage struct {
	// Version is that of the entry (peanuts.Event.Version): a row with this version or a newer one stays as it is (C16).
	// Versions are compared as bytes. A row without one is taken over.
	Version string      `json:"version"`
	Columns []SQLColumn `json:"columns,omitempty"` // in the order of the file, the key among them
	Remove  *SQLRemoval `json:"remove,omitempty"`
}

// SQLColumn is a column with the value that it shall have.
type SQLColumn struct {
	Name  string          `json:"name"`
	Value json.RawMessage `json:"value"` // a number with the digits that were sent; null where it was absent
	// Volatile is said of a value that differs each time, such as the time now: it is written only when another column
	// changes.
	Volatile bool `json:"volatile,omitempty"`
}

// SQLRemoval says that the row of an entry shall be gone: deleted or, with Mark, marked.
type SQLRemoval struct {
	Key  json.RawMessage `json:"key"`            // the value of the key column
	Mark string          `json:"mark,omitempty"` // the column that gets At; the row is kept then
	At   time.Time       `json:"at"`             // when the entry was deleted, or ceased to be wanted
}
