package actions

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/peanuts-router/peanuts-router/engine"
)

// httpSender calls an HTTP endpoint.
type httpSender struct {
	settings *engine.HTTPSettings
	keys     [][]byte // that requests are signed with
	config   Config
	over     transport
	fixed    *http.Request // to copy, where the URL has no template
}

func newHTTP(settings *engine.HTTPSettings, action engine.Action, config Config) *httpSender {
	h := &httpSender{settings: settings, keys: settings.SigningKeys(), config: config, over: newTransport(action, config)}
	if to, ok := settings.URL.(engine.Fixed); ok {
		h.fixed, _ = http.NewRequest(settings.Method, string(to), nil) // one that cannot be read is told of at each attempt
	}
	return h
}

func (h *httpSender) Close() { h.over.CloseIdleConnections() }

func (h *httpSender) Send(ctx context.Context, s engine.Shipment) engine.Outcome {
	request, err := h.request(ctx, s)
	if err != nil {
		return dead("not sendable", err.Error())
	}
	seen, err := exchangeOf(h.over, request, h.config.Now)
	if err != nil {
		return ofError(err)
	}
	return ofStatus(seen)
}

// request builds the call. Its errors hold no text of the event and no secret.
func (h *httpSender) request(ctx context.Context, s engine.Shipment) (*http.Request, error) {
	var message engine.HTTPMessage
	if err := json.Unmarshal(s.Message, &message); err != nil {
		return nil, fmt.Errorf("the stored message cannot be read")
	}
	settings := rendering{shipment: s, now: h.config.Now()}
	request, err := h.blank(ctx, &settings)
	if err != nil {
		return nil, err
	}
	content, contentType := contentOf(message, s.Body)
	if h.settings.Method != http.MethodGet && h.settings.Method != http.MethodHead {
		setBody(request, content)
		request.Header.Set("Content-Type", contentType)
	} else {
		content = ""
	}
	request.Header.Set("User-Agent", h.config.UserAgent)
	if err := h.setHeaders(request.Header, message, &settings); err != nil {
		return nil, err
	}
	request.Header.Set("Idempotency-Key", s.ID.Key())
	sign(request.Header, h.keys, s.ID.Key(), settings.now, content)
	return request, nil
}

// blank is a request without headers and body.
func (h *httpSender) blank(ctx context.Context, settings *rendering) (*http.Request, error) {
	if h.fixed != nil {
		request := h.fixed.WithContext(ctx)
		request.Header = make(http.Header, 8)
		return request, nil
	}
	to, err := settings.render(h.settings.URL)
	if err != nil {
		return nil, fmt.Errorf("rendering the URL: %w", err)
	}
	request, err := http.NewRequestWithContext(ctx, h.settings.Method, to, nil)
	if err != nil {
		return nil, fmt.Errorf("the URL or method of the action cannot be used")
	}
	return request, nil
}

// setBody gives a request its body, which can be read again for another try.
func setBody(request *http.Request, content string) {
	request.ContentLength = int64(len(content))
	request.GetBody = func() (io.ReadCloser, error) {
		if content == "" {
			return http.NoBody, nil // any other that is empty has a length that is not known
		}
		return io.NopCloser(strings.NewReader(content)), nil
	}
	request.Body, _ = request.GetBody()
}

// setHeaders puts the action's headers, and the step's over them.
func (h *httpSender) setHeaders(header http.Header, message engine.HTTPMessage, settings *rendering) error {
	for name, setting := range h.settings.Headers {
		value, err := settings.render(setting)
		if err != nil {
			return fmt.Errorf("rendering the header %s: %w", name, err)
		}
		header.Set(name, value)
	}
	for name, value := range message.Headers {
		header.Set(name, value)
	}
	for name, values := range header {
		if strings.ContainsFunc(values[0], breaksHeader) {
			return fmt.Errorf("the header %s holds a line break or another control character", name)
		}
	}
	return nil
}

// breaksHeader tells what cannot stand in a header's value (RFC 9110, section 5.5).
func breaksHeader(c rune) bool { return c < ' ' && c != '\t' || c == 0x7f }

// contentOf is what a message sends: its JSON, its text, or the event as it was received.
func contentOf(message engine.HTTPMessage, event []byte) (content, contentType string) {
	switch {
	case message.JSON != nil:
		return string(message.JSON), "application/json"
	case message.Body != nil:
		return *message.Body, "text/plain; charset=utf-8"
	}
	return string(event), "application/json"
}
