package engine

import "encoding/json"

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
