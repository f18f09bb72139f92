package actions

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/peanuts-router/peanuts-router/engine"
	"github.com/peanuts-router/peanuts-router/peanuts"
)

// rawTarget reads one request of each connection and hands the connection to answer, to be closed afterwards; ended is
// closed with the test.
func rawTarget(t *testing.T, answer func(conn *net.TCPConn, ended <-chan struct{})) string {
	t.Helper()
	ended := make(chan struct{})
	t.Cleanup(func() { close(ended) })
	return "http://" + answering(t, func(conn *net.TCPConn) {
		if request, err := http.ReadRequest(bufio.NewReader(conn)); err == nil {
			io.Copy(io.Discard, request.Body)
			answer(conn, ended)
		}
	})
}

// answering is a target that answers each connection apart, and closes it afterwards.
func answering(t *testing.T, answer func(conn *net.TCPConn)) (address string) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				answer(conn.(*net.TCPConn))
			}()
		}
	}()
	return listener.Addr().String()
}

// F30: an answer that is cut, by an end or by a reset, is a delivery once its head was there whole, and not before.
func TestAnAnswerCutAtEveryByte(t *testing.T) {
	const head, answer = "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n", "delivered"
	for _, reset := range []bool{false, true} {
		var cut atomic.Int64
		url := rawTarget(t, func(conn *net.TCPConn, _ <-chan struct{}) {
			io.WriteString(conn, (head + answer)[:cut.Load()])
			if reset {
				conn.CloseWrite() // the bytes are on their way before the reset is
				io.Copy(io.Discard, conn)
				conn.SetLinger(0)
			}
		})
		for n := range len(head + answer) {
			cut.Store(int64(n))
			want := engine.VerdictRetry
			if n >= len(head) {
				want = engine.VerdictDelivered
			}
			if got := send(t, toURL(url), Config{}, `{}`, 5*time.Second); got.Verdict != want {
				t.Errorf("cut after %d bytes (reset %v): outcome %+v, want %s", n, reset, got, want)
			}
		}
	}
}

// F27, F47: what drips, never ends, or is large and binary ends in time, keeps its verdict and is kept in part.
func TestAnswersThatWearOut(t *testing.T) {
	drip := func(conn net.Conn, ended <-chan struct{}, text string) {
		tick := time.NewTicker(20 * time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-ended:
				return
			case <-tick.C:
				if _, err := io.WriteString(conn, text); err != nil {
					return
				}
			}
		}
	}
	flood := func(conn net.Conn, text string) {
		for {
			if _, err := io.WriteString(conn, text); err != nil {
				return
			}
		}
	}
	for _, c := range []struct {
		name       string
		answer     func(*net.TCPConn, <-chan struct{})
		within     time.Duration
		want       engine.Verdict
		wantStatus string
	}{
		{"drips its head", func(c *net.TCPConn, ended <-chan struct{}) { drip(c, ended, "H") }, hanging, engine.VerdictRetry, "timeout"},
		{"drips a refusal", func(c *net.TCPConn, ended <-chan struct{}) {
			io.WriteString(c, "HTTP/1.1 422 No\r\nContent-Length: 100000\r\n\r\n")
			drip(c, ended, "x.")
		}, hanging, engine.VerdictDead, "422 Unprocessable Entity"},
		{"drips a success", func(c *net.TCPConn, ended <-chan struct{}) {
			io.WriteString(c, "HTTP/1.1 202 Yes\r\n\r\n")
			drip(c, ended, "x.")
		}, hanging, engine.VerdictDelivered, "202 Accepted"},
		{"sends headers without end", func(c *net.TCPConn, _ <-chan struct{}) {
			io.WriteString(c, "HTTP/1.1 200 OK\r\n")
			flood(c, "X-More: "+strings.Repeat("x", 1000)+"\r\n")
		}, prompt, engine.VerdictRetry, "no answer"},
		{"sends 1xx without end", func(c *net.TCPConn, _ <-chan struct{}) { flood(c, "HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n") }, prompt, engine.VerdictRetry, "no answer"},
		{"sends 10 MiB of no text", func(c *net.TCPConn, _ <-chan struct{}) {
			io.WriteString(c, "HTTP/1.1 503 No\r\nContent-Length: 10485760\r\n\r\n")
			io.WriteString(c, strings.Repeat("\x00\xff\xfeä", 10<<20/5))
		}, prompt, engine.VerdictRetry, "503 Service Unavailable"},
	} {
		t.Run(c.name, func(t *testing.T) {
			for _, settings := range []engine.Settings{
				toURL(rawTarget(t, c.answer)),
				&engine.SlackSettings{WebhookURL: engine.NewSecret(rawTarget(t, c.answer))},
			} {
				got := send(t, settings, Config{}, `{}`, c.within)
				if got.Verdict != c.want || got.Status != c.wantStatus {
					t.Errorf("%T: outcome %.300v, want %s with status %q", settings, got, c.want, c.wantStatus)
				}
				if len(got.Answer) > engine.AnswerLimit || strings.Trim(got.Answer, "x.ä") != "" {
					t.Errorf("%T: kept %d bytes: %.80q", settings, len(got.Answer), got.Answer)
				}
			}
		})
	}
}

