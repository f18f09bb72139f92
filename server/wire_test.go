package server

import (
	"bufio"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/peanuts-router/peanuts-router/peanuts"
)

// TestASmuggledRequestIsNeverSeen holds A15. Each shape hides a whole signed event behind one that a proxy might see
// otherwise; at most the outer one is taken.
func TestASmuggledRequestIsNeverSeen(t *testing.T) {
	const outer, inner = `{"event":"outer"}`, `{"event":"inner"}`
	hidden := rawPost(signed(inner), inner)
	chunk := fmt.Sprintf("%x\r\n%s\r\n0\r\n\r\n", len(outer), outer)
	head := "POST /webhook HTTP/1.1\r\nHost: router\r\n" + signed(outer)
	length := func(n int) string { return fmt.Sprintf("Content-Length: %d\r\n", n) }
	const chunked = "Transfer-Encoding: chunked\r\n"
	for name, request := range map[string]string{
		"length and chunks":             head + length(len(chunk)+len(hidden)) + chunked + "\r\n" + chunk + hidden,
		"chunks and length":             head + chunked + length(len(chunk)+len(hidden)) + "\r\n" + chunk + hidden,
		"two lengths":                   head + length(len(outer)) + length(len(outer)+len(hidden)) + "\r\n" + outer + hidden,
		"two lengths, the longer first": head + length(len(outer)+len(hidden)) + length(len(outer)) + "\r\n" + outer + hidden,
		"a list of lengths":             head + fmt.Sprintf("Content-Length: %d, %d\r\n\r\n", len(outer), len(outer)+len(hidden)) + outer + hidden,
		"a signed length":               head + fmt.Sprintf("Content-Length: +%d\r\n\r\n", len(outer)) + outer + hidden,
		"a length in hex":               head + "Content-Length: 0x11\r\n\r\n" + outer + hidden,
		"a blank before the colon":      head + "Content-Length : 17\r\n\r\n" + outer + hidden,
		"identity chunks":               head + "Transfer-Encoding: identity\r\n" + length(len(outer)) + "\r\n" + outer + hidden,
		"unknown coding":                head + "Transfer-Encoding: xchunked\r\n\r\n" + chunk + hidden,
		"two codings":                   head + chunked + "Transfer-Encoding: identity\r\n\r\n" + chunk + hidden,
		"a list of codings":             head + "Transfer-Encoding: gzip, chunked\r\n\r\n" + chunk + hidden,
		"a vertical tab in the coding":  head + "Transfer-Encoding: \vchunked\r\n\r\n" + chunk + hidden,
		"chunk extension":               head + chunked + "\r\n" + strings.Replace(chunk, "\r\n", ";a=\""+"\r\n\"\r\n", 1) + hidden,
		"chunk size beyond 64 bits":     head + chunked + "\r\n10000000000000011\r\n" + outer + "\r\n0\r\n\r\n" + hidden,
		"chunk ends in bare LF":         head + chunked + "\r\n" + strings.ReplaceAll(chunk, "\r\n", "\n") + hidden,
		"HTTP/1.0 with chunks":          strings.Replace(head, "1.1", "1.0", 1) + "Connection: keep-alive\r\n" + chunked + length(len(outer)) + "\r\n" + outer + hidden,
		"HTTP/0.9":                      "POST /webhook\r\n" + hidden,
		"HTTP/2 preface":                "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + hidden,
		"NUL in a name":                 head + "X\x00: 1\r\n" + length(len(outer)) + "\r\n" + outer + hidden,
		"CR in a value":                 head + "X: a\rContent-Length: 0\r\n" + length(len(outer)) + "\r\n" + outer + hidden + "\x00",
		"a blank before the first name": "POST /webhook HTTP/1.1\r\n Host: router\r\n" + length(len(outer)) + "\r\n" + outer + hidden,
		"two hosts":                     head + "Host: other\r\n" + length(len(outer)) + "\r\n" + outer + hidden,
	} {
		d := openDoor(t)
		d.raw(t, request)
		for _, a := range d.store.stored() {
			if a.Event.Event != "outer" {
				t.Errorf("%s: event %s was taken", name, a.Event.Event)
			}
		}
	}
}

