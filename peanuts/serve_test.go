package peanuts_test

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
	"testing"

	"github.com/peanuts-router/peanuts-router/peanuts"
)

func TestTheClientAnswersWebhooks(t *testing.T) { // R8, R13, R17, R82, R83, C20, P6
	calls := 0
	client := newClient(t)
	client.On(peanuts.EntryCreated, func(context.Context, *peanuts.Event) error { calls++; return nil })
	client.On("fails", func(context.Context, *peanuts.Event) error { return errors.New("database password is x") })
	client.On("panics", func(context.Context, *peanuts.Event) error { panic("database password is x") })
	client.On("relays", func(context.Context, *peanuts.Event) error {
		_, err := peanuts.Parse([]byte("what the next one answered"))
		return errors.Join(err, peanuts.ErrInvalidSignature)
	})
	large := `{"event":"x","a":"` + strings.Repeat("x", peanuts.MaxBody) + `"}`
	whole := large[:peanuts.MaxBody-2] + `"}`
	right := func(body string) string { return peanuts.Sign(secret, []byte(body)) }
	const json = "application/json"
	tests := []struct {
		name, method, kind, signature, body string
		status                              int
		answer                              string
	}{
		{"an event", "POST", json, right(created), created, 200, `{"processed":true}`},
		{"an event nobody handles", "POST", json, right(`{"event":"x"}`), `{"event":"x"}`, 200, `{"processed":true}`},
		{"a body of 1 MiB", "POST", json, right(whole), whole, 200, `{"processed":true}`},
		{"a byte more", "POST", json, right(whole + " "), whole + " ", 413, `{"error":"the body is larger than 1048576 bytes"}`},
		{"a large unsigned body", "POST", json, "", large, 413, `{"error":"the body is larger than 1048576 bytes"}`},
		{"GET", "GET", json, right(""), "", 405, `{"error":"only POST is taken here"}`},
		{"PUT", "PUT", json, right(created), created, 405, `{"error":"only POST is taken here"}`},
		{"a form", "POST", "application/x-www-form-urlencoded", right(created), created, 415, `{"error":"` + peanuts.ErrContentType.Error() + `"}`},
		{"no signature", "POST", json, "", created, 401, `{"error":"invalid signature"}`},
		{"a wrong signature", "POST", json, right("another"), created, 401, `{"error":"invalid signature"}`},
		{"malformed and unsigned", "POST", json, "", "{", 401, `{"error":"invalid signature"}`},
		{"malformed", "POST", json, right("{"), "{", 400, `{"error":"the body ends too early (at byte 1)"}`},
		{"a handler fails", "POST", json, right(`{"event":"fails"}`), `{"event":"fails"}`, 500, `{"error":"a handler failed"}`},
		{"a handler panics", "POST", json, right(`{"event":"panics"}`), `{"event":"panics"}`, 500, `{"error":"a handler failed"}`},
		{"a handler fails with our own errors", "POST", json, right(`{"event":"relays"}`), `{"event":"relays"}`, 500, `{"error":"a handler failed"}`},
	}
	for _, test := range tests {
		request := httptest.NewRequest(test.method, "/webhook", strings.NewReader(test.body))
		request.Header.Set("Content-Type", test.kind)
		if test.signature != "" {
			request.Header.Set(peanuts.SignatureHeader, test.signature)
		}
		answer := httptest.NewRecorder()
		client.ServeHTTP(answer, request)
		if got := strings.TrimSpace(answer.Body.String()); answer.Code != test.status || got != test.answer {
			t.Errorf("%s: %d %s, want %d %s", test.name, answer.Code, got, test.status, test.answer)
		}
		if got := answer.Header().Get("Content-Type"); got != json {
			t.Errorf("%s: Content-Type %q, want %s", test.name, got, json)
		}
		if allow := answer.Header().Get("Allow"); (allow == "POST") != (test.status == 405) {
			t.Errorf("%s: Allow %q with %d", test.name, allow, test.status)
		}
	}
	if calls != 1 {
		t.Errorf("the handler of entry.created was called %d times, want once", calls)
	}
}

