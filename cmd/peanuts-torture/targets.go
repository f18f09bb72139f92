package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/peanuts-router/peanuts-router/actions/receiver"
	"github.com/peanuts-router/peanuts-router/engine"
)

// targets are what the router delivers to. They live in this process, answer each delivery by the plan of its event, and
// note what they saw.
type targets struct {
	history  *history
	http     string             // host:port of the targets that follow plans
	receiver *receiver.Receiver // of chat and mail, which always say yes
	ways     map[way]*proxy     // by which the router comes to them
	server   *http.Server
	served   sync.WaitGroup
	stopping chan struct{}

	healed atomic.Bool // they say yes to everything

	mu       sync.Mutex
	attempts map[string]int  // that were seen, by action and key
	answered chan<- struct{} // told of the next answer to planKill; nil when nobody waits
}

func startTargets(h *history) (*targets, error) {
	t := &targets{history: h, attempts: map[string]int{}, ways: map[way]*proxy{}, stopping: make(chan struct{})}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	t.http = listener.Addr().String()
	if t.receiver, err = receiver.Start(receiver.Config{OnCall: t.caught}); err != nil {
		return nil, err
	}
	t.server = &http.Server{Handler: t, ReadHeaderTimeout: 10 * time.Second}
	t.served.Go(func() { t.server.Serve(listener) }) // ends with close
	for w, target := range map[way]string{wayHTTP: t.http, wayChat: t.receiver.HTTP, wayMail: t.receiver.SMTP} {
		if t.ways[w], err = startProxy(w, target, h); err != nil {
			return nil, err
		}
	}
	return t, nil
}

func (t *targets) close() error {
	close(t.stopping)
	for _, p := range t.ways {
		_ = p.close() // as is what it carried
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	_ = t.server.Shutdown(ctx)
	_ = t.server.Close()
	t.served.Wait()
	return t.receiver.Close()
}

// heal has the targets follow no plan any more, but say yes.
func (t *targets) heal() { t.healed.Store(true) }

// watch has the next whole answer to planKill told.
func (t *targets) watch(told chan<- struct{}) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.answered = told
}

// attempt numbers an attempt at a delivery.
func (t *targets) attempt(action, key string) int {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.attempts[action+" "+key]++
	return t.attempts[action+" "+key]
}

// ServeHTTP answers by the plan that the message carries.
func (t *targets) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	at := t.history.now()
	body, err := io.ReadAll(io.LimitReader(r.Body, 1<<20))
	if err != nil {
		return // the router died while it sent
	}
	got := receipt{At: at, Action: strings.TrimPrefix(r.URL.Path, "/"), Key: r.Header.Get("Idempotency-Key"), Text: string(body), From: r.RemoteAddr}
	var message fate
	_ = json.Unmarshal(body, &message) // what cannot be read is of no event, which an invariant finds
	got.N = message.N
	got.Attempt = t.attempt(got.Action, got.Key)
	defer func() { t.history.received(got) }()
	followed := message.Plan
	if got.Action == actionReminders || t.healed.Load() {
		followed = planOK
	}
	got.Status, got.Whole = t.answer(w, r, followed, got.Attempt)
	if followed == planKill && got.Whole {
		t.tell()
	}
}

// answer gives the answer of a plan to the nth attempt, and tells what was written of it.
func (t *targets) answer(w http.ResponseWriter, r *http.Request, p plan, n int) (status int, whole bool) {
	switch {
	case p == planSilent && n == 1:
		select {
		case <-r.Context().Done():
		case <-t.stopping:
		}
		return 0, false
	case p == planSlow:
		select {
		case <-time.After(slowness):
		case <-r.Context().Done():
			return 0, false
		}
	case p == planReset && n == 1:
		return http.StatusOK, breakOff(w)
	case p == planFailing:
		return write(w, http.StatusInternalServerError)
	case p == planRefused:
		return write(w, http.StatusBadRequest)
	case p == planGone:
		return write(w, http.StatusGone)
	case p == planLimited && n == 1:
		w.Header().Set("Retry-After", strconv.Itoa(int(askedToWait.Seconds())))
		return write(w, http.StatusTooManyRequests)
	case n <= p.failures():
		return write(w, http.StatusServiceUnavailable)
	}
	return write(w, http.StatusOK)
}

// slowness is how long planSlow takes.
const slowness = 300 * time.Millisecond

const answerText = "told by the target"

// write gives a whole answer, and sees it leave.
func write(w http.ResponseWriter, status int) (int, bool) {
	w.Header().Set("Content-Length", strconv.Itoa(len(answerText)))
	w.WriteHeader(status)
	_, err := io.WriteString(w, answerText)
	if err == nil {
		err = http.NewResponseController(w).Flush()
	}
	return status, err == nil
}

// breakOff begins an answer and cuts the connection.
func breakOff(w http.ResponseWriter) bool {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return false
	}
	_, _ = fmt.Fprintf(conn, "HTTP/1.1 200 OK\r\nContent-Le")
	_ = conn.Close()
	return false
}

// tell tells whoever waits for it that planKill was answered.
func (t *targets) tell() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.answered != nil {
		close(t.answered)
		t.answered = nil
	}
}

// caught notes a message of chat or mail.
func (t *targets) caught(call receiver.Call) {
	got := receipt{At: t.history.now(), Action: actionChat, Key: call.Key, Text: strings.TrimSpace(call.Text), Status: http.StatusOK, Whole: true}
	if call.Kind == engine.KindEmail {
		got.Action = actionPost
	}
	_, _ = fmt.Sscanf(got.Text, "n=%d", &got.N) // what cannot be read is of no event, which an invariant finds
	got.Attempt = t.attempt(got.Action, got.Key)
	t.history.received(got)
}
