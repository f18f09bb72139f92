package store_test

import (
	"path/filepath"
	"testing"

	"github.com/peanuts-router/peanuts-router/engine"
	"github.com/peanuts-router/peanuts-router/store"
)

// A million entries of three years, 1,000 users and 40 categories: their contributions, and the totals they make.
const (
	millionEntries = `INSERT INTO contributions (stat, entry, day, user, grp, unit, value, crc)
		WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000000)
		SELECT s.id, printf('entry-%07d', i), date('2024-01-01', (i * 7919 % 1096) || ' days'), 'user-' || (i % 1000), 'category-' || (i * 31 % 40), '',
			CASE WHEN i % 10000 = 0 THEN '' ELSE printf('%d.%02d', i % 900, i % 100) END, 0
		FROM n JOIN stats s`
	totalsOf = `INSERT INTO totals (stat, user, period, unit, grp, count, sum)
		SELECT stat, u, p, '', g, count(*), printf('%.2f', sum(value)) FROM (
			SELECT stat, user AS u, day AS p, '' AS g, value FROM contributions WHERE value <> ''
			UNION ALL SELECT stat, '', day, '', value FROM contributions WHERE value <> ''
			UNION ALL SELECT stat, user, substr(day, 1, 7), grp, value FROM contributions WHERE value <> ''
			UNION ALL SELECT stat, '', substr(day, 1, 7), grp, value FROM contributions WHERE value <> ''
			UNION ALL SELECT stat, user, '', grp, value FROM contributions WHERE value <> ''
			UNION ALL SELECT stat, '', '', grp, value FROM contributions WHERE value <> ''
		) GROUP BY stat, u, p, g`
	addedUp = `SELECT count(*) FROM (SELECT grp, count(*), sum(value) FROM contributions WHERE day BETWEEN '2026-11-01' AND '2026-11-31' AND value <> '' GROUP BY grp)`
)

// The figure of the issue: of 1,000,000 entries a month is told within 50 ms. The baseline adds the entries up anew.
func BenchmarkAMonthOfAMillionEntries(b *testing.B) {
	path := filepath.Join(b.TempDir(), "router.db")
	s, err := store.Open(b.Context(), store.Config{Path: path})
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	if err := s.DefineStats(b.Context(), []engine.Stat{{Name: "expenses", Definition: "1", Zone: "UTC"}}, false); err != nil {
		b.Fatal(err)
	}
	for _, statement := range []string{millionEntries, totalsOf} {
		if err := s.Exec(b.Context(), statement); err != nil {
			b.Fatal(err)
		}
	}
	for name, filter := range map[string]engine.StatFilter{"everybody": {Month: "2026-11"}, "one user": {Month: "2026-11", User: "user-7"}} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				report, err := s.Report(b.Context(), "expenses", filter)
				if err != nil || report.All.Count < 900 || report.Month.Count == 0 {
					b.Fatalf("Report() = %+v, %v", report, err)
				}
			}
		})
	}
	b.Run("days", func(b *testing.B) {
		for b.Loop() {
			if days, err := s.Days(b.Context(), "expenses", "", "2026-11-01", "2026-11-31"); err != nil || len(days) != 30 {
				b.Fatalf("Days() = %d, %v", len(days), err)
			}
		}
	})
	db := raw(b, path)
	b.Run("baseline, added up anew", func(b *testing.B) {
		for b.Loop() {
			var groups int
			if err := db.QueryRowContext(b.Context(), addedUp).Scan(&groups); err != nil || groups != 40 {
				b.Fatal(groups, err)
			}
		}
	})
}
