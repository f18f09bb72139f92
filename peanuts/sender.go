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
	"strconv"
	"strings"
	"time"
)

// Sender signs bodies and posts them as Peanuts does. It does not print its secret. It is safe for concurrent use.
type Sender struct {
	url    string
	sign   func(body []byte) string // holds the secret, where no formatting reaches it
	client http.Client
}

// SenderConfig says where a Sender sends.
type SenderConfig struct {
	URL       string            // of the receiver, such as http://127.0.0.1:3000/webhook
	Secret    string            `json:"-"` // shared with the receiver
	Transport http.RoundTripper // nil means http.DefaultTransport
	Timeout   time.Duration     // of a whole exchange; 0 means the 30 s that Peanuts waits
}

// String hides the secret, and the URL, which may carry a token.
func (c SenderConfig) String() string { return "settings of a sender" }

// GoString hides the secret.
func (c SenderConfig) GoString() string { return c.String() }

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
	status := strings.TrimSpace(strconv.Itoa(e.Status) + " " + http.StatusText(e.Status))
	if e.Problem == "" {
		return status
	}
	return status + ": " + printable(e.Problem)
}

// NewSender makes a Sender. A URL that is not absolute http or https, and an empty or blank secret, are errors.
func NewSender(config SenderConfig) (*Sender, error) {
	to, err := url.Parse(config.URL)
	if err != nil || to.Host == "" || to.Scheme != "http" && to.Scheme != "https" {
		return nil, errors.New("the receiver's URL must be absolute, http or https")
	}
	if strings.TrimSpace(config.Secret) == "" {
		return nil, errors.New("the secret to sign with is empty")
	}
	if config.Timeout == 0 {
		config.Timeout = 30 * time.Second
	}
	return &Sender{
		url:  config.URL,
		sign: func(body []byte) string { return Sign(config.Secret, body) },
		client: http.Client{
			Transport:     config.Transport,
			Timeout:       config.Timeout,
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
	}, nil
}

// Send signs and posts a body. An answer other than 2xx is a *RefusedError; redirects are not followed. A 2xx that is
// no JSON answer is an error too: what answered is no receiver of events.
func (s *Sender) Send(ctx context.Context, body []byte) (Receipt, error) {
	response, err := s.post(ctx, body)
	if err != nil {
		return Receipt{}, fmt.Errorf("sending an event: %w", withoutURL(err))
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

func (s *Sender) post(ctx context.Context, body []byte) (*http.Response, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, s.url, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set(SignatureHeader, s.sign(body))
	return s.client.Do(request)
}

// withoutURL takes the URL, which may carry a token, out of what the HTTP client complains of.
func withoutURL(err error) error {
	var failed *url.Error
	if errors.As(err, &failed) {
		return failed.Err
	}
	return err
}

// problemOf is what a refusal says: its error and detail members where it has them.
func problemOf(answered []byte) string {
	var problem struct {
		Error  string `json:"error"`
		Detail string `json:"detail"`
	}
	said := string(answered)
	if json.Unmarshal(answered, &problem) == nil && problem.Error != "" {
		said = problem.Error
		if problem.Detail != "" && problem.Detail != problem.Error {
			said += ": " + problem.Detail
		}
	}
	return cut(said, 1<<10)
}
