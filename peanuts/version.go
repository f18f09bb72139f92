package peanuts

import (
	"crypto/sha256"
	"encoding/hex"
	"time"
)

// IsVersion tells whether the event brings a version of its entry: it was created, updated or deleted.
func (e *Event) IsVersion() bool { return e.rank() != 0 }

// rank orders versions of the same instant; 0 for what brings none.
func (e *Event) rank() byte {
	switch e.Event {
	case EntryCreated:
		return '1'
	case EntryUpdated:
		return '2'
	case EntryDeleted:
		return '3'
	}
	return 0
}

// Version names the version of the entry that the event brings; empty when it brings none. Versions are of one length and
// order as text: by the instant of the event's timestamp, then created before updated before deleted, then by the
// SHA-256 of the body, so that whatever the order of arrival the same one is the newest. An event without a timestamp
// is of the instant at which it arrived.
func (e *Event) Version(arrived time.Time) string {
	rank := e.rank()
	if rank == 0 {
		return ""
	}
	digest := sha256.Sum256(e.Raw)
	version := make([]byte, 0, len("2006-01-02T15:04:05.000000000Z-2-0123456789abcdef"))
	version = e.Instant(arrived).AppendFormat(version, "2006-01-02T15:04:05.000000000Z")
	version = append(version, '-', rank, '-')
	return string(hex.AppendEncode(version, digest[:8])) // 64 bits tell apart what one instant brings
}

// Instant is when the event happened, in UTC: its timestamp, or when it arrived.
func (e *Event) Instant(arrived time.Time) time.Time {
	at := e.Timestamp.UTC()
	if e.Timestamp.IsZero() || at.Year() < 0 || at.Year() > 9999 {
		return arrived.UTC()
	}
	return at
}