// C11: the statuses of no class, and those that come before the answer.
func TestStatusesBesideTheCommonOnes(t *testing.T) {
	for answer, want := range map[string]engine.Outcome{
		"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n": {Verdict: engine.VerdictDelivered, Status: "204 No Content"},
		"HTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 410 Gone\r\nContent-Length: 0\r\n\r\n":                {Verdict: engine.VerdictDead, Status: "410 Gone", Gone: true},
		"HTTP/1.1 600 What\r\n\r\n": {Verdict: engine.VerdictRetry, Status: "600"},
		"HTTP/1.1 999 What\r\n\r\n": {Verdict: engine.VerdictRetry, Status: "999"},
		"HTTP/1.1 099 What\r\n\r\n": {Verdict: engine.VerdictRetry, Status: "99"},
		"HTTP/1.0 200 OK\r\n\r\n":   {Verdict: engine.VerdictDelivered, Status: "200 OK"},
	} {
		got := send(t, toURL(rawTarget(t, func(c *net.TCPConn, _ <-chan struct{}) { io.WriteString(c, answer) })), Config{}, `{}`, 5*time.Second)
		if got.Verdict != want.Verdict || got.Status != want.Status || got.Gone != want.Gone {
			t.Errorf("%q: outcome %+v, want %+v", answer, got, want)
		}
	}
}

// C12: a wait that a target asks for holds with what is tried again, and pauses nothing when it is not.
func TestAWaitIsTakenFromWhatIsTriedAgain(t *testing.T) {
	status := 0
	target := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Retry-After", "30")
		w.WriteHeader(status)
	}))
	defer target.Close()
	for code, want := range map[int]time.Duration{200: 0, 404: 0, 410: 0, 401: 30 * time.Second, 429: 30 * time.Second, 503: 30 * time.Second} {
		status = code
		if got := send(t, toURL(target.URL), Config{}, `{}`, 5*time.Second); got.RetryAfter != want {
			t.Errorf("status %d with Retry-After: 30 asks to wait %v, want %v", code, got.RetryAfter, want)
		}
	}
}

// What is called often is called over the same connection, whatever it answers.
func TestConnectionsServeAgain(t *testing.T) {
	var opened atomic.Int64
	target := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/refuse" {
			w.WriteHeader(500)
		}
		fmt.Fprintf(w, `{"ok":%v,"error":"internal_error"}`, r.URL.Path != "/refuse")
	}))
	target.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			opened.Add(1)
		}
	}
	target.Start()
	defer target.Close()
	for _, settings := range []engine.Settings{
		toURL(target.URL + "/take"), toURL(target.URL + "/refuse"),
		&engine.SlackSettings{WebhookURL: engine.NewSecret(target.URL + "/take")},
		&engine.SlackSettings{Token: engine.NewSecret("x"), Channel: engine.Fixed("#a"), APIURL: target.URL + "/"},
	} {
		opened.Store(0)
		sender, err := New(engine.Action{Settings: settings}, Config{})
		if err != nil {
			t.Fatal(err)
		}
		for range 20 {
			sender.Send(context.Background(), shipment(`{"text":"hi"}`))
		}
		sender.Close()
		if got := opened.Load(); got != 1 {
			t.Errorf("%T: 20 attempts opened %d connections, want 1", settings, got)
		}
	}
}

// dynamic is a setting with a template.
type dynamic func(*peanuts.Event, time.Time) (string, error)

func (d dynamic) Render(e *peanuts.Event, now time.Time) (string, error) { return d(e, now) }

