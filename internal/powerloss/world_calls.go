package powerloss

import (
	"bytes"
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
)

// The world is told things by sockets, and by the log.
var (
	piece   = regexp.MustCompile(`iov_base=("[^"]*"(?:\.\.\.)?)`)
	receipt = regexp.MustCompile(`\{"processed":true,"id":"([^"]+)"`)
	key     = regexp.MustCompile(`(?i)\r\nIdempotency-Key: ([^\r]+)\r\n`)
)

// say reads what is written to a socket or to the log. A write to a file of the store without an offset is refused: where
// it went is not in the trace.
func (r *reader) say(c call) error {
	descriptor, name, err := opened(c.arg(0))
	if err != nil {
		return err
	}
	socket := strings.HasPrefix(name, "TCP")
	if !socket && descriptor != "2" {
		if _, ours := r.below(name); ours {
			err = fmt.Errorf("the model does not know a %s to a file of the store", c.name)
		}
		return err
	}
	data, err := said(c)
	if err != nil {
		return err
	}
	if socket {
		r.answered(c, data)
		return nil
	}
	for _, o := range Logged(data) {
		r.tell(c, o.Kind, o.ID)
	}
	return nil
}

// said is all that a call writes, in one piece or several.
func said(c call) (data []byte, err error) {
	if c.name == "write" || c.name == "sendto" {
		return c.text(1)
	}
	for _, found := range piece.FindAllStringSubmatch(c.arg(1), -1) {
		part, err := decode(found[1])
		if err != nil {
			return nil, err
		}
		data = append(data, part...)
	}
	return data, nil
}

// tell notes something that counts from when its call began.
func (r *reader) tell(c call, kind Kind, id string) {
	r.operations = append(r.operations, Operation{Kind: kind, ID: id, at: c.began})
}

// answered reads answers to senders, and requests to targets.
func (r *reader) answered(c call, data []byte) {
	if bytes.HasPrefix(data, []byte("HTTP/1.1 200")) {
		for _, found := range receipt.FindAllSubmatch(data, -1) {
			r.tell(c, Acknowledge, string(found[1]))
		}
		return
	}
	for _, found := range key.FindAllSubmatch(data, -1) {
		r.tell(c, Send, string(found[1]))
	}
}

// Logged reads what a router's log tells of deliveries: it does so once the store has recorded it.
func Logged(log []byte) (told []Operation) {
	for text := range bytes.Lines(log) {
		var line struct {
			Msg, Delivery, Verdict string
			Stale                  bool
		}
		if json.Unmarshal(text, &line) != nil {
			continue
		}
		switch {
		case line.Msg == "attempt" && line.Verdict == "delivered" && !line.Stale:
			told = append(told, Operation{Kind: Delivered, ID: line.Delivery})
		case line.Msg == "dead letter":
			told = append(told, Operation{Kind: Dead, ID: line.Delivery})
		}
	}
	return told
}
