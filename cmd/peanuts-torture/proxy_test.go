package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"
)

// ask sends a message by a way of its own connection, and tells what is heard within a time.
func ask(address string, within time.Duration) (heard string, took time.Duration, err error) {
	began := time.Now()
	conn, err := net.Dial("tcp", address)
	if err != nil {
		return "", 0, err
	}
	defer conn.Close()
	_ = conn.SetDeadline(began.Add(within))
	const body = `{"n":7,"plan":"ok"}`
	_, _ = fmt.Fprintf(conn, "POST /ledger HTTP/1.1\r\nHost: x\r\nIdempotency-Key: k\r\nConnection: close\r\nContent-Length: %d\r\n\r\n%s", len(body), body)
	said, err := io.ReadAll(conn)
	return string(said), time.Since(began), err
}

// answeredYes tells whether a whole answer of 200 was heard.
func answeredYes(said string) bool {
	response, err := http.ReadResponse(bufio.NewReader(strings.NewReader(said)), nil)
	if err != nil {
		return false
	}
	text, err := io.ReadAll(response.Body)
	return err == nil && response.StatusCode == http.StatusOK && string(text) == answerText
}

// Each weather does what its name says, to the direction that it is upon, and is noted of the connection that met it (F26, F30).
func TestTheWeatherIsAsItIsCalled(t *testing.T) {
	for name, c := range map[string]struct {
		weather weather
		arrives bool                                                       // the message, at the target
		wrong   func(said string, took time.Duration, err error) (is bool) // that is heard
	}{
		"good": {weather{}, true, func(said string, _ time.Duration, _ error) bool { return !answeredYes(said) }},
		"late answers": {weather{kind: late, delay: slowness}, true,
			func(said string, took time.Duration, _ error) bool { return !answeredYes(said) || took < slowness }},
		"late requests": {weather{kind: late, delay: slowness, requests: true}, true,
			func(said string, took time.Duration, _ error) bool { return !answeredYes(said) || took < slowness }},
		"an answer that is cut": {weather{kind: cut, pass: 40}, true,
			func(said string, _ time.Duration, err error) bool { return len(said) != 40 || err != nil }},
		"a request that is cut": {weather{kind: cut, pass: 40, requests: true}, false,
			func(said string, _ time.Duration, _ error) bool { return answeredYes(said) }},
		"an answer that is reset": {weather{kind: reset}, true,
			func(said string, _ time.Duration, err error) bool {
				return said != "" || err == nil || errors.Is(err, io.EOF)
			}},
		"a request that is reset": {weather{kind: reset, requests: true}, false,
			func(said string, _ time.Duration, err error) bool { return said != "" || err == nil }},
		"answers that vanish": {weather{kind: blackHole}, true,
			func(said string, took time.Duration, _ error) bool { return said != "" || took < slowness }},
		"requests that vanish": {weather{kind: blackHole, requests: true}, false,
			func(said string, took time.Duration, _ error) bool { return said != "" || took < slowness }},
		"garbage": {weather{kind: garbage}, true, func(said string, _ time.Duration, _ error) bool { return said != nonsense }},
	} {
		h := historyIn(t)
		targets := targetsFor(t, h)
		p := targets.ways[wayHTTP]
		p.set(c.weather)
		within := time.Minute // however busy the machine is
		if c.weather.kind == blackHole {
			within = 2 * slowness // nothing else ends it
		}
		if said, took, err := ask(p.address, within); c.wrong(said, took, err) {
			t.Errorf("%s: %q was heard after %v, %v", name, said, took, err)
		}
		p.set(weather{})
		if said, _, err := ask(p.address, time.Minute); !answeredYes(said) {
			t.Errorf("after %s: %q was heard, %v, want what the target says", name, said, err)
		}
		if err := p.close(); err != nil { // so that all is noted
			t.Fatal(err)
		}
		want := 1 // that of the message in good weather
		if c.arrives {
			want = 2
		}
		e := &evidence{receipts: awaitReceipts(h, want), weather: h.weather}
		e.mark()
		checkMarks(t, name, c.weather, c.arrives, e)
	}
}

// awaitReceipts are the receipts once there are as many as wanted: a receipt is noted once its answer is written.
func awaitReceipts(h *history, want int) []receipt {
	for began := time.Now(); len(h.all()) < want && time.Since(began) < time.Minute; {
		time.Sleep(time.Millisecond)
	}
	return h.all()
}

// checkMarks holds what is noted of the weather against what it was.
func checkMarks(t *testing.T, name string, w weather, arrives bool, e *evidence) {
	t.Helper()
	if noted := len(e.weather) > 0; noted != (w.kind != "") {
		t.Errorf("%s: noted is %v", name, e.weather)
	}
	for _, d := range e.weather {
		if d.Kind != w.kind || d.Requests != w.requests || d.Until == forEver {
			t.Errorf("%s: noted is %+v, want what it was, and when it was over", name, *d)
		}
	}
	marked := 0
	for _, r := range e.receipts {
		if r.Unheard {
			marked++
		}
		if want := w.kind == late && w.requests && r.Unheard; r.Late != want {
			t.Errorf("%s: that a message came late is noted %t, want %t", name, r.Late, want)
		}
	}
	if want := arrives && w.kind != ""; (marked == 1) != want || len(e.receipts) != map[bool]int{false: 1, true: 2}[arrives] {
		t.Errorf("%s: %d of %d messages may not have had their answer heard, want the first alone: %t", name, marked, len(e.receipts), want)
	}
}
