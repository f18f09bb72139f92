package server

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/peanuts-router/peanuts-router/peanuts"
)

// TestBodiesAreTakenOrRefusedAsTheContractSays holds C4, C5 and A13 at the door; the parser has tests of its own.
func TestBodiesAreTakenOrRefusedAsTheContractSays(t *testing.T) {
	d := openDoor(t)
	for name, c := range map[string]struct {
		body string
		want int
	}{
		"white space after":       {flight + " \r\n\t", 200},
		"case variants":           {`{"event":"x","Event":"y"}`, 200},
		"an unpaired surrogate":   {`{"event":"x","note":"\ud800"}`, 200},
		"duplicate name":          {`{"event":"x","a":1,"a":2}`, 400},
		"escaped duplicate":       {`{"event":"x","a":1,"\u0061":2}`, 400},
		"a second value":          {`{"event":"x"}{"event":"y"}`, 400},
		"trailing byte":           {`{"event":"x"},`, 400},
		"byte order mark":         {"\uFEFF" + `{"event":"x"}`, 400},
		"bad UTF-8":               {"{\"event\":\"\xff\"}", 400},
		"number beyond float64":   {`{"event":"x","n":1e999}`, 400},
		"a list":                  {`[]`, 400},
		"null":                    {`null`, 400},
		"nothing":                 {``, 400},
		"cut off":                 {`{"event":"x"`, 400},
		"no event":                {`{"entry":{"id":"e"}}`, 400},
		"empty event":             {`{"event":""}`, 400},
		"event is a number":       {`{"event":1}`, 400},
		"entry event without id":  {`{"event":"entry.created","entry":{}}`, 400},
		"depth 65":                {`{"event":"x","a":` + strings.Repeat("[", 64) + strings.Repeat("]", 64) + `}`, 400},
		"depth 64":                {`{"event":"x","a":` + strings.Repeat("[", 63) + strings.Repeat("]", 63) + `}`, 200},
		"a form with the data in": {`event=entry.created`, 400},
	} {
		if got := d.post(t, "/webhook", []byte(c.body)); got.status != c.want {
			t.Errorf("%s: %d %s, want %d", name, got.status, got.text, c.want)
		}
	}
}

func TestASignedButRefusedBodyIsLoggedByDigestAndPlace(t *testing.T) { // C4, R96
	d := openDoor(t)
	body := []byte(`{"event":"x","secret-name":{"a":["payload-text",1e999]}}`)
	got := d.post(t, "/webhook", body)
	p := got.problem(t)
	if got.status != http.StatusBadRequest || p.Error != "invalid body" || len(p.Errors) != 1 || p.Errors[0].Pointer != "/secret-name/a/1" || p.Errors[0].Offset == 0 {
		t.Errorf("answer to a refused body: %d %s, want 400 invalid body at /secret-name/a/1", got.status, got.text)
	}
	digest := sha256.Sum256(body)
	lines := d.log.lines(t, "body refused")
	if len(lines) != 1 || lines[0]["bytes"] != float64(len(body)) || lines[0]["sha256"] != hex.EncodeToString(digest[:]) ||
		lines[0]["pointer"] != "/secret-name/a/1" || lines[0]["offset"] != float64(p.Errors[0].Offset) {
		t.Errorf("log of a refused body: %v, want its size, digest and place", lines)
	}
	if strings.Contains(d.log.String(), "payload-text") || len(d.store.stored()) != 0 {
		t.Errorf("the log holds the body, or it was stored: %s", d.log)
	}
}

func TestHostileJSONIsAnsweredQuickly(t *testing.T) { // A12
	d := openDoor(t)
	const full = peanuts.MaxBody
	wrap := func(s string) string { return `{"event":"x","a":` + s + `}` }
	var names strings.Builder
	for i := range 100_000 {
		fmt.Fprintf(&names, `,"%x":1`, i)
	}
	for name, body := range map[string]string{
		"1 MiB of [":       strings.Repeat("[", full),
		"1 MiB of {\"a\":": strings.Repeat(`{"a":`, full/5),
		"100,000 names":    `{"event":"x"` + names.String() + "}",
		"a long number":    wrap(strings.Repeat("9", full-100)),
		"a long fraction":  wrap("0." + strings.Repeat("1", full-100)),
		"only escapes":     wrap(`"` + strings.Repeat(`\u0041`, full/6-20) + `"`),
		"empty lists":      wrap("[" + strings.Repeat("[],", full/3-20) + "[]]"),
	} {
		began := time.Now()
		got := d.post(t, "/webhook", []byte(body))
		if took := time.Since(began); took > 10*time.Second || got.status != 200 && got.status != 400 {
			t.Errorf("%s (%d bytes): %d after %v, want 200 or 400 well within a second on a machine of one's own", name, len(body), got.status, took)
		}
	}
}

