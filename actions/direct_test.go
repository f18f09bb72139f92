package actions

import (
	"bufio"
	"context"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/peanuts-router/peanuts-router/engine"
)

// scripted is a target that takes one connection after the other and does on each what its script says.
type scripted struct {
	url   string
	calls chan string   // the key of each request that was read
	taken chan struct{} // to be closed when the first answer was taken
}

// conversation is one connection of a target.
type conversation struct {
	*net.TCPConn
	in    *bufio.Reader
	calls chan<- string
	taken <-chan struct{}
}

// hear reads a request.
func (c *conversation) hear() {
	if request, err := http.ReadRequest(c.in); err == nil {
		io.Copy(io.Discard, request.Body)
		c.calls <- request.Header.Get("Idempotency-Key")
	}
}

func (c *conversation) say(text string) { io.WriteString(c, text) }

// newScripted makes a target that ends each connection after its part; to ended it tells that it did.
func newScripted(t *testing.T, parts ...func(*conversation)) (s scripted, ended <-chan struct{}) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	s = scripted{url: "http://" + listener.Addr().String(), calls: make(chan string, 16), taken: make(chan struct{})}
	over := make(chan struct{}, len(parts))
	go func() {
		for _, part := range parts {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			part(&conversation{conn.(*net.TCPConn), bufio.NewReader(conn), s.calls, s.taken})
			conn.Close()
			over <- struct{}{}
		}
	}()
	return s, over
}

const fine200 = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"

// What becomes of a connection between two calls costs no attempt, and what was said before the second one does not answer
// it (F30).
func TestAConnectionThatServedBefore(t *testing.T) {
	once := func(c *conversation) { c.hear(); c.say(fine200) }
	for name, c := range map[string]struct {
		first     func(*conversation)
		then      func(*conversation)
		endsFirst bool // the first connection has ended before the second call
		want      engine.Verdict
		heard     int
	}{
		"ended meanwhile":    {func(c *conversation) { once(c); <-c.taken }, once, true, engine.VerdictDelivered, 2},
		"ends at the call":   {func(c *conversation) { once(c); c.hear() }, once, false, engine.VerdictDelivered, 3},
		"resets at the call": {func(c *conversation) { once(c); c.hear(); c.SetLinger(0) }, once, false, engine.VerdictDelivered, 3},
		"and the next one ends, too": {func(c *conversation) { once(c); c.hear() }, func(c *conversation) { c.hear() }, false,
			engine.VerdictRetry, 3},
		"breaks off its second answer": {func(c *conversation) { once(c); c.hear(); c.say("HTTP/1.1 2") }, once, false,
			engine.VerdictRetry, 2},
		"says goodbye unasked": {func(c *conversation) {
			once(c)
			<-c.taken
			c.say("HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\n\r\n")
		}, once, true, engine.VerdictDelivered, 2},
		"answers twice": {func(c *conversation) { c.hear(); c.say(fine200 + "HTTP/1.1 410 Gone\r\nContent-Length: 0\r\n\r\n") },
			once, true, engine.VerdictDelivered, 2},
		"asks to close": {func(c *conversation) {
			c.hear()
			c.say("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok")
		}, once, true, engine.VerdictDelivered, 2},
	} {
		t.Run(name, func(t *testing.T) {
			target, ended := newScripted(t, c.first, c.then)
			sender, err := New(engine.Action{Concurrency: 2, Settings: toURL(target.url)}, Config{})
			if err != nil {
				t.Fatal(err)
			}
			defer sender.Close()
			ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
			defer cancel()
			if got := sender.Send(ctx, shipment(`{}`)); got.Verdict != engine.VerdictDelivered {
				t.Fatalf("the first call: %+v", got)
			}
			close(target.taken)
			if c.endsFirst {
				<-ended
			}
			if got := sender.Send(ctx, shipment(`{}`)); got.Verdict != c.want {
				t.Errorf("the second call: %+v, want %s", got, c.want)
			}
			var keys []string
			for range c.heard {
				select {
				case key := <-target.calls:
					keys = append(keys, key)
				case <-ctx.Done():
					t.Fatalf("the target heard %d calls, want %d", len(keys), c.heard)
				}
			}
			for _, key := range keys {
				if key == "" || key != keys[0] {
					t.Errorf("calls had the keys %q, want one (C10)", keys)
				}
			}
			if len(target.calls) > 0 {
				t.Errorf("the target heard more than %d calls", c.heard)
			}
		})
	}
}

// A target that answers before it has read a large body is heard, also when it reads no more. It has read how the request
// begins: what is said before anything was asked is an answer to nothing, which http.Transport drops with the connection, and
// the attempt is made again.
func TestAnAnswerBeforeTheBodyWasRead(t *testing.T) {
	for _, size := range []int{directBody - 100, 1 << 20} {
		target, _ := newScripted(t, func(c *conversation) {
			if _, err := io.CopyN(io.Discard, c.in, 100); err != nil {
				t.Errorf("reading how the request begins: %v", err)
			}
			c.say("HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\n\r\n")
			<-t.Context().Done()
		})
		message := `{"body":"` + strings.Repeat("x", size) + `"}`
		if got := send(t, toURL(target.url), Config{}, message, 5*time.Second); got.Verdict != engine.VerdictDead {
			t.Errorf("%d bytes to a target that answers 413 when it has read 100: %+v, want a dead letter", size, got)
		}
	}
}