func TestOnlyOneLineOnTheWireIsASignature(t *testing.T) { // C2, R20, A3
	server := httptest.NewServer(newClient(t))
	defer server.Close()
	right, wrong := peanuts.Sign(secret, []byte(created)), strings.Repeat("0", 64)
	tests := []struct {
		name, lines string
		want        int
	}{
		{"one line", "X-Peanuts-Signature: " + right, 200},
		{"one line, lower case", "x-peanuts-signature: " + right, 200},
		{"one line, upper case", "X-PEANUTS-SIGNATURE:" + right, 200},
		{"blanks around, which are none of the value", "X-Peanuts-Signature: \t " + right + " \t", 200},
		{"twice the same line", "X-Peanuts-Signature: " + right + "\r\nX-Peanuts-Signature: " + right, 401},
		{"two lines, right first", "X-Peanuts-Signature: " + right + "\r\nX-Peanuts-Signature: " + wrong, 401},
		{"two lines, right last", "X-Peanuts-Signature: " + wrong + "\r\nX-Peanuts-Signature: " + right, 401},
		{"two lines, cases differ", "x-peanuts-signature: " + wrong + "\r\nX-PEANUTS-SIGNATURE: " + right, 401},
		{"an empty second line", "X-Peanuts-Signature: " + right + "\r\nX-Peanuts-Signature:", 401},
		{"a comma list", "X-Peanuts-Signature: " + wrong + ", " + right, 401},
		{"a folded line", "X-Peanuts-Signature: " + right[:32] + "\r\n " + right[32:], 401},
		{"a fold with a second value", "X-Peanuts-Signature: " + right + "\r\n\t" + wrong, 401},
		{"a fold after the prefix", "X-Peanuts-Signature: sha256=\r\n " + right, 401},
		{"an underscore name", "X_Peanuts_Signature: " + right, 401},
		{"a longer name", "X-Peanuts-Signature-256: " + right, 401},
		{"a blank before the colon", "X-Peanuts-Signature : " + right, 400},
		{"NUL in the value", "X-Peanuts-Signature: " + right + "\x00", 400},
		{"no line", "X-Other: 1", 401},
	}
	for _, test := range tests {
		if status, answer := exchange(t, server, test.lines); status != test.want {
			t.Errorf("%s: %d %s, want %d", test.name, status, answer, test.want)
		} else if test.want == 401 && answer != `{"error":"invalid signature"}` {
			t.Errorf("%s: %s, want the one fixed text", test.name, answer)
		}
	}
}

// exchange posts the created event with these header lines, byte for byte.
func exchange(t *testing.T, server *httptest.Server, lines string) (status int, answer string) {
	t.Helper()
	conn, err := net.Dial("tcp", server.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	fmt.Fprintf(conn, "POST /webhook HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: application/json\r\n"+
		"Content-Length: %d\r\n%s\r\n\r\n%s", len(created), lines, created)
	response, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, strings.TrimSpace(string(body))
}

func TestABodyThatBreaksOffIsNoEvent(t *testing.T) { // P6: 400, and no handler runs
	client := newClient(t)
	client.On(peanuts.AnyEvent, func(context.Context, *peanuts.Event) error {
		t.Error("a handler was called")
		return nil
	})
	request := httptest.NewRequest("POST", "/webhook", io.MultiReader(strings.NewReader(created), broken{}))
	request.Header.Set(peanuts.SignatureHeader, peanuts.Sign(secret, []byte(created)))
	answer := httptest.NewRecorder()
	client.ServeHTTP(answer, request)
	if answer.Code != 400 || strings.Contains(answer.Body.String(), "wire") {
		t.Errorf("a broken body: %d %s, want 400 without the cause", answer.Code, answer.Body)
	}
}

type broken struct{}

func (broken) Read([]byte) (int, error) { return 0, errors.New("the wire was cut") }
