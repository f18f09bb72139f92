package peanuts

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"
)

// Sender signs bodies and posts them as Peanuts does. It is safe for concurrent use.
type Sender struct {
	url, secret string
	client      http.Client
}

// SenderConfig says where a Sender sends.
type SenderConfig struct {
	URL       string            // of the receiver, such as http://127.0.0.1:3000/webhook
	Secret    string            // shared with the receiver
	Transport http.RoundTripper // nil means http.DefaultTransport
	Timeout   time.Duration     // of a whole exchange; 0 means the 30 s that Peanuts waits
}

// Receipt is the answer to an event that was taken.
type Receipt struct {
	Processed bool   `json:"processed"`
	ID        string `json:"id"`        // the receiver's name for the event
	Duplicate bool   `json:"duplicate"` // these bytes had come before
}

// RefusedError is an answer other than 2xx.
type RefusedError struct {
	Status     int
	Problem    string // what the receiver said, cut to 1 KiB
	RetryAfter string // the header, as received
}

func (e *RefusedError) Error() string {
	return fmt.Sprintf("%d %s: %s", e.Status, http.StatusText(e.Status), e.Problem)
}

// NewSender makes a Sender. A URL that is not absolute http or https, and an empty secret, are errors.
func NewSender(config SenderConfig) (*Sender, error) {
	to, err := url.Parse(config.URL)
	if err != nil || to.Host == "" || to.Scheme != "http" && to.Scheme != "https" {
		return nil, errors.New("the receiver's URL must be absolute, http or https")
	}
	if config.Secret == "" {
		return nil, errors.New("the secret to sign with is empty")
	}
	if config.Timeout == 0 {
		config.Timeout = 30 * time.Second
	}
	return &Sender{url: config.URL, secret: config.Secret, client: http.Client{
		Transport:     config.Transport,
		Timeout:       config.Timeout,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}, nil
}

// Send signs and posts a body. An answer other than 2xx is a *RefusedError; redirects are not followed.
func (s *Sender) Send(ctx context.Context, body []byte) (Receipt, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, s.url, bytes.NewReader(body))
	if err != nil {
		return Receipt{}, fmt.Errorf("sending an event: %w", err)
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set(SignatureHeader, Sign(s.secret, body))
	response, err := s.client.Do(request)
	if err != nil {
		return Receipt{}, fmt.Errorf("sending an event: %w", err)
	}
	defer response.Body.Close()
	answered, err := io.ReadAll(io.LimitReader(response.Body, 64<<10))
	if err != nil {
		return Receipt{}, fmt.Errorf("reading the answer: %w", err)
	}
	if response.StatusCode/100 != 2 {
		return Receipt{}, &RefusedError{
			Status: response.StatusCode, Problem: problemOf(answered), RetryAfter: response.Header.Get("Retry-After"),
		}
	}
	var receipt Receipt
	if err := json.Unmarshal(answered, &receipt); err != nil {
		return Receipt{}, fmt.Errorf("reading the answer: %w", err)
	}
	return receipt, nil
}

// problemOf is what a refusal says: its error member where it has one.
func problemOf(answered []byte) string {
	var problem struct {
		Error  string `json:"error"`
		Detail string `json:"detail"`
	}
	if json.Unmarshal(answered, &problem) == nil && problem.Error != "" {
		if problem.Detail != "" && problem.Detail != problem.Error {
			return problem.Error + ": " + problem.Detail
		}
		return problem.Error
	}
	return string(answered[:min(len(answered), 1<<10)])
}
