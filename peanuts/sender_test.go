package peanuts_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/peanuts-router/peanuts-router/peanuts"
)

func TestASenderSignsWhatAClientVerifies(t *testing.T) { // R84, R104
	got := make(chan *peanuts.Event, 1)
	client := newClient(t)
	client.On(peanuts.EntryCreated, func(_ context.Context, e *peanuts.Event) error { got <- e; return nil })
	body := example(t)
	receipt, err := send(t, client, body)
	if err != nil || !receipt.Processed {
		t.Fatalf("Send = %+v, %v; want processed", receipt, err)
	}
	if e := <-got; string(e.Raw) != string(body) {
		t.Errorf("the client received %s, want %s", e.Raw, body)
	}
}

func TestSendReadsTheRoutersAnswer(t *testing.T) { // R8, C9
	for text, want := range map[string]peanuts.Receipt{
		`{"processed":true,"id":"0192-1","duplicate":false}`:                {Processed: true, ID: "0192-1"},
		`{"processed":true,"id":"0192-1","duplicate":true,"further":[1,2]}`: {Processed: true, ID: "0192-1", Duplicate: true},
	} {
		got, err := send(t, answering(200, nil, text), []byte(created))
		if diff := cmp.Diff(want, got); diff != "" || err != nil {
			t.Errorf("Send answered %s: %v, -want +got:\n%s", text, err, diff)
		}
	}
	for _, text := range []string{"", "OK", "<html>", `{"processed":`} {
		if got, err := send(t, answering(200, nil, text), []byte(created)); err == nil {
			t.Errorf("Send answered %q = %+v, want an error", text, got)
		}
	}
}

func TestSendTellsARefusalAsItsAnswerSaid(t *testing.T) {
	tests := []struct {
		status int
		header http.Header
		text   string
		want   peanuts.RefusedError
		says   string
	}{
		{401, nil, `{"title":"Unauthorized","error":"invalid signature"}`, peanuts.RefusedError{Status: 401, Problem: "invalid signature"}, "401 Unauthorized: invalid signature"},
		{400, nil, `{"error":"invalid body","detail":"the body is not JSON (at byte 3)"}`, peanuts.RefusedError{Status: 400, Problem: "invalid body: the body is not JSON (at byte 3)"}, "400 Bad Request: invalid body: the body is not JSON (at byte 3)"},
		{503, http.Header{"Retry-After": {"5"}}, `{"error":"unavailable"}`, peanuts.RefusedError{Status: 503, Problem: "unavailable", RetryAfter: "5"}, "503 Service Unavailable: unavailable"},
		{502, nil, "bad gateway\x1b[31m\r\n", peanuts.RefusedError{Status: 502, Problem: "bad gateway\x1b[31m\r\n"}, `502 Bad Gateway: bad gateway\x1b[31m\r\n`},
		{599, nil, "", peanuts.RefusedError{Status: 599}, "599"},
		{404, nil, strings.Repeat("é", 5000), peanuts.RefusedError{Status: 404, Problem: strings.Repeat("é", 512) + "…"}, "404 Not Found: " + strings.Repeat("é", 512) + "…"},
		{500, nil, `{"error":"` + strings.Repeat("x", 5000) + `"}`, peanuts.RefusedError{Status: 500, Problem: strings.Repeat("x", 1024) + "…"}, "500 Internal Server Error: " + strings.Repeat("x", 1024) + "…"},
	}
	for _, test := range tests {
		_, err := send(t, answering(test.status, test.header, test.text), []byte(created))
		var got *peanuts.RefusedError
		if !errors.As(err, &got) {
			t.Errorf("Send answered %d = %v, want a *RefusedError", test.status, err)
			continue
		}
		if diff := cmp.Diff(test.want, *got); diff != "" {
			t.Errorf("Send answered %d, -want +got:\n%s", test.status, diff)
		}
		if got.Error() != test.says {
			t.Errorf("Send answered %d says %q, want %q", test.status, got, test.says)
		}
	}
}

func TestSendFollowsNoRedirect(t *testing.T) { // C11, A19
	canary := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("the redirect was followed") }))
	defer canary.Close()
	for _, status := range []int{301, 302, 303, 307, 308} {
		_, err := send(t, answering(status, http.Header{"Location": {canary.URL}}, ""), []byte(created))
		var refused *peanuts.RefusedError
		if !errors.As(err, &refused) || refused.Status != status {
			t.Errorf("Send answered %d = %v, want a *RefusedError", status, err)
		}
	}
}

func TestSendEndsWithItsContextAndItsTimeout(t *testing.T) {
	silent := http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body) // only then does the server see the other side go
		<-r.Context().Done()
	})
	server := httptest.NewServer(silent)
	defer server.Close()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := sender(t, server.URL, 0).Send(ctx, []byte(created)); !errors.Is(err, context.Canceled) {
		t.Errorf("Send with an ended context = %v, want context.Canceled", err)
	}
	if _, err := sender(t, server.URL, time.Millisecond).Send(t.Context(), []byte(created)); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Send to one who never answers = %v, want context.DeadlineExceeded", err)
	}
}

func TestSendErrorsTellNeitherSecretNorURL(t *testing.T) { // C19
	gone := httptest.NewServer(nil)
	gone.Close()
	_, err := sender(t, gone.URL+"/path-token?key=query-token", 0).Send(t.Context(), []byte(created))
	if err == nil || strings.Contains(err.Error(), "token") || strings.Contains(err.Error(), secret) {
		t.Errorf("Send to one who is gone = %v, want an error without tokens", err)
	}
}

func TestNewSenderRefusesWhatCannotWork(t *testing.T) {
	for _, config := range []peanuts.SenderConfig{
		{}, {URL: "http://x"}, {URL: "http://x", Secret: " "}, {Secret: secret}, {URL: "localhost:3000", Secret: secret},
		{URL: "/webhook", Secret: secret}, {URL: "ftp://x", Secret: secret}, {URL: "http://", Secret: secret},
		{URL: "http://x:token%zz@y", Secret: secret},
	} {
		if s, err := peanuts.NewSender(config); err == nil || s != nil || strings.Contains(err.Error(), "token") {
			t.Errorf("NewSender(%s) = %v, %v; want an error", config.URL, s, err)
		}
	}
}

func answering(status int, header http.Header, text string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		for name, lines := range header {
			w.Header()[name] = lines
		}
		w.WriteHeader(status)
		_, _ = io.WriteString(w, text)
	})
}

// send sends a body to a receiver on a socket of its own.
func send(t *testing.T, receiver http.Handler, body []byte) (peanuts.Receipt, error) {
	t.Helper()
	server := httptest.NewServer(receiver)
	defer server.Close()
	return sender(t, server.URL+"/webhook", 0).Send(t.Context(), body)
}

func sender(t *testing.T, url string, timeout time.Duration) *peanuts.Sender {
	t.Helper()
	s, err := peanuts.NewSender(peanuts.SenderConfig{URL: url, Secret: secret, Timeout: timeout})
	if err != nil {
		t.Fatalf("NewSender = %v", err)
	}
	return s
}