func TestPipelinedEventsAreEachTakenOnce(t *testing.T) { // the control of A15: honest neighbours on one connection
	d := openDoor(t)
	first, second := `{"event":"first"}`, `{"event":"second"}`
	d.raw(t, rawPost(signed(first), first)+rawPost(signed(second), second))
	if got := len(d.store.stored()); got != 2 {
		t.Errorf("two pipelined events: %d stored, want 2", got)
	}
}

func TestAnAbsoluteURIAndBareLinefeedsAreOneRequest(t *testing.T) { // A15
	for name, request := range map[string]string{
		"absolute URI": strings.Replace(rawPost(signed(flight), flight), "/webhook", "http://other.example/webhook", 1),
		"bare LF":      strings.ReplaceAll(rawPost(signed(flight), flight), "\r\n", "\n"),
	} {
		d := openDoor(t)
		text := d.raw(t, request)
		if got := len(d.store.stored()); got > 1 || got == 1 != (status(t, text) == http.StatusOK) {
			t.Errorf("%s: %d events stored after %q, want at most 1, and as answered", name, got, text)
		}
	}
}

func TestOtherPathsAre404AndOtherMethods405(t *testing.T) { // A16, R13
	d := openDoor(t)
	const post, get = "POST", "GET"
	for _, c := range []struct {
		method, target string
		want           int
	}{
		{get, "/webhook", 405}, {"HEAD", "/webhook", 405}, {"PUT", "/webhook", 405}, {"PATCH", "/api/peanuts", 405},
		{"DELETE", "/webhook", 405}, {"OPTIONS", "/webhook", 405}, {"TRACE", "/webhook", 405}, {"post", "/webhook", 405},
		{"BREW", "/webhook", 405}, {post, "/healthz", 405}, {"TRACE", "/healthz", 405},
		{"OPTIONS", "*", 404}, {"CONNECT", "router:80", 404}, {post, "/", 404}, {get, "/", 404},
		{post, "//webhook", 404}, {post, "/webhook/", 404}, {post, "/webhook//", 404}, {post, "/./webhook", 404},
		{post, "/x/../webhook", 404}, {post, "/%2e%2e/webhook", 404}, {post, "/%77ebhook", 404}, {post, "/webhook%2f", 404},
		{post, "/webhook%00", 404}, {post, "/WEBHOOK", 404}, {post, "/webhook;a=b", 404}, {post, "/api%2fpeanuts", 404},
		{post, "/api/peanuts/..", 404}, {post, `/api\peanuts`, 404}, {post, "/webhook.", 404}, {post, "/api/peanuts/x", 404},
		{get, "/../../etc/passwd", 404}, {get, "/%2e%2e/%2e%2e/etc/passwd", 404}, {get, "/..%2f..%2fetc/passwd", 404},
		{get, "/..%5c..%5cwindows", 404}, {get, "/%252e%252e/etc/passwd", 404}, {get, "/.git/config", 404}, {get, "/.env", 404},
		{get, "/metrics", 404}, {get, "/readyz", 404}, {post, "/api/v1/reload", 404}, {get, "/debug/pprof/", 404}, {get, "/debug/vars", 404},
		{get, "/healthz", 200}, {"HEAD", "/healthz", 200},
	} {
		text := d.raw(t, strings.Replace(rawPost(signed(flight)+"X-HTTP-Method-Override: POST\r\nX-Original-URL: /webhook\r\n", flight),
			"POST /webhook", c.method+" "+c.target, 1))
		if got := status(t, text); got != c.want {
			t.Errorf("%s %s: %d, want %d", c.method, c.target, got, c.want)
		}
		if allow := strings.Contains(text, "\r\nAllow: "); allow != (c.want == 405) {
			t.Errorf("%s %s: %q, want Allow with a 405 only", c.method, c.target, text)
		}
	}
	if got := len(d.store.stored()); got != 0 {
		t.Errorf("%d events stored, want 0", got)
	}
}

