package store

import (
	"crypto/sha256"
	"database/sql/driver"
	"fmt"
	"sync"

	"modernc.org/sqlite"

	"github.com/peanuts-router/peanuts-router/internal/fault"
)

// SQLite has no checksums of its own. So a row keeps the sum (crc) of what stands in it, CRC-32C of what never changes and,
// added to that, the numbers that do: whoever changes one changes the sum by as much, and a number that was damaged before
// stays found (F12). Rows are held against their sums where they are read to be sent, shown or judged by, and by check.
const (
	// What the sums of rows should be, and whether they are, in SQL of events e and deliveries d with the functions of RegisterSums.
	sumOfEvent    = `crc32c(e.id, e.timestamp, e.digest, e.received_at, e.name, e.helper, e.entry_id, e.generation, e.judgement) + e.duplicates + e.own`
	sumOfDelivery = `crc32c(d.seq, d.rule, d.step, d.action, d.kind, d.message, d.entry, d.at, d.sync, d.line, d.created_at, d.replay)
			+ d.next_at + d.generation + d.attempts + d.plan_from + d.lost`
	sumOfTold = `crc32c(d.last_status, d.last_error, d.sent_at, d.took)`

	// toldOtherwise changes last_error to the first value.
	toldOtherwise = `last_error = ?1, told = told ` + lessTold + ` + crc32c(last_status, ?1, sent_at, took)`
	lessTold      = `- crc32c(last_status, last_error, sent_at, took)`

	eventIsSound    = `e.crc = ` + sumOfEvent
	bodyIsSound     = `is_digest(e.digest, e.body)`
	deliveryIsSound = `d.crc = ` + sumOfDelivery
	toldIsSound     = `d.told = ` + sumOfTold

	// Of replays r, attempts t, deaths x, entries n, synced s, contributions and claims c, and of tables that are asked for alone.
	replayIsSound       = `r.crc = crc32c(r.event, r.n, r.at, r.rules, r.digest, r.judgement)`
	attemptIsSound      = `t.crc = crc32c(t.delivery, t.n, t.at, t.took, t.status, t.error, t.answer)`
	deathsAreSound      = `x.crc = crc32c(x.action) + x.died + x.told + x.newest`
	entryIsSound        = `n.crc = crc32c(n.id, n.version, n.deleted, n.event)`
	syncedIsSound       = `s.crc = crc32c(s.entry, s.rule, s.step)`
	contributionIsSound = `c.crc = crc32c(c.stat, c.entry, c.day, c.user, c.grp, c.unit, c.value)`
	claimIsSound        = `c.crc = crc32c(c.rule, c.value, c.event) + coalesce(c.suppressed, 0)`
	alertIsSound        = `crc = crc32c(event, action, about) + at`
	holdIsSound         = `crc = crc32c(action, reason) - until`
	statIsSound         = `crc = crc32c(name, definition, zone) + crc32c(reached) + position + current`
	keptIsSound         = `crc = crc32c(n, name, text, kept_at)`

	// SumUpEvents and SumUpDeliveries make all sums anew, for whoever filled a store past it. Nothing else may: whatever is
	// damaged would be whole again.
	SumUpEvents     = `UPDATE events AS e SET crc = ` + sumOfEvent
	SumUpDeliveries = `UPDATE deliveries AS d SET crc = ` + sumOfDelivery + `, told = ` + sumOfTold
)

// RegisterSums gives all connections to SQLite that this process opens from now on the functions by which a store sums up:
// crc32c of any values, sha256 of bytes, and is_digest. Open does so as well; others need it who fill a store past it.
var RegisterSums = sync.OnceValue(func() error {
	for name, f := range map[string]func([]driver.Value) (driver.Value, error){"crc32c": crcOfValues, "sha256": digestOfValue, "is_digest": isDigest} {
		err := sqlite.RegisterFunction(name, &sqlite.FunctionImpl{
			NArgs: -1, Deterministic: true,
			VolatileArgs: true, // else a text would end at a byte of zero
			Scalar:       func(_ *sqlite.FunctionContext, args []driver.Value) (driver.Value, error) { return f(args) },
		})
		if err != nil {
			return fmt.Errorf("giving SQLite the function %s: %w", name, err)
		}
	}
	return nil
})

// crcOfValues is the sum of values of a row, as summing makes it.
func crcOfValues(args []driver.Value) (driver.Value, error) {
	var s summing
	for _, arg := range args {
		switch v := arg.(type) {
		case nil, int64, string:
			s.value(v)
		case []byte:
			s.bytes(v)
		default: // a number of another kind, which no column of a sum holds unless it is damaged
			s.text(fmt.Sprint(v))
		}
	}
	return s.crc(), nil
}

// digestOfValue is the SHA-256 of a body.
func digestOfValue(args []driver.Value) (driver.Value, error) {
	body, ok := args[0].([]byte)
	if !ok {
		return nil, fmt.Errorf("sha256 of a %T", args[0])
	}
	return sum256(body), nil
}

// isDigest tells whether a digest is that of a body.
func isDigest(args []driver.Value) (driver.Value, error) {
	digest, _ := args[0].([]byte)
	body, _ := args[1].([]byte)
	same := fault.Planted(fault.DedupeInMemory) || string(digest) == string(sum256(body))
	return same, nil
}

func sum256(body []byte) []byte {
	digest := sha256.Sum256(body)
	return digest[:]
}