// C14: templates of an action are rendered from the stored event and the time of the attempt; what cannot be rendered
// can never succeed (C21).
func TestTemplatesOfAnActionAreRenderedAtEachAttempt(t *testing.T) {
	var path, header string
	target := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		path, header = r.URL.Path, r.Header.Get("X-At")
	}))
	defer target.Close()
	now := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	settings := &engine.HTTPSettings{
		URL:     dynamic(func(e *peanuts.Event, _ time.Time) (string, error) { return target.URL + "/" + e.User.ID, nil }),
		Method:  http.MethodPost,
		Headers: map[string]engine.Dynamic{"X-At": dynamic(func(_ *peanuts.Event, at time.Time) (string, error) { return at.Format(time.TimeOnly), nil })},
	}
	config := Config{Now: func() time.Time { return now }}
	if got := send(t, settings, config, `{}`, 5*time.Second); got.Verdict != engine.VerdictDelivered || path != "/u" || header != "12:00:00" {
		t.Errorf("outcome %+v at %s with X-At %q, want /u and 12:00:00", got, path, header)
	}
	fails := dynamic(func(*peanuts.Event, time.Time) (string, error) { return "", errors.New("no such date") })
	for _, settings := range []engine.Settings{
		&engine.HTTPSettings{URL: fails, Method: http.MethodPost},
		&engine.HTTPSettings{URL: engine.Fixed(target.URL), Method: http.MethodPost, Headers: map[string]engine.Dynamic{"X-A": fails}},
		&engine.SlackSettings{Token: engine.NewSecret("x"), Channel: fails, APIURL: target.URL + "/"},
		&engine.EmailSettings{Host: "127.0.0.1", Port: 1, From: "a@example.com", To: []engine.Dynamic{fails}},
	} {
		if got := send(t, settings, config, `{"subject":"s","text":"t"}`, 5*time.Second); got.Verdict != engine.VerdictDead || !strings.Contains(got.Reason, "no such date") {
			t.Errorf("%T: outcome %+v, want dead with the reason", settings, got)
		}
	}
}

// A32, C21: what cannot stand in a header dies at once; its like that can is sent as it is.
func TestValuesOfHeaders(t *testing.T) {
	var got string
	target := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { got = r.Header.Get("X-A") }))
	defer target.Close()
	for value, dies := range map[string]bool{
		`a\r\nX-Injected: canary`: true, `a\ncanary`: true, `a\rcanary`: true, `a\u0000canary`: true, `\u007fcanary`: true,
		`a: b; c=\"d\"`: false, `a\tb`: false, "Käse": false, `%0d%0aX-Injected: fine`: false,
	} {
		got = ""
		outcome := send(t, toURL(target.URL), Config{}, `{"headers":{"X-A":"`+value+`"}}`, 5*time.Second)
		if (outcome.Verdict == engine.VerdictDead) != dies || (got == "") != dies || strings.Contains(fmt.Sprint(outcome), "canary") {
			t.Errorf("X-A: %s arrives as %q with outcome %+v, dies %v", value, got, outcome, dies)
		}
	}
}

// F25, F29, A34: failures on the way are told in words that say what to look at, and name no URL.
func TestFailuresOnTheWayAreToldInWords(t *testing.T) {
	const secret = "https://hooks.slack.com/services/canary"
	for _, c := range []struct {
		err    error
		status string
		reason string
	}{
		{&net.OpError{Op: "dial", Net: "tcp", Err: syscall.EHOSTUNREACH}, "network", "no route to host"},
		{&net.OpError{Op: "dial", Net: "tcp", Err: syscall.ENETUNREACH}, "network", "network is unreachable"},
		{&net.OpError{Op: "read", Err: syscall.ECONNRESET}, "connection reset", "cut"},
		{&net.DNSError{Err: "server misbehaving", Name: "canary.example", IsTemporary: true}, "name not found", "server misbehaving"},
		{errors.New(secret), "no answer", "no answer"},
	} {
		got := ofError(fmt.Errorf("post %s: %w", secret, c.err))
		if got.Verdict != engine.VerdictRetry || got.Status != c.status || !strings.Contains(got.Reason, c.reason) || strings.Contains(fmt.Sprint(got), "canary") {
			t.Errorf("%v becomes %+v, want %s with %q", c.err, got, c.status, c.reason)
		}
	}
}

// An attempt that is cut from outside ends at once, and is tried again.
func TestACutCallEnds(t *testing.T) {
	arrived := make(chan struct{}, 3)
	url := rawTarget(t, func(_ *net.TCPConn, ended <-chan struct{}) { arrived <- struct{}{}; <-ended })
	for _, settings := range []engine.Settings{
		toURL(url), &engine.SlackSettings{WebhookURL: engine.NewSecret(url)},
		&engine.SlackSettings{Token: engine.NewSecret("x"), Channel: engine.Fixed("#a"), APIURL: url + "/"},
	} {
		sender, err := New(engine.Action{Settings: settings}, Config{})
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(context.Background())
		done := make(chan engine.Outcome, 1)
		go func() { done <- sender.Send(ctx, shipment(`{"text":"hi"}`)) }()
		<-arrived
		cancel()
		if got := <-done; got.Verdict != engine.VerdictRetry || got.Status != "cancelled" {
			t.Errorf("%T: outcome %+v, want a retry that was cancelled", settings, got)
		}
		sender.Close()
	}
}
