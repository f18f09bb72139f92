package store

import (
	"database/sql"
	"errors"

	"github.com/peanuts-router/peanuts-router/engine"
)

const (
	currentStats = `SELECT id, name, definition FROM stats WHERE current = 1`

	selectContribution = `SELECT day, user, grp, unit, value, ` + contributionIsSound + ` FROM contributions c WHERE stat = ? AND entry = ?`
	putContribution    = `INSERT INTO contributions (stat, entry, day, user, grp, unit, value, crc) VALUES (?, ?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (stat, entry) DO UPDATE SET day = excluded.day, user = excluded.user, grp = excluded.grp, unit = excluded.unit, value = excluded.value,
		crc = excluded.crc`
	dropContribution = `DELETE FROM contributions WHERE stat = ? AND entry = ?`

	selectTotal = `SELECT count, sum FROM totals WHERE stat = ? AND user = ? AND period = ? AND unit = ? AND grp = ?`
	putTotal    = `INSERT INTO totals (stat, user, period, unit, grp, count, sum) VALUES (?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (stat, user, period, unit, grp) DO UPDATE SET count = excluded.count, sum = excluded.sum`
	dropTotal = `DELETE FROM totals WHERE stat = ? AND user = ? AND period = ? AND unit = ? AND grp = ?`
)

// ledger gathers what one transaction changes in the totals, so that a total that many of its events change is written
// once.
type ledger struct {
	stats   map[engine.StatName]currentStat // loaded when first needed
	changes map[account]*change
	tell    []func(*ledger) // who wants to know the new totals
}

type currentStat struct {
	id         int64
	definition string
}

// account names one total.
type account struct {
	stat                    int64
	user, period, unit, grp string
}

// change is what is added to a total; once it is written, the total.
type change struct {
	count int
	sum   engine.Amount
}

// contribute replaces what an entry adds to each stat. had tells whether it may have added anything before.
func contribute(tx *transaction, entry string, had bool, now []engine.Contribution, receipt *engine.Receipt) error {
	if err := tx.ledger.load(tx); err != nil {
		return err
	}
	for name, stat := range tx.ledger.stats {
		fresh := find(now, name, stat.definition)
		var old *engine.Contribution
		if had {
			var err error
			if old, err = contribution(tx, stat.id, entry); err != nil {
				return err
			}
		}
		if err := tx.ledger.replace(tx, stat.id, entry, old, fresh); err != nil {
			return err
		}
		if receipt != nil {
			tx.ledger.wantDays(stat.id, name, old, fresh, receipt)
		}
	}
	return nil
}

func (l *ledger) load(tx *transaction) error {
	if l.stats != nil {
		return nil
	}
	stats := map[engine.StatName]currentStat{}
	err := tx.rows(currentStats, nil, func(rows *sql.Rows) error {
		var name engine.StatName
		var stat currentStat
		err := rows.Scan(&stat.id, (*string)(&name), &stat.definition)
		stats[name] = stat
		return err
	})
	l.stats = stats
	return err
}

// find is the contribution to a stat as it is defined now; nil when there is none. What rules of another generation told of
// a stat that they define otherwise does not count: the stat is being made anew.
func find(contributions []engine.Contribution, stat engine.StatName, definition string) *engine.Contribution {
	for i, c := range contributions {
		if c.Stat == stat && c.Definition == definition {
			return &contributions[i]
		}
	}
	return nil
}

func contribution(tx *transaction, stat int64, entry string) (*engine.Contribution, error) {
	c := &engine.Contribution{}
	var sound bool
	err := tx.row(selectContribution, []any{stat, entry}, &c.Day, &c.User, &c.Group, &c.Unit, &c.Value, &sound)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	if err == nil && !sound {
		err = damaged("what entry " + entry + " counts in a stat")
	}
	return c, err
}

// replace takes back what an entry added to a stat and adds what it adds now.
func (l *ledger) replace(tx *transaction, stat int64, entry string, old, fresh *engine.Contribution) error {
	if old != nil {
		if err := l.add(stat, old, -1); err != nil {
			return err
		}
	}
	if fresh == nil {
		if old == nil {
			return nil
		}
		_, err := tx.exec(dropContribution, stat, entry)
		return err
	}
	if err := l.add(stat, fresh, 1); err != nil {
		return err
	}
	_, err := tx.exec(putContribution, stat, entry, fresh.Day, fresh.User, fresh.Group, fresh.Unit, fresh.Value,
		tx.writer.summing.contribution(stat, entry, fresh))
	return err
}

// add changes every total that a contribution counts in.
func (l *ledger) add(stat int64, c *engine.Contribution, times int) error {
	if c.Value == "" {
		return nil
	}
	value, err := engine.NewAmount(c.Value)
	if err != nil {
		return err
	}
	users := []string{everybody}
	if c.User != "" {
		users = append(users, c.User)
	}
	for _, user := range users {
		l.change(account{stat, user, c.Day, c.Unit, ""}, value, times)
		l.change(account{stat, user, monthOf(c.Day), c.Unit, c.Group}, value, times)
		l.change(account{stat, user, allTime, c.Unit, c.Group}, value, times)
	}
	return nil
}

const (
	everybody = ""
	allTime   = ""
)

// monthOf is the month of a day: 2026-11.
func monthOf(day string) string { return day[:len("2026-11")] }

func (l *ledger) change(a account, value engine.Amount, times int) {
	if l.changes == nil {
		l.changes = map[account]*change{}
	}
	c := l.changes[a]
	if c == nil {
		c = &change{}
		l.changes[a] = c
	}
	c.count += times
	if times > 0 {
		c.sum = c.sum.Plus(value)
	} else {
		c.sum = c.sum.Minus(value)
	}
}

// wantDays has a receipt told the new totals of the days that an entry counted in before and counts in now.
func (l *ledger) wantDays(stat int64, name engine.StatName, old, fresh *engine.Contribution, receipt *engine.Receipt) {
	var told account
	for _, c := range []*engine.Contribution{fresh, old} {
		if c == nil || c.Value == "" {
			continue
		}
		day := account{stat, everybody, c.Day, c.Unit, ""}
		if day == told {
			continue
		}
		told = day
		l.tell = append(l.tell, func(l *ledger) {
			receipt.Totals = append(receipt.Totals, engine.DayTotal{Stat: name, Day: day.period, Unit: day.unit, Total: l.changes[day].sum})
		})
	}
}

// settle writes the changed totals. It is the last that is done in a transaction.
func (l *ledger) settle(tx *transaction) error {
	for a, c := range l.changes {
		if err := a.settle(tx, c); err != nil {
			return err
		}
	}
	for _, tell := range l.tell {
		tell(l)
	}
	return nil
}

// settle adds a change to its total. A total of nothing is no row.
func (a account) settle(tx *transaction, c *change) error {
	key := []any{a.stat, a.user, a.period, a.unit, a.grp}
	var count int
	var sum string
	switch err := tx.row(selectTotal, key, &count, &sum); {
	case err == nil:
		before, err := engine.NewAmount(sum)
		if err != nil {
			return err
		}
		c.count, c.sum = c.count+count, c.sum.Plus(before)
	case !errors.Is(err, sql.ErrNoRows):
		return err
	}
	if c.count == 0 {
		_, err := tx.exec(dropTotal, key...)
		return err
	}
	_, err := tx.exec(putTotal, append(key, c.count, c.sum.String())...)
	return err
}
