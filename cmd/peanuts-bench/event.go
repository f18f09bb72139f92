package main

import (
	"bytes"
	"strconv"
	"time"
)

// The events of a load are alike but for the entry's id and the moment at which they were due, which is their timestamp,
// and which the target reads.
const (
	eventBegins = `{"event":"entry.created","timestamp":"`
	eventHelper = `","helper":{"id":"helper-expenses","name":"Expenses","command":"/expenses"},` +
		`"entry":{"id":"`
	eventGoesOn = `","created_at":"2026-11-23T10:15:00Z","data":{"amount":612.50,"category":"Travel","description":"Flight to the offsite",` +
		`"tags":["travel","offsite"],` + dueMember
	eventEnds = `}},"user":{"id":"user-7"}}`
	dueMember = `"due":`
)

// appendEvent appends the nth event of a load to buffer.
func appendEvent(buffer []byte, load string, n int, due time.Time) []byte {
	buffer = append(buffer, eventBegins...)
	buffer = due.UTC().AppendFormat(buffer, time.RFC3339Nano)
	buffer = append(buffer, eventHelper...)
	buffer = append(buffer, load...)
	buffer = append(buffer, '-')
	buffer = strconv.AppendInt(buffer, int64(n), 10)
	buffer = append(buffer, eventGoesOn...)
	buffer = strconv.AppendInt(buffer, due.UnixNano(), 10)
	return append(buffer, eventEnds...)
}

// dueOf reads from an event when it was due.
func dueOf(body []byte) (due time.Time, ok bool) {
	_, after, found := bytes.Cut(body, []byte(dueMember))
	digits, _, ended := bytes.Cut(after, []byte("}"))
	nanos, err := strconv.ParseInt(string(digits), 10, 64)
	return time.Unix(0, nanos), found && ended && err == nil
}
