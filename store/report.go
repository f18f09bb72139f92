package store

import (
	"context"
	"database/sql"
	"time"

	"github.com/peanuts-router/peanuts-router/engine"
)

const (
	selectStats = `SELECT id, name, zone, reached IS NOT NULL FROM stats WHERE current = 1 ORDER BY position, id`
	sumsOf      = `SELECT grp, unit, count, sum FROM totals WHERE stat = ? AND user = ? AND period = ? ORDER BY unit, grp`
	daysOf      = `SELECT period, unit, count, sum FROM totals
		WHERE stat = ? AND user = ? AND period >= ? AND period <= ? AND length(period) = 10 ORDER BY period, unit`
	countUnreadable = `SELECT count(*) FROM contributions WHERE stat = ? AND value = ''`
	listUnreadable  = `SELECT entry FROM contributions WHERE stat = ? AND value = '' ORDER BY entry LIMIT ?`
)

// unreadableListed is how many entries with unreadable values are named.
const unreadableListed = 100

// StatFilter says what a report is about.
type StatFilter struct {
	Month string // 2026-11
	User  string // empty: everybody
}

// StatHead is a stat that the store keeps.
type StatHead struct {
	Name       engine.StatName
	Zone       string // of its days and months
	Rebuilding bool   // not all entries are in it yet
	id         int64
}

// Month is the month of a moment in the stat's time zone: 2026-11.
func (s StatHead) Month(at time.Time) string {
	zone, err := time.LoadLocation(s.Zone)
	if err != nil {
		zone = time.UTC
	}
	return at.In(zone).Format("2006-01")
}

// Stats are the stats that the store keeps, in the order of the rules.
func (s *Store) Stats(ctx context.Context) ([]StatHead, error) {
	stats := []StatHead{}
	err := s.query(ctx, "reading the stats", selectStats, nil, func(rows *sql.Rows) error {
		var stat StatHead
		err := rows.Scan(&stat.id, (*string)(&stat.Name), &stat.Zone, &stat.Rebuilding)
		stats = append(stats, stat)
		return err
	})
	return stats, err
}

// Report tells how a stat stands in a month and of all time.
func (s *Store) Report(ctx context.Context, stat StatHead, filter StatFilter) (report engine.StatReport, err error) {
	report.Rebuilding = stat.Rebuilding
	month, err := s.sums(ctx, stat, filter.User, filter.Month)
	if err != nil {
		return report, err
	}
	all, err := s.sums(ctx, stat, filter.User, allTime)
	if err != nil {
		return report, err
	}
	report.Month, report.All = engine.NewTally(month), engine.NewTally(all)
	report.Month.Month = filter.Month
	report.Unreadable.Entries = []string{}
	if err := s.one(ctx, "reading the stats", countUnreadable, []any{stat.id}, &report.Unreadable.Count); err != nil {
		return report, err
	}
	err = s.query(ctx, "reading the stats", listUnreadable, []any{stat.id, unreadableListed}, func(rows *sql.Rows) error {
		var entry string
		err := rows.Scan(&entry)
		report.Unreadable.Entries = append(report.Unreadable.Entries, entry)
		return err
	})
	return report, err
}

func (s *Store) sums(ctx context.Context, stat StatHead, user, period string) ([]engine.Sum, error) {
	var sums []engine.Sum
	err := s.query(ctx, "reading the stats", sumsOf, []any{stat.id, user, period}, func(rows *sql.Rows) error {
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
func (s *Store) Days(ctx context.Context, stat StatHead, user, from, to string) ([]engine.DayTotal, error) {
	if to == "" {
		to = "9999-12-31"
	}
	days := []engine.DayTotal{}
	err := s.query(ctx, "reading the stats", daysOf, []any{stat.id, user, from, to}, func(rows *sql.Rows) error {
		sum, err := scanSum(rows) // the day stands where others have their group
		days = append(days, engine.DayTotal{Stat: stat.Name, Day: sum.Group, Unit: sum.Unit, Total: sum.Total})
		return err
	})
	return days, err
}
