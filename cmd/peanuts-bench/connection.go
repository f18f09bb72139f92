package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"

	"github.com/peanuts-router/peanuts-router/peanuts"
)

// connection posts events over HTTP/1.1, with little work of its own: what the load takes of the processors, nobody else
// has, and it would make every ratio look better than it is.
type connection struct {
	wire net.Conn
	in   *bufio.Reader
	out  *bufio.Writer
	head string
}

func dial(ctx context.Context, address string) (*connection, error) {
	var dialer net.Dialer
	wire, err := dialer.DialContext(ctx, "tcp", address)
	if err != nil {
		return nil, err
	}
	return &connection{
		wire: wire, in: bufio.NewReader(wire), out: bufio.NewWriter(wire),
		head: "POST /webhook HTTP/1.1\r\nHost: " + address + "\r\nContent-Type: application/json\r\n",
	}, nil
}

// post signs and sends a body and waits for its answer, which is an error unless it is 200.
func (c *connection) post(body []byte) error {
	if err := c.wire.SetDeadline(time.Now().Add(patience)); err != nil {
		return err
	}
	fmt.Fprintf(c.out, "%s%s: %s\r\nContent-Length: %d\r\n\r\n", c.head, peanuts.SignatureHeader, peanuts.Sign(secret, body), len(body))
	_, _ = c.out.Write(body) // a bufio.Writer keeps its error for Flush
	if err := c.out.Flush(); err != nil {
		return err
	}
	answer, err := http.ReadResponse(c.in, nil)
	if err != nil {
		return fmt.Errorf("reading the answer: %w", err)
	}
	said, err := io.ReadAll(answer.Body)
	if err != nil {
		return fmt.Errorf("reading the answer: %w", err)
	}
	if answer.StatusCode != http.StatusOK {
		return fmt.Errorf("answered %s: %s", answer.Status, said)
	}
	return nil
}

func (c *connection) close() error { return c.wire.Close() }