func TestOnlyJSONIsTakenForJSON(t *testing.T) { // A14, R13
	d := openDoor(t)
	for contentType, want := range map[string]int{
		"":                                  200,
		"application/json":                  200,
		"Application/JSON; charset=UTF-8":   200,
		"application/vnd.peanuts.v1+json":   200,
		"application/x-www-form-urlencoded": 415,
		"multipart/form-data; boundary=b":   415,
		"text/plain":                        415,
		"text/json":                         415,
		"text/html":                         415,
		"application/xml":                   415,
		"application/octet-stream":          415,
		"application/jsonp":                 415,
		"application/json-seq":              415,
		"application/+json":                 415,
		"application/json, text/plain":      415,
		"application/json;;=":               415,
		"*/*":                               415,
		"json":                              415,
	} {
		lines := signed(flight)
		if contentType != "" {
			lines += "Content-Type: " + contentType + "\r\n"
		}
		text := d.raw(t, rawPost(lines, flight))
		if got := status(t, text); got != want {
			t.Errorf("content type %q: %d, want %d", contentType, got, want)
		}
	}
	twice := "Content-Type: application/json\r\nContent-Type: text/plain\r\n"
	if got := status(t, d.raw(t, rawPost(twice+signed(flight), flight))); got != 415 {
		t.Errorf("two content types: %d, want 415", got)
	}
	if got := d.received(t, badType); got != 15 {
		t.Errorf("events received with outcome bad_type: %v, want 15", got)
	}
}

func TestCompressedBodiesAreRefusedUnopened(t *testing.T) { // A10
	d := openDoor(t)
	var bomb bytes.Buffer
	w, err := gzip.NewWriterLevel(&bomb, gzip.BestSpeed)
	if err != nil {
		t.Fatalf("making a bomb: %v", err)
	}
	if _, err := w.Write(bytes.Repeat([]byte(" "), 20<<20)); err != nil || w.Close() != nil {
		t.Fatalf("making a bomb: %v", err)
	}
	before := allocated()
	for _, coding := range []string{"gzip", "deflate", "br", "zstd", "identity", "x-gzip", "gzip, gzip"} {
		got := d.post(t, "/webhook", bomb.Bytes(), "Content-Encoding", coding)
		if got.status != http.StatusUnsupportedMediaType {
			t.Errorf("Content-Encoding %s: %d %s, want 415", coding, got.status, got.text)
		}
	}
	if grown := allocated() - before; grown > 10<<20 {
		t.Errorf("7 bombs of 20 MiB made the process allocate %d MiB, want less than 10", grown>>20)
	}
}

func allocated() uint64 {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.TotalAlloc
}

func TestABodyOfOneMebibyteIsTakenAndOneByteMoreIsNot(t *testing.T) { // C20, R13
	d := openDoor(t)
	body := append([]byte(`{"event":"x"}`), bytes.Repeat([]byte(" "), peanuts.MaxBody)...)
	for _, chunked := range []bool{false, true} {
		for size, want := range map[int]int{peanuts.MaxBody: 200, peanuts.MaxBody + 1: 413} {
			if got := d.stream(t, body[:size], chunked); got.status != want {
				t.Errorf("body of %d bytes, chunked %t: %d %s, want %d", size, chunked, got.status, got.text, want)
			}
		}
	}
	if got := d.received(t, tooLarge); got != 2 {
		t.Errorf("events received with outcome too_large: %v, want 2", got)
	}
}

// stream posts a signed body with or without saying its length first.
func (d *door) stream(t *testing.T, body []byte, chunked bool) answer {
	t.Helper()
	r, err := http.NewRequest(http.MethodPost, d.url("/webhook"), bytes.NewReader(body))
	if err != nil {
		t.Fatalf("making a request: %v", err)
	}
	r.Header.Set(peanuts.SignatureHeader, peanuts.Sign(secret, body))
	if chunked {
		r.ContentLength = -1
	}
	return do(t, d.client, r)
}

