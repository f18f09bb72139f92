package actions

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"time"
)

// directBody is the largest body that is sent directly, in bytes: no more than a connection takes while nobody reads it. A
// target that answers before it has read a larger one, such as with 413, would not be heard.
const directBody = 32 << 10

// direct makes calls over plain HTTP/1.1 on the goroutine of whoever asks. http.Transport has two goroutines a connection,
// and each call wakes them in turn: for a target that is near that costs more than the call. What has TLS or a large body
// goes its way.
type direct struct {
	dial func(ctx context.Context, network, address string) (net.Conn, error)
	idle idle
	rest transport
}

func (d *direct) RoundTrip(request *http.Request) (*http.Response, error) {
	if request.URL.Scheme != "http" || request.ContentLength < 0 || request.ContentLength > directBody {
		return d.rest.RoundTrip(request)
	}
	if request.Body != nil {
		defer request.Body.Close()
	}
	ctx, address := request.Context(), addressOf(request)
	for {
		c, err := d.connection(ctx, address)
		if err != nil {
			return nil, inTime(ctx, err)
		}
		response, err := c.exchange(request)
		if err == nil {
			reusable := !response.Close && response.StatusCode != http.StatusSwitchingProtocols
			response.Body = &directAnswer{ReadCloser: response.Body, ctx: ctx, of: c, pool: d, reusable: reusable}
			return response, nil
		}
		c.close()
		// A connection that served before may have ended while nobody looked. Nothing of an answer came, so nobody has
		// told whether the call did: it is made again, with the same key, as http.Transport makes it.
		if !c.reused || c.answered || ctx.Err() != nil || !again(request) {
			return nil, inTime(ctx, err)
		}
	}
}

// connection is an idle connection that still stands, or a new one.
func (d *direct) connection(ctx context.Context, address string) (*directConn, error) {
	if c := d.idle.take(address, time.Now()); c != nil {
		return c, nil
	}
	wire, err := d.dial(ctx, "tcp", address)
	if err != nil {
		return nil, err
	}
	return newDirectConn(wire, address), nil
}

func (d *direct) CloseIdleConnections() {
	d.idle.closeAll()
	d.rest.CloseIdleConnections()
}

// addressOf is where a request goes: the port of plain HTTP is 80.
func addressOf(request *http.Request) string {
	port := request.URL.Port()
	if port == "" {
		port = "80"
	}
	return net.JoinHostPort(request.URL.Hostname(), port)
}

// again makes the body of a request ready to be sent once more.
func again(request *http.Request) bool {
	if request.Body == nil || request.Body == http.NoBody {
		return true
	}
	if request.GetBody == nil {
		return false
	}
	body, err := request.GetBody()
	if err != nil {
		return false
	}
	request.Body = body
	return true
}

// inTime tells a connection's deadline by that of the attempt, whose it is.
func inTime(ctx context.Context, err error) error {
	if errors.Is(err, io.EOF) {
		return err
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return context.DeadlineExceeded
	}
	return err
}

// directAnswer gives its connection back once it is read to its end, and closes it otherwise.
type directAnswer struct {
	io.ReadCloser
	ctx      context.Context // of the attempt
	of       *directConn
	pool     *direct
	reusable bool
	ended    bool // it was read to its end
	closed   bool
}

func (a *directAnswer) Read(p []byte) (int, error) {
	n, err := a.ReadCloser.Read(p)
	if err == nil {
		return n, nil
	}
	a.ended = a.ended || errors.Is(err, io.EOF)
	return n, inTime(a.ctx, err)
}

func (a *directAnswer) Close() error {
	if a.closed {
		return nil
	}
	a.closed = true
	if a.ended && a.reusable && a.of.rest() {
		a.pool.idle.put(a.of, time.Now())
		return nil
	}
	a.of.close()
	return nil
}
