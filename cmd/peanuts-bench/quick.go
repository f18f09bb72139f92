package main

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"net"
	"strconv"
)

// quick is a listener that takes deliveries itself, with little work of its own, for the same reason as the load does:
// what the target takes of the processors, the router does not have. Connections that ask for anything else are handed to
// whoever serves it.
type quick struct {
	net.Listener
	take   func(key string, body []byte) (ok bool)
	others chan net.Conn
	ended  chan struct{}
}

func newQuick(l net.Listener, take func(key string, body []byte) bool) *quick {
	q := &quick{Listener: l, take: take, others: make(chan net.Conn), ended: make(chan struct{})}
	go q.run()
	return q
}

func (q *quick) run() {
	defer close(q.ended)
	for {
		conn, err := q.Listener.Accept()
		if err != nil {
			return
		}
		go q.serve(conn)
	}
}

// Accept gives a connection that asks for something else than to take a delivery.
func (q *quick) Accept() (net.Conn, error) {
	select {
	case conn := <-q.others:
		return conn, nil
	case <-q.ended:
		return nil, net.ErrClosed
	}
}

const (
	takeLine = "POST " + pathTake + " "
	taken    = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
	notTaken = "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
)

// serve takes deliveries as long as a connection brings them.
func (q *quick) serve(conn net.Conn) {
	in := bufio.NewReaderSize(conn, 16<<10)
	for {
		head, err := in.Peek(len(takeLine))
		if err != nil {
			_ = conn.Close() // it brings nothing more
			return
		}
		if string(head) != takeLine {
			q.others <- readAhead{conn, in}
			return
		}
		answer := taken
		if err := q.one(in); err != nil {
			answer = notTaken // a dead letter then, which shows in the counts
		}
		if _, err := io.WriteString(conn, answer); err != nil || answer == notTaken {
			_ = conn.Close()
			return
		}
	}
}

var errNoDelivery = errors.New("no delivery of a load")

// one reads one delivery.
func (q *quick) one(in *bufio.Reader) error {
	key, length := "", -1
	for {
		line, err := in.ReadSlice('\n')
		if err != nil {
			return err
		}
		if line = bytes.TrimRight(line, "\r\n"); len(line) == 0 {
			break
		}
		name, value, _ := bytes.Cut(line, []byte(": "))
		switch string(name) {
		case "Idempotency-Key":
			key = string(value)
		case "Content-Length":
			length, _ = strconv.Atoi(string(value))
		}
	}
	if length < 0 || length > in.Size() {
		return errNoDelivery
	}
	body, err := in.Peek(length)
	if err != nil {
		return err
	}
	if !q.take(key, body) {
		return errNoDelivery
	}
	_, err = in.Discard(length)
	return err
}

// readAhead is a connection of which the beginning has been read.
type readAhead struct {
	net.Conn
	in *bufio.Reader
}

func (r readAhead) Read(p []byte) (int, error) { return r.in.Read(p) }
