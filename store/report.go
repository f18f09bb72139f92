package store

import (
	"context"
	"database/sql"

	"github.com/peanuts-router/peanuts-router/engine"
)

const (
	selectStats = `SELECT name, zone, reached IS NOT NULL, ` + statIsSound + ` FROM stats WHERE current = 1 ORDER BY position, id`
	findStat    = `SELECT id, reached IS NOT NULL, ` + statIsSound + ` FROM stats WHERE current = 1 AND name = ?`
	sumsOf      = `SELECT grp, unit, count, sum FROM totals WHERE stat = ? AND user = ? AND period = ? ORDER BY unit, grp`
	// A loose index scan: one step a period. The groups of months, of which there may be one an entry, stand between the days.
	daysOf = `WITH RECURSIVE known (period) AS (
			SELECT min(period) FROM totals WHERE stat = ?1 AND user = ?2 AND period >= ?3
			UNION ALL
			SELECT (SELECT min(period) FROM totals WHERE stat = ?1 AND user = ?2 AND period > known.period) FROM known WHERE known.period < ?4
		)
		SELECT t.period, t.unit, t.count, t.sum FROM known CROSS JOIN totals t
		WHERE t.stat = ?1 AND t.user = ?2 AND t.period = known.period AND length(known.period) = 10 AND known.period <= ?4
		ORDER BY t.period, t.unit`
	countUnreadable = `SELECT count(*) FROM contributions INDEXED BY contributions_unreadable WHERE stat = ?1 AND value = '' AND ?2 IN ('', user)`
	listUnreadable  = `SELECT entry FROM contributions INDEXED BY contributions_unreadable WHERE stat = ?1 AND value = '' AND ?2 IN ('', user) ORDER BY entry LIMIT ?3`
)

// unreadableListed is how many entries with unreadable values are named.
const unreadableListed = 100

// Stats are the stats that the store keeps, in the order of the rules.
func (s *Store) Stats(ctx context.Context) ([]engine.StatHead, error) {
	stats := []engine.StatHead{}
	err := s.query(ctx, "reading the stats", selectStats, nil, func(rows *sql.Rows) error {
		var stat engine.StatHead
		var sound bool
		err := rows.Scan((*string)(&stat.Name), &stat.Zone, &stat.Rebuilding, &sound)
		if err == nil && !sound {
			err = damagedStat(stat.Name)
		}
		stats = append(stats, stat)
		return err
	})
	return stats, err
}

// statID finds a stat, and tells whether it is being made anew.
func (s *Store) statID(ctx context.Context, name engine.StatName) (id int64, rebuilding bool, err error) {
	err = s.query(ctx, "reading the stats", findStat, []any{string(name)}, func(rows *sql.Rows) error {
		var sound bool
		err := rows.Scan(&id, &rebuilding, &sound)
		if err == nil && !sound {
			err = damagedStat(name)
		}
		return err
	})
	if err == nil && id == 0 {
		err = ErrNotFound
	}
	return id, rebuilding, err
}

// Report tells how a stat stands in a month and, unless that is left out, of all time; ErrNotFound when there is none of that
// name.
func (s *Store) Report(ctx context.Context, name engine.StatName, filter engine.StatFilter) (report engine.StatReport, err error) {
	id, rebuilding, err := s.statID(ctx, name)
	if err != nil {
		return report, err
	}
	report.Rebuilding = rebuilding
	month, err := s.sums(ctx, id, filter.User, filter.Month)
	if err != nil {
		return report, err
	}
	report.Month = engine.NewTally(month)
	report.Month.Month = filter.Month
	if !filter.MonthAlone {
		all, err := s.sums(ctx, id, filter.User, allTime)
		if err != nil {
			return report, err
		}
		report.All = engine.NewTally(all)
	}
	report.Unreadable, err = s.unreadable(ctx, id, filter.User)
	return report, err
}

func (s *Store) unreadable(ctx context.Context, stat int64, user string) (engine.Unreadable, error) {
	found := engine.Unreadable{Entries: []string{}}
	if err := s.one(ctx, "reading the stats", countUnreadable, []any{stat, user}, &found.Count); err != nil {
		return found, err
	}
	err := s.query(ctx, "reading the stats", listUnreadable, []any{stat, user, unreadableListed}, func(rows *sql.Rows) error {
		var entry string
		err := rows.Scan(&entry)
		found.Entries = append(found.Entries, entry)
		return err
	})
	return found, err
}

func (s *Store) sums(ctx context.Context, stat int64, user, period string) ([]engine.Sum, error) {
	var sums []engine.Sum
	err := s.query(ctx, "reading the stats", sumsOf, []any{stat, user, period}, func(rows *sql.Rows) error {
		sum, err := scanSum(rows)
		sums = append(sums, sum)
		return err
	})
	return sums, err
}

func scanSum(rows *sql.Rows) (sum engine.Sum, err error) {
	var total string
	if err := rows.Scan(&sum.Group, &sum.Unit, &sum.Count, &total); err != nil {
		return sum, err
	}
	sum.Total, err = engine.NewAmount(total)
	return sum, err
}

// Days are the totals of the days from one to another, both included, that have any; a day has one for each unit. Empty
// bounds are none.
func (s *Store) Days(ctx context.Context, name engine.StatName, user, from, to string) ([]engine.DayTotal, error) {
	id, _, err := s.statID(ctx, name)
	if err != nil {
		return nil, err
	}
	if to == "" {
		to = "9999-12-31"
	}
	days := []engine.DayTotal{}
	err = s.query(ctx, "reading the stats", daysOf, []any{id, user, from, to}, func(rows *sql.Rows) error {
		sum, err := scanSum(rows) // the day stands where others have their group
		days = append(days, engine.DayTotal{Stat: name, Day: sum.Group, Unit: sum.Unit, Total: sum.Total})
		return err
	})
	return days, err
}
