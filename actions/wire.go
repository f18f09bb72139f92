package actions

import (
	"bytes"
	"context"
	"crypto/tls"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/peanuts-router/peanuts-router/engine"
)

// maxAnswer is how much of an answer is read, in bytes; engine.AnswerLimit is how much is kept.
const maxAnswer = 64 << 10

// divertedScheme is the header in which a diversion tells the scheme that was asked for; receiver reads it by the same name.
const divertedScheme = "X-Diverted-Scheme"

// transport makes calls over connections of an action's own.
type transport interface {
	http.RoundTripper
	CloseIdleConnections()
}

// newTransport makes a transport with no proxy, no decompression, and no deadline but the attempt's. None follows a redirect.
func newTransport(action engine.Action, config Config) transport {
	dial := dialer(config, divertHTTP(config))
	rest := &http.Transport{
		DialContext:            dial,
		TLSClientConfig:        &tls.Config{RootCAs: config.RootCAs, MinVersion: tls.VersionTLS12},
		TLSHandshakeTimeout:    engine.MaxTimeout,
		ResponseHeaderTimeout:  engine.MaxTimeout,
		MaxResponseHeaderBytes: maxAnswer,
		MaxIdleConnsPerHost:    max(action.Concurrency, 1),
		IdleConnTimeout:        90 * time.Second,
		DisableCompression:     true,
		ForceAttemptHTTP2:      true,
	}
	if config.Divert != nil {
		return inClear{rest}
	}
	return &direct{dial: dial, rest: rest, idle: idle{most: max(action.Concurrency, 1)}}
}

func divertHTTP(config Config) string {
	if config.Divert == nil {
		return ""
	}
	return config.Divert.HTTP
}

// inClear asks for everything over plain HTTP, and tells in a header how it was meant.
type inClear struct{ transport }

func (c inClear) RoundTrip(r *http.Request) (*http.Response, error) {
	diverted := r.Clone(r.Context())
	diverted.Header.Set(divertedScheme, r.URL.Scheme)
	diverted.URL.Scheme = "http"
	return c.transport.RoundTrip(diverted)
}

// exchange is what was seen of an HTTP answer.
type exchange struct {
	status     int
	retryAfter time.Duration
	answer     strings.Builder // its beginning
}

// exchangeOf makes one call and reads of its answer what is kept. An error is that of the transport: http.Client, which copies
// every request for redirects that we do not follow, has no part in it.
func exchangeOf(over transport, request *http.Request, now func() time.Time) (*exchange, error) {
	if user := request.URL.User; user != nil && request.Header.Get("Authorization") == "" {
		password, _ := user.Password()
		request.SetBasicAuth(user.Username(), password)
	}
	response, err := over.RoundTrip(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	seen := &exchange{status: response.StatusCode, retryAfter: retryAfter(response.Header, now())}
	// The body is read so that the connection can serve again. Where it breaks off, the verdict still stands in the
	// status.
	buffer := answerBuffers.Get().(*[engine.AnswerLimit]byte)
	defer answerBuffers.Put(buffer)
	_, _ = io.CopyBuffer(atMost{&seen.answer}, io.LimitReader(response.Body, maxAnswer), buffer[:])
	return seen, nil
}

// answerBuffers are used again: one that is made for each answer costs more than most answers.
var answerBuffers = sync.Pool{New: func() any { return new([engine.AnswerLimit]byte) }}

// statusText is the status as people know it: "503 Service Unavailable".
func (e *exchange) statusText() string {
	return strings.TrimSpace(strconv.Itoa(e.status) + " " + http.StatusText(e.status))
}

// kept is the part of the answer that is kept.
func (e *exchange) kept() string { return keep(e.answer.String()) }

// keep cuts an answer to what is kept of it, as valid UTF-8 that a database can hold.
func keep(answer string) string {
	answer = answer[:min(len(answer), engine.AnswerLimit)]
	answer = strings.ReplaceAll(strings.ToValidUTF8(answer, ""), "\x00", "")
	return answer
}

// recorded keeps what it sees of an answer for whoever put an exchange into the request's context: a library's error
// often tells less. Of a refusal it reads as much as the others do; of a success, up to limit bytes.
type recorded struct {
	transport
	now   func() time.Time
	limit int64
}

type exchangeKey struct{}

func withExchange(ctx context.Context) (context.Context, *exchange) {
	seen := &exchange{}
	return context.WithValue(ctx, exchangeKey{}, seen), seen
}

func (r recorded) RoundTrip(request *http.Request) (*http.Response, error) {
	response, err := r.transport.RoundTrip(request)
	seen, ok := request.Context().Value(exchangeKey{}).(*exchange)
	if err != nil || !ok {
		return response, err
	}
	seen.status = response.StatusCode
	seen.retryAfter = retryAfter(response.Header, r.now())
	limit := r.limit
	if response.StatusCode/100 != 2 {
		limit = maxAnswer
	}
	watched := io.TeeReader(io.LimitReader(response.Body, limit), atMost{&seen.answer})
	if response.StatusCode/100 != 2 {
		// A library does not always read what a refusal says. What cannot be read does not change the status.
		text, _ := io.ReadAll(watched)
		watched = bytes.NewReader(text)
	}
	response.Body = body{watched, response.Body}
	return response, nil
}

// body reads from one reader and closes another.
type body struct {
	io.Reader
	io.Closer
}

// atMost writes no more than what is kept, and takes the rest silently.
type atMost struct{ to *strings.Builder }

func (a atMost) Write(p []byte) (int, error) {
	if room := engine.AnswerLimit - a.to.Len(); room > 0 {
		a.to.Write(p[:min(room, len(p))])
	}
	return len(p), nil
}
