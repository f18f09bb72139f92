package store

import (
	"bytes"
	"crypto/sha256"
	"database/sql"
	"encoding/json"

	"github.com/peanuts-router/peanuts-router/engine"
	"github.com/peanuts-router/peanuts-router/peanuts"
)

const eventsWithEntries = `SELECT e.id, e.digest, e.received_at, e.name, e.helper, e.entry_id, e.generation, e.judgement, e.body, n.version, n.event = e.seq, ` + eventIsSound + `
	FROM events e LEFT JOIN entries n ON n.id = e.entry_id ORDER BY e.seq`

// storedEvent is an event as it stands in the store, with what is known of its entry.
type storedEvent struct {
	id                  string
	digest, body        []byte
	received            int64
	name, helper, entry string
	generation          int64
	judgement           sql.NullString
	version             sql.NullString // the newest of its entry
	newest              sql.NullBool   // whether the event brought that
	sound               bool           // it is as it was written
}

// events reads every event anew, and holds what is stored with it against that.
func (a *audit) events() error {
	n := 0
	err := a.rows(eventsWithEntries, func(rows *sql.Rows) error {
		var e storedEvent
		err := rows.Scan(&e.id, &e.digest, &e.received, &e.name, &e.helper, &e.entry, &e.generation, &e.judgement, &e.body, &e.version, &e.newest, &e.sound)
		if err != nil {
			return err
		}
		n++
		if broken := e.broken(); broken != "" {
			a.found(broken, e.id)
		}
		return nil
	})
	a.looked("events", n)
	return err
}

// broken is the first that should hold of an event and does not.
func (e *storedEvent) broken() string {
	if digest := sha256.Sum256(e.body); !bytes.Equal(digest[:], e.digest) {
		return "an event's body is what was received"
	}
	event, err := peanuts.Parse(e.body)
	if err != nil {
		return "an event can be read"
	}
	if e.name != event.Event || e.helper != event.Helper.Command || e.entry != event.Entry.ID {
		return "an event is listed as what its body says"
	}
	if e.generation < 1 {
		return "an event is judged by one generation of rules"
	}
	if e.judgement.Valid && json.Unmarshal([]byte(e.judgement.String), new(engine.Judgement)) != nil {
		return "an event is judged, and what the rules had to say can be read"
	}
	if !e.sound {
		return "an event is as it was written"
	}
	version := event.Version(fromMillis(e.received))
	switch {
	case version == "":
	case !e.version.Valid:
		return "the entry of an event is known"
	case e.newest.Bool && !sameVersion(version, e.version.String):
		return "the newest version of an entry is that of its event"
	case !e.newest.Bool && version > e.version.String:
		return "no event brings a newer version of an entry than the newest that is known"
	}
	return ""
}

// sameVersion compares a version that was made from the arrival as stored, in milliseconds, with one that may have been made
// from the exact time.
func sameVersion(a, b string) bool {
	const toMillis, behindTime = len("2006-01-02T15:04:05.000"), len("2006-01-02T15:04:05.000000000")
	return len(a) == len(b) && a[:toMillis] == b[:toMillis] && a[behindTime:] == b[behindTime:]
}
