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
	} else {
		r.logged(c, data)
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

// logged reads what the log tells of deliveries: it does so once the store has recorded it.
func (r *reader) logged(c call, data []byte) {
	for line := range bytes.Lines(data) {
		var told struct {
			Msg, Delivery, Verdict string
			Stale                  bool
		}
		if json.Unmarshal(line, &told) != nil {
			continue
		}
		switch {
		case told.Msg == "attempt" && told.Verdict == "delivered" && !told.Stale:
			r.tell(c, Delivered, told.Delivery)
		case told.Msg == "dead letter":
			r.tell(c, Dead, told.Delivery)
		}
	}
}
