package store

import (
	"cmp"
	"database/sql"
	"fmt"
	"strings"
)

// book is a table and what holds of each of its rows.
type book struct {
	name     string // what its rows are
	count    string // how many there are; empty for as many as the table has rows
	from     string // the table, with what it is held against
	id       string // of a row, for people
	promises []promise
}

// promise is what should hold of a row, and the condition of those of which it does not.
type promise struct{ says, broken string }

const deliveryID = `coalesce(e.id, 'event ' || d.event) || '-' || d.n`

// judgedBy is the judgement that owes a delivery.
const judgedBy = `iif(d.replay IS NULL, e.judgement, r.judgement)`

var books = []book{
	{
		name: "deliveries", id: deliveryID,
		from: `deliveries d LEFT JOIN events e ON e.seq = d.event LEFT JOIN replays r ON r.event = d.event AND r.n = d.replay
			LEFT JOIN entries n ON n.id = d.entry`,
		promises: []promise{
			{"a delivery belongs to an event", `e.seq IS NULL`},
			{"a delivery is in one of the seven states", `d.state NOT IN ('pending', 'sending', 'delivered', 'dead', 'cancelled', 'discarded', 'shadow')`},
			{"a delivery holds a lease while it is being sent, and only then", `(d.state = 'sending') <> (d.lease_until IS NOT NULL)`},
			{"what is or was sent has had a lease", `d.state IN ('sending', 'delivered') AND d.generation < 1`},
			{"what was delivered was tried", `d.state = 'delivered' AND d.attempts < 1`},
			{"what is dead or cancelled has its reason", `d.state IN ('dead', 'cancelled') AND d.last_error = ''`},
			{"what is pending or being sent has not lost three leases in a row", `d.state IN ('pending', 'sending') AND d.lost >= 3`},
			{"what a rule on trial owes is not tried and follows no entry", `d.state = 'shadow' AND (d.attempts > 0 OR d.generation > 0 OR d.entry IS NOT NULL)`},
			{"the attempt that delivered stands with the delivery, and no other", `(d.state = 'delivered') <> (d.sent_at IS NOT NULL)
				OR (d.sent_at IS NULL) <> (d.took IS NULL)`},
			{"each attempt is counted and recorded", `d.attempts - (d.sent_at IS NOT NULL) <> (SELECT count(*) FROM attempts t WHERE t.delivery = d.seq)
				OR d.attempts - (d.sent_at IS NOT NULL) <> (SELECT coalesce(max(t.n), 0) FROM attempts t WHERE t.delivery = d.seq)`},
			{"a retry plan begins with an attempt that was made", `d.plan_from NOT BETWEEN 0 AND d.attempts`},
			{"what follows an entry follows that of its event", `d.entry IS NOT NULL AND (n.id IS NULL OR d.entry <> e.entry_id)`},
			{"of a line one delivery is next", `d.line IS NOT NULL AND ` + isHead("d") + ` AND EXISTS (
				SELECT 1 FROM deliveries o WHERE o.action = d.action AND o.line = d.line AND o.seq > d.seq AND ` + isHead("o") + `)`},
			{"what waits in a line waits behind the one that is next", `d.turn = 1 AND (d.state <> 'pending' OR d.line IS NULL OR NOT EXISTS (
				SELECT 1 FROM deliveries o WHERE o.action = d.action AND o.line = d.line AND ` + isHead("o") + `))`},
			{"a message is JSON", `NOT json_valid(d.message)`},
			{"what is owed is owed by a rule that fired", `d.sync IS NOT 'remove' AND CASE WHEN json_valid(` + judgedBy + `)
				THEN NOT EXISTS (SELECT 1 FROM json_each(` + judgedBy + `, '$.fired') f WHERE f.value = d.rule) ELSE 1 END`},
			{"what a replay owes goes with no entry", `d.replay IS NOT NULL AND (d.entry IS NOT NULL OR d.at IS NOT NULL OR d.sync IS NOT NULL)`},
			{"a delivery is as it was written", `NOT (` + deliveryIsSound + ` AND ` + toldIsSound + `)`},
		},
	},
	{
		name: "replays", id: `'replay ' || r.n || ' of ' || coalesce(e.id, 'event ' || r.event)`,
		from: `replays r LEFT JOIN events e ON e.seq = r.event`,
		promises: []promise{
			{"a replay is of an event that is there", `e.seq IS NULL`},
			{"the replays of an event are numbered from 1", `r.n <> 1 + (SELECT count(*) FROM replays o WHERE o.event = r.event AND o.n < r.n)`},
			{"a replay is judged, and what its rules had to say can be read", `NOT json_valid(r.judgement)`},
			{"a replay is as it was written", `NOT ` + replayIsSound},
		},
	},
	{
		name: "attempts", count: `SELECT (SELECT count(*) FROM attempts) + (SELECT count(*) FROM deliveries WHERE sent_at IS NOT NULL)`,
		id:   `'attempt ' || t.n || ' at the delivery of row ' || t.delivery`,
		from: `attempts t LEFT JOIN deliveries d ON d.seq = t.delivery`,
		promises: []promise{
			{"an attempt belongs to a delivery", `d.seq IS NULL`},
			{"an attempt is as it was written", `NOT ` + attemptIsSound},
		},
	},
	{
		name: "entries", id: `'entry ' || n.id`,
		from: `entries n LEFT JOIN events e ON e.seq = n.event`,
		promises: []promise{
			{"the newest version of an entry came with an event that is there", `e.seq IS NULL OR e.entry_id <> n.id`},
			{"an entry is deleted when its newest version says so", `n.deleted <> (e.name = 'entry.deleted')`},
			{"an entry is as it was written", `NOT ` + entryIsSound},
		},
	},
	{
		name: "synced rows", id: `'rule ' || s.rule || ', entry ' || s.entry`,
		from: `synced s LEFT JOIN entries n ON n.id = s.entry`,
		promises: []promise{
			{"a row of a table belongs to an entry that is known", `n.id IS NULL`},
			{"what is kept of the tables of an entry is as it was written", `NOT ` + syncedIsSound},
		},
	},
	{
		name: "claims", id: `'rule ' || c.rule || ', value ' || c.value || ', event ' || c.event`,
		from: `claims c LEFT JOIN events e ON e.id = c.event`,
		promises: []promise{
			{"a claim stands for what was not cancelled", `e.seq IS NOT NULL AND NOT EXISTS (
				SELECT 1 FROM deliveries d WHERE d.seq` + ofE + ` AND d.rule = c.rule AND d.state <> 'cancelled')`},
			{"a claim is as it was written", `NOT (` + claimIsSound + `)`},
		},
	},
	{
		name: "contributions", id: `'stat ' || coalesce(s.name, c.stat) || ', entry ' || c.entry`,
		from: `contributions c LEFT JOIN stats s ON s.id = c.stat LEFT JOIN entries n ON n.id = c.entry`,
		promises: []promise{
			{"what counts in a stat is an entry that is there", `s.current = 1 AND (n.id IS NULL OR n.deleted)`},
			{"what counts in a stat is as it was written", `NOT ` + contributionIsSound},
		},
	},
}

