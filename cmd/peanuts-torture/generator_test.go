package main

import (
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/peanuts-router/peanuts-router/peanuts"
)

// stubRouter is a life that takes events at a test's server.
func stubRouter(t *testing.T, answer http.HandlerFunc) *router {
	t.Helper()
	server := httptest.NewServer(answer)
	t.Cleanup(server.Close)
	p := &process{webhook: server.URL, ready: make(chan struct{}), ended: make(chan struct{})}
	close(p.ready)
	return &router{process: p}
}

// A sender knows that an event is stored, that it is not, or neither.
func TestASenderKnowsWhatItWasTold(t *testing.T) {
	for name, c := range map[string]struct {
		answer http.HandlerFunc
		want   try
	}{
		"stored": {func(w http.ResponseWriter, _ *http.Request) {
			io.WriteString(w, `{"processed":true,"id":"x","duplicate":true}`)
		},
			try{Outcome: outcomeOK, Status: 200, ID: "x", Duplicate: true}},
		"refused": {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(401) }, try{Outcome: outcomeFail, Status: 401}},
		"later":   {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(503) }, try{Outcome: outcomeInfo, Status: 503}},
		"cut off": {func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, try{Outcome: outcomeInfo}},
		"cut off in the answer": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "100")
			io.WriteString(w, `{"id":"x"`)
			_ = http.NewResponseController(w).Flush()
			panic(http.ErrAbortHandler)
		}, try{Outcome: outcomeInfo, Status: 200}},
	} {
		h := historyIn(t)
		g := newGenerator(1, stubRouter(t, c.answer), h, newDice(3, useEvents))
		got := g.post(h.send(event{fate: fate{N: 1}, Body: []byte("{}")}))
		got.At, got.Done = 0, 0
		if got != c.want {
			t.Errorf("%s: post() = %+v, want %+v", name, got, c.want)
		}
	}
}

// Events are signed with the secret of the router, and forged ones with another.
func TestForgedEventsAreSignedWithAnotherSecret(t *testing.T) {
	verifier, err := peanuts.NewVerifier(secret)
	if err != nil {
		t.Fatal(err)
	}
	r := stubRouter(t, func(w http.ResponseWriter, request *http.Request) {
		body, _ := io.ReadAll(request.Body)
		if verifier.Verify(request.Header, body) != nil {
			w.WriteHeader(401)
		}
	})
	h := historyIn(t)
	g := newGenerator(1, r, h, newDice(3, useEvents))
	for forged, want := range map[bool]outcome{false: outcomeOK, true: outcomeFail} {
		if got := g.post(h.send(event{Forged: forged, Body: []byte("{}")})); got.Outcome != want {
			t.Errorf("an event, forged: %t, came to %s, want %s", forged, got.Outcome, want)
		}
	}
}
