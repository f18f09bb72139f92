package actions

import (
	"bufio"
	"context"
	"errors"
	"math"
	"net"
	"net/http"
	"time"
)

// directConn is a connection to a target over which one call is made at a time.
type directConn struct {
	wire     net.Conn
	address  string
	in       *bufio.Reader
	out      *bufio.Writer
	left     int64 // how many bytes may still be read
	since    time.Time
	uncut    func() bool // ends that the attempt's context cuts the call
	reused   bool
	answered bool  // something came since the call began
	failed   error // why no more could be read of it
}

var errLongHead = errors.New("the head of the answer is too long")

func newDirectConn(wire net.Conn, address string) *directConn {
	c := &directConn{wire: wire, address: address, uncut: func() bool { return true }}
	c.in, c.out = bufio.NewReader(c), bufio.NewWriter(wire)
	return c
}

// Read reads from the wire, up to what may be read.
func (c *directConn) Read(p []byte) (int, error) {
	if c.left <= 0 {
		return 0, errLongHead
	}
	n, err := c.wire.Read(p[:min(int64(len(p)), c.left)])
	c.left -= int64(n)
	c.answered, c.failed = c.answered || n > 0, err
	return n, err
}

// exchange sends a request and reads the head of its answer. Until rest or close, the end of the request's context cuts it.
func (c *directConn) exchange(request *http.Request) (*http.Response, error) {
	c.answered, c.failed, c.left = false, nil, maxAnswer
	c.uncut = context.AfterFunc(request.Context(), func() { _ = c.wire.SetDeadline(time.Unix(1, 0)) })
	sent := writeRequest(c.out, request)
	if sent == nil {
		sent = c.out.Flush()
	}
	// A target that refuses to read on may have said why.
	response, err := c.head(request)
	if err != nil {
		return nil, errors.Join(sent, err)
	}
	if sent != nil {
		response.Close = true
	}
	c.left = math.MaxInt64 // of the body, whoever reads it reads what he wants
	return response, nil
}

// head reads the head of an answer; those that only inform are passed over.
func (c *directConn) head(request *http.Request) (*http.Response, error) {
	for {
		response, err := http.ReadResponse(c.in, request)
		if err != nil {
			return nil, errors.Join(err, c.failed) // half a line is read as a whole one, whatever cut it
		}
		if response.StatusCode/100 != 1 || response.StatusCode == http.StatusSwitchingProtocols {
			return response, nil
		}
	}
}

// rest ends a call that was answered to its end, and tells whether the connection can serve again.
func (c *directConn) rest() bool {
	return c.uncut() && c.in.Buffered() == 0
}

func (c *directConn) close() {
	c.uncut()
	_ = c.wire.Close() // nothing more is expected of it
}
