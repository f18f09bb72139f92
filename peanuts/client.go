package peanuts

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync"
)

// AnyEvent registers a handler for every event.
const AnyEvent = "*"

// Handler is called with an event whose signature has been verified. The event is shared between handlers: do not
// change it.
type Handler func(ctx context.Context, e *Event) error

// Client receives webhooks: it verifies them and calls handlers. It is an http.Handler and safe for concurrent use.
type Client struct {
	verifier *Verifier
	mu       sync.RWMutex
	handlers []registration
}

type registration struct {
	event  string
	handle Handler
}

// NewClient makes a client for the secret shared with Peanuts; further secrets are valid too, while rotating. No
// secret, or an empty one, is an error.
func NewClient(secret string, further ...string) (*Client, error) {
	verifier, err := NewVerifier(append([]string{secret}, further...)...)
	if err != nil {
		return nil, err
	}
	return &Client{verifier: verifier}, nil
}

// On registers a handler for events of one name, or for all with AnyEvent. Handlers are called one after the other,
// in the order in which they were registered.
func (c *Client) On(event string, handle Handler) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.handlers = append(c.handlers[:len(c.handlers):len(c.handlers)], registration{event, handle})
}

// Handle verifies a body and calls the handlers of its event. It returns ErrInvalidSignature, a *ParseError, or the
// errors of all handlers joined: one that fails or panics does not keep the rest from running. When ctx ends the
// handlers not yet called are left out, and its error is returned too. An event that nobody waits for is fine.
func (c *Client) Handle(ctx context.Context, header http.Header, body []byte) error {
	event, err := c.open(header, body)
	if err != nil {
		return err
	}
	return c.callAll(ctx, event)
}

// open verifies before it parses: strangers' bytes go no further than the signature.
func (c *Client) open(header http.Header, body []byte) (*Event, error) {
	if err := c.verifier.Verify(header, body); err != nil {
		return nil, err
	}
	return Parse(body)
}

func (c *Client) callAll(ctx context.Context, event *Event) error {
	c.mu.RLock()
	handlers := c.handlers
	c.mu.RUnlock()
	var failed []error
	for _, h := range handlers {
		if h.event != AnyEvent && h.event != event.Event {
			continue
		}
		if err := ctx.Err(); err != nil {
			failed = append(failed, err)
			break
		}
		failed = append(failed, h.call(ctx, event))
	}
	return errors.Join(failed...)
}

// call turns a panic of a handler into its error.
func (r registration) call(ctx context.Context, event *Event) (err error) {
	defer func() {
		if cause := recover(); cause != nil {
			err = fmt.Errorf("a handler of %s panicked: %v", r.event, cause)
		}
	}()
	return r.handle(ctx, event)
}

// ServeHTTP answers a webhook: 200 when every handler succeeded, 405, 415, 413, 401 or 400 for what is no valid
// webhook, and 500 when a handler failed, so that the sender tries again. What a handler's error says stays here: a
// handler that wants it known logs it.
func (c *Client) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodPost {
		w.Header().Set("Allow", http.MethodPost)
		answer(w, http.StatusMethodNotAllowed, map[string]any{"error": "only POST is taken here"})
		return
	}
	if err := CheckContentType(r.Header); err != nil {
		answer(w, http.StatusUnsupportedMediaType, map[string]any{"error": err.Error()})
		return
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, MaxBody))
	if err != nil {
		refuse(w, err)
		return
	}
	event, err := c.open(r.Header, body)
	if err != nil {
		refuse(w, err)
		return
	}
	if c.callAll(r.Context(), event) != nil {
		answer(w, http.StatusInternalServerError, map[string]any{"error": "a handler failed"})
		return
	}
	answer(w, http.StatusOK, map[string]any{"processed": true})
}

// refuse answers for a body that did not come whole, or is no valid webhook.
func refuse(w http.ResponseWriter, err error) {
	status, problem := http.StatusBadRequest, "the body could not be read"
	var malformed *ParseError
	switch {
	case errors.Is(err, ErrInvalidSignature):
		status, problem = http.StatusUnauthorized, ErrInvalidSignature.Error()
	case errors.As(err, new(*http.MaxBytesError)):
		status, problem = http.StatusRequestEntityTooLarge, fmt.Sprintf("the body is larger than %d bytes", MaxBody)
	case errors.As(err, &malformed):
		problem = malformed.Error()
	}
	answer(w, status, map[string]any{"error": problem})
}

func answer(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	// The other side may be gone; there is nobody left to tell.
	_ = json.NewEncoder(w).Encode(body)
}