func TestTheChecksComeInTheOrderOfTheContract(t *testing.T) { // C20
	d := openDoor(t)
	const wrongType, tooLong, unsigned, noJSON = "Content-Type: text/plain\r\n", 1<<20 + 1, "", "x"
	head := func(method, lines string, length int) string {
		return fmt.Sprintf("%s /webhook HTTP/1.1\r\nHost: router\r\n%sContent-Length: %d\r\n\r\n", method, lines, length)
	}
	for _, c := range []struct {
		name, request string
		want          int
	}{
		{"all wrong", head("PUT", wrongType, tooLong), 405},
		{"all but the method", head("POST", wrongType, tooLong), 415},
		{"size, signature, body", head("POST", unsigned, tooLong), 413},
		{"signature, body", head("POST", unsigned, 1) + noJSON, 401},
		{"body", head("POST", signed(noJSON), 1) + noJSON, 400},
	} {
		if got := status(t, d.raw(t, c.request)); got != c.want {
			t.Errorf("wrong are %s: %d, want %d", c.name, got, c.want)
		}
	}
}

// TestSlowSendersAreClosedAndHonestOnesServed holds A11 with short times; that the times of a real server are those of
// C20 is held by TestTheTimesAndSizesAreThoseOfTheContract.
func TestSlowSendersAreClosedAndHonestOnesServed(t *testing.T) {
	d := openDoor(t, func(c *Config) {
		c.limits = contractLimits()
		// Short for the slow, and long for an honest sender on a busy machine.
		c.limits.header, c.limits.whole, c.limits.idle = 2*time.Second, 4*time.Second, 2*time.Second
		// The time for the answer runs from the end of the body, else no slow sender would get one.
		c.limits.answer = 3 * time.Second
	})
	for range 100 {
		open(t, d, "POST /webhook HTTP/1.1\r\nHost: rou")
	}
	slowHead := open(t, d, "POST /webhook HTTP/1.1\r\nHost: router\r\n")
	slowBody := open(t, d, "POST /webhook HTTP/1.1\r\nHost: router\r\nContent-Length: 100\r\n\r\n{")
	silent := open(t, d, "")
	idle := open(t, d, rawPost(signed(flight), flight))
	if got := d.post(t, "/webhook", []byte(`{"event":"honest"}`)); got.status != http.StatusOK {
		t.Errorf("an honest event among slow ones: %d %s, want 200", got.status, got.text)
	}
	if text, err := io.ReadAll(slowHead); err != nil || strings.Contains(string(text), " 200 ") {
		t.Errorf("a slow head: %q, %v, want the connection closed", text, err)
	}
	if text, err := io.ReadAll(slowBody); err != nil || status(t, string(text)) != http.StatusRequestTimeout {
		t.Errorf("a slow body: %q, %v, want 408 and the connection closed", text, err)
	}
	if text, err := io.ReadAll(silent); err != nil || len(text) > 0 && status(t, string(text)) == http.StatusOK {
		t.Errorf("a silent connection: %q, %v, want it closed", text, err)
	}
	response, err := http.ReadResponse(bufio.NewReader(idle), nil)
	if err != nil || response.StatusCode != http.StatusOK {
		t.Fatalf("before idling: %v, %v, want 200", response, err)
	}
	if rest, err := io.ReadAll(idle); err != nil {
		t.Errorf("an idle connection: %q, %v, want it closed", rest, err)
	}
}

func open(t *testing.T, d *door, text string) io.Reader {
	t.Helper()
	conn := dial(t, d.Addr())
	if _, err := io.WriteString(conn, text); err != nil {
		t.Fatalf("sending %q: %v", text, err)
	}
	return conn
}

func TestHeadsBeyondSixteenKibibytesAreRefused(t *testing.T) { // C20
	d := openDoor(t)
	for size, want := range map[int]int{12 << 10: 200, 32 << 10: 431} {
		text := d.raw(t, rawPost("X-Padding: "+strings.Repeat("x", size)+"\r\n"+signed(flight), flight))
		if got := status(t, text); got != want {
			t.Errorf("a head of %d KiB: %d, want %d", size>>10, got, want)
		}
	}
}

func TestAProxyInFrontChangesNothing(t *testing.T) { // R14
	d := openDoor(t)
	got := d.post(t, "/webhook?via=tunnel", []byte(flight), "X-Forwarded-For", "203.0.113.7", "X-Forwarded-Host", "hooks.example.com",
		"X-Forwarded-Proto", "https", "Forwarded", "for=203.0.113.7", "Via", "1.1 tunnel", strings.ToLower(peanuts.SignatureHeader), peanuts.Sign(secret, []byte(flight)))
	if got.status != http.StatusOK {
		t.Errorf("POST with the lines of a proxy: %d %s, want 200", got.status, got.text)
	}
}