// isHead is the condition of a delivery that is next in its line.
func isHead(d string) string {
	return fmt.Sprintf("(%[1]s.state = 'sending' OR %[1]s.state = 'pending' AND %[1]s.turn = 0)", d)
}

// query finds the rows of which a promise does not hold, each by the first such promise.
func (b book) query() string {
	var cases strings.Builder
	for i, p := range b.promises {
		fmt.Fprintf(&cases, "WHEN %s THEN %d ", p.broken, i)
	}
	return fmt.Sprintf(`SELECT broken, id FROM (SELECT CASE %sEND AS broken, %s AS id FROM %s) WHERE broken IS NOT NULL`, cases.String(), b.id, b.from)
}

// keep looks through a book.
func (a *audit) keep(b book) error {
	table, _, _ := strings.Cut(b.from, " ")
	n, err := a.number(cmp.Or(b.count, `SELECT count(*) FROM `+table))
	if err != nil {
		return err
	}
	a.looked(b.name, n)
	return a.rows(b.query(), func(rows *sql.Rows) error {
		var broken int
		var id string
		err := rows.Scan(&broken, &id)
		if err == nil {
			a.found(b.promises[broken].says, id)
		}
		return err
	})
}

const (
	// goneEvents counts those that were removed: events are numbered without gaps, and the newest is never removed.
	goneEvents   = `SELECT coalesce(max(seq), 0) - count(*) FROM events`
	orphanClaims = `SELECT c.rule, c.value, c.event FROM claims c LEFT JOIN events e ON e.id = c.event WHERE e.seq IS NULL ORDER BY c.event`
)

// claims holds claims against the events that hold them. A claim outlives its event, but not more events can be gone than
// were removed.
func (a *audit) claims() error {
	gone, err := a.number(goneEvents)
	if err != nil {
		return err
	}
	holders, claims := map[string]bool{}, []string{}
	err = a.rows(orphanClaims, func(rows *sql.Rows) error {
		var rule, value, event string
		err := rows.Scan(&rule, &value, &event)
		holders[event] = true
		claims = append(claims, fmt.Sprintf("rule %s, value %s, event %s", rule, value, event))
		return err
	})
	if len(holders) <= gone {
		return err
	}
	for _, claim := range claims {
		a.found("a claim is held by an event that is there, or was removed with its time", claim)
	}
	return err
}
