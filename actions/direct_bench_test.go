package actions

import (
	"context"
	"net"
	"net/http"
	"testing"
	"time"

	"github.com/peanuts-router/peanuts-router/engine"
)

// atOnce is a connection whose target answers each request, which it does not read.
type atOnce struct{ net.Conn }

func (atOnce) Write(p []byte) (int, error) { return len(p), nil }
func (atOnce) Read(p []byte) (int, error)  { return copy(p, answer200), nil }
func (atOnce) SetDeadline(time.Time) error { return nil }
func (atOnce) Close() error                { return nil }

const answer200 = "HTTP/1.1 200 OK\r\nDate: Thu, 26 Nov 2026 17:00:00 GMT\r\nContent-Type: text/plain\r\nContent-Length: 2\r\n\r\nok"

// BenchmarkSend is an attempt over plain HTTP without the socket.
func BenchmarkSend(b *testing.B) {
	sender, err := New(engine.Action{Concurrency: 1, Settings: &engine.HTTPSettings{
		URL: engine.Fixed("http://target.example/hooks/in"), Method: http.MethodPost,
		Headers: map[string]engine.Dynamic{"X-Team": engine.Fixed("home")},
	}}, Config{Dial: func(context.Context, string, string) (net.Conn, error) { return atOnce{}, nil }})
	if err != nil {
		b.Fatal(err)
	}
	defer sender.Close()
	parent, end := context.WithCancel(context.Background())
	defer end()
	s := shipment(`{}`)
	b.ReportAllocs()
	for b.Loop() {
		ctx, cancel := context.WithTimeout(parent, 10*time.Second)
		if got := sender.Send(ctx, s); got.Verdict != engine.VerdictDelivered {
			b.Fatal(got)
		}
		cancel()
	}
}
