package actions

import (
	"io"
	"net"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/peanuts-router/peanuts-router/engine"
)

// cutProxy stands before a target and cuts each connection when the target has said so many bytes.
func cutProxy(t *testing.T, target string, after *atomic.Int64) int {
	t.Helper()
	address := answering(t, func(near *net.TCPConn) {
		far, err := net.Dial("tcp", target)
		if err != nil {
			return
		}
		defer far.Close()
		go io.Copy(far, near) // ends with either
		io.CopyN(near, far, after.Load())
	})
	_, digits, _ := net.SplitHostPort(address)
	port, err := strconv.Atoi(digits)
	if err != nil {
		t.Fatal(err)
	}
	return port
}

// F30, C10: a mail server that is cut at any byte of what it says has taken the mail once its reply to it is there whole. Where the
// cut comes before, the mail goes out again, by the same Message-ID: nobody can know.
func TestAMailServerCutAtEveryByte(t *testing.T) {
	m := startMailServer(t, engine.TLSNone)
	var after atomic.Int64
	settings := *m.settings
	settings.Port = cutProxy(t, net.JoinHostPort("127.0.0.1", strconv.Itoa(m.settings.Port)), &after)
	delivered := 0
	for n := int64(0); delivered < 40; n++ { // up to the end of what is said after the mail was taken
		after.Store(n)
		m.mu.Lock()
		m.text = ""
		m.mu.Unlock()
		got := send(t, &settings, Config{}, hello, 5*time.Second)
		m.mu.Lock()
		taken := m.text != ""
		m.mu.Unlock()
		switch {
		case got.Verdict == engine.VerdictDelivered && taken:
			delivered++
		case got.Verdict == engine.VerdictDelivered:
			t.Errorf("cut after %d bytes: delivered, and the server has no mail", n)
		case got.Verdict != engine.VerdictRetry || delivered > 0:
			t.Errorf("cut after %d bytes: outcome %+v, after %d deliveries by fewer bytes", n, got, delivered)
		}
	}
	t.Logf("%d cuts", after.Load())
}

// F30: an answer of Slack's that is cut at any byte is a success once it is there whole, and tried again before.
func TestAnAnswerOfSlackCutAtEveryByte(t *testing.T) {
	const answer = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 39\r\n\r\n" + `{"ok":true,"channel":"C1","ts":"1.100"}`
	var cut atomic.Int64
	url := rawTarget(t, func(conn *net.TCPConn, _ <-chan struct{}) { io.WriteString(conn, answer[:cut.Load()]) })
	settings := &engine.SlackSettings{Token: engine.NewSecret(slackToken), Channel: engine.Fixed("#a"), APIURL: url + "/"}
	for n := range len(answer) + 1 {
		cut.Store(int64(n))
		want := engine.VerdictRetry
		if n == len(answer) {
			want = engine.VerdictDelivered
		}
		if got := send(t, settings, Config{}, hello, 5*time.Second); got.Verdict != want {
			t.Errorf("cut after %d bytes: outcome %+v, want %s", n, got, want)
		}
	}
}

// F30: an answer in chunks that is cut at any byte counts by its status once its head is there whole.
func TestAChunkedAnswerCutAtEveryByte(t *testing.T) {
	for status, want := range map[string]engine.Verdict{"200 OK": engine.VerdictDelivered, "422 No": engine.VerdictDead, "503 No": engine.VerdictRetry} {
		head := "HTTP/1.1 " + status + "\r\nTransfer-Encoding: chunked\r\n\r\n"
		answer := head + "5\r\nhello\r\n6\r\n again\r\n0\r\n\r\n"
		var cut atomic.Int64
		url := rawTarget(t, func(conn *net.TCPConn, _ <-chan struct{}) { io.WriteString(conn, answer[:cut.Load()]) })
		for n := range len(answer) + 1 {
			cut.Store(int64(n))
			wanted := want
			if n < len(head) {
				wanted = engine.VerdictRetry
			}
			got := send(t, toURL(url), Config{}, `{}`, 5*time.Second)
			if got.Verdict != wanted || n >= len(head) && !strings.HasPrefix(got.Status, status[:3]) {
				t.Errorf("%s cut after %d bytes: outcome %+v, want %s", status, n, got, wanted)
			}
		}
	}
}
