package store

import (
	"database/sql"
	"fmt"
	"time"

	"github.com/peanuts-router/peanuts-router/engine"
)

const (
	// What is being cleared away does not add up any more.
	liveContributions = `SELECT c.stat, c.entry, c.day, c.user, c.grp, c.unit, c.value FROM contributions c JOIN stats s ON s.id = c.stat WHERE s.current = 1`
	liveTotals        = `SELECT t.stat, t.user, t.period, t.unit, t.grp, t.count, t.sum FROM totals t JOIN stats s ON s.id = t.stat WHERE s.current = 1`
	statNames         = `SELECT id, name FROM stats`
)

const (
	readableParts = "a contribution has a day and a value that can be read"
	totalsAddUp   = "a total is what the contributions add up to"
)

// totals adds up all contributions anew, and holds the totals against that, to the last digit.
func (a *audit) totals() error {
	names := map[int64]string{}
	err := a.rows(statNames, func(rows *sql.Rows) error {
		var id int64
		var name string
		err := rows.Scan(&id, &name)
		names[id] = name
		return err
	})
	if err != nil {
		return err
	}
	a.looked("stats", len(names))
	sums, err := a.addUp(names)
	if err != nil {
		return err
	}
	n := 0
	err = a.rows(liveTotals, func(rows *sql.Rows) error {
		n++
		return a.holdAgainst(sums, names, rows)
	})
	for left, want := range sums.changes {
		if want.count != 0 {
			a.found(totalsAddUp, fmt.Sprintf("%s: there is none, and the contributions make %d of %s", left.text(names), want.count, want.sum))
		}
	}
	a.looked("totals", n)
	return err
}

// addUp adds up what all entries contribute.
func (a *audit) addUp(names map[int64]string) (sums ledger, err error) {
	err = a.rows(liveContributions, func(rows *sql.Rows) error {
		var stat int64
		var c engine.Contribution
		if err := rows.Scan(&stat, &c.Entry, &c.Day, &c.User, &c.Group, &c.Unit, &c.Value); err != nil {
			return err
		}
		_, err := time.Parse(time.DateOnly, c.Day)
		if err == nil {
			err = sums.add(stat, &c, 1)
		}
		if err != nil {
			a.found(readableParts, fmt.Sprintf("stat %s, entry %s: %v", names[stat], c.Entry, err))
		}
		return nil
	})
	return sums, err
}

// holdAgainst compares one total with the sum of the contributions, which it takes out.
func (a *audit) holdAgainst(sums ledger, names map[int64]string, rows *sql.Rows) error {
	var of account
	var count int
	var sum string
	if err := rows.Scan(&of.stat, &of.user, &of.period, &of.unit, &of.grp, &count, &sum); err != nil {
		return err
	}
	want := sums.changes[of]
	if want == nil {
		want = &change{}
	}
	delete(sums.changes, of)
	if total, err := engine.NewAmount(sum); err != nil || count != want.count || total.Compare(want.sum) != 0 {
		a.found(totalsAddUp, fmt.Sprintf("%s: it is %d of %s, and the contributions make %d of %s", of.text(names), count, sum, want.count, want.sum))
	}
	return nil
}

// text names a total for people.
func (a account) text(names map[int64]string) string {
	text := "stat " + names[a.stat]
	for _, part := range []struct{ name, value string }{{"period", a.period}, {"user", a.user}, {"unit", a.unit}, {"group", a.grp}} {
		if part.value != "" {
			text += ", " + part.name + " " + part.value
		}
	}
	return text
}