// TestEndlessBodiesEndAtTheLimit holds A9: streams that never end, before any signature could be looked at.
func TestEndlessBodiesEndAtTheLimit(t *testing.T) {
	d := openDoor(t)
	before := allocated()
	var wg sync.WaitGroup
	for range 50 {
		wg.Go(func() { d.sendEndlessly(t) })
	}
	wg.Wait()
	// Growing by doubling takes 2 MiB for a body that fills its mebibyte.
	if grown := allocated() - before; grown > 150<<20 {
		t.Errorf("50 endless bodies allocated %d MiB in all, want less than 150", grown>>20)
	}
	if got := d.post(t, "/webhook", []byte(flight)); got.status != http.StatusOK {
		t.Errorf("an honest event after all that: %d %s, want 200", got.status, got.text)
	}
}

func TestAPromiseOfLengthTakesNoMemory(t *testing.T) { // A9
	d := openDoor(t)
	before := allocated()
	for range 100 {
		text := d.raw(t, "POST /webhook HTTP/1.1\r\nHost: router\r\nContent-Length: 1048576\r\n\r\n{")
		if got := status(t, text); got != http.StatusBadRequest {
			t.Errorf("a body that stops short: %d, want 400", got)
		}
	}
	if grown := allocated() - before; grown > 20<<20 {
		t.Errorf("100 promises of a mebibyte allocated %d MiB in all, want less than 20", grown>>20)
	}
	if got := d.received(t, unreadable); got != 100 {
		t.Errorf("events received with outcome unreadable: %v, want 100", got)
	}
}

// sendEndlessly streams chunks until the server has had enough, and looks at the answer if it still arrives.
func (d *door) sendEndlessly(t *testing.T) {
	conn, chunk := dial(t, d.Addr()), []byte("10000\r\n"+strings.Repeat("x", 0x10000)+"\r\n")
	sent := make(chan struct{})
	go func() {
		defer close(sent)
		text := []byte("POST /webhook HTTP/1.1\r\nHost: router\r\nTransfer-Encoding: chunked\r\n\r\n")
		for ; ; text = chunk {
			if _, err := conn.Write(text); err != nil {
				return
			}
		}
	}()
	answered, _ := io.ReadAll(conn)
	conn.Close()
	<-sent
	if len(answered) > 0 && status(t, string(answered)) != 413 && status(t, string(answered)) != 503 {
		t.Errorf("an endless body: %.60q, want 413 or 503", answered)
	}
}

func TestAPromisedLengthBeyondTheLimitIsRefusedUnread(t *testing.T) { // A9
	d := openDoor(t)
	conn := dial(t, d.Addr())
	if _, err := io.WriteString(conn, "POST /webhook HTTP/1.1\r\nHost: router\r\nContent-Length: 4294967296\r\n\r\n"); err != nil {
		t.Fatalf("sending: %v", err)
	}
	// Nothing of the body was sent, and still there is an answer and an end.
	text, err := io.ReadAll(conn)
	if err != nil || status(t, string(text)) != http.StatusRequestEntityTooLarge {
		t.Errorf("a promise of 4 GiB: %q, %v, want 413 and the connection closed", text, err)
	}
}

// TestWhenTooManyBytesAreHeldSmallEventsStillPass holds F40: strangers with large bodies under way cost others nothing.
func TestWhenTooManyBytesAreHeldSmallEventsStillPass(t *testing.T) {
	d := openDoor(t, func(c *Config) { c.HeldBytes = peanuts.MaxBody })
	committing, release := make(chan struct{}), make(chan struct{})
	d.store.before = func(context.Context) { committing <- struct{}{}; <-release }
	large := append([]byte(`{"event":"x"}`), bytes.Repeat([]byte(" "), 700<<10)...)
	second := append(bytes.Clone(large), ' ')
	first, small := make(chan answer, 1), make(chan answer, 1)
	go func() { first <- d.post(t, "/webhook", large) }()
	<-committing
	got := d.post(t, "/webhook", second)
	if got.status != http.StatusServiceUnavailable || got.header.Get("Retry-After") != "1" {
		t.Errorf("a second large body: %d, Retry-After %q, want 503 and 1", got.status, got.header.Get("Retry-After"))
	}
	go func() { small <- d.post(t, "/webhook", []byte(flight)) }()
	<-committing
	close(release)
	for name, answers := range map[string]chan answer{"the first large body": first, "a small one beside it": small} {
		if got := <-answers; got.status != http.StatusOK {
			t.Errorf("%s: %d %s, want 200", name, got.status, got.text)
		}
	}
	go func() { <-committing }()
	if got := d.post(t, "/webhook", second); got.status != http.StatusOK {
		t.Errorf("the second large body sent again: %d %s, want 200", got.status, got.text)
	}
}
