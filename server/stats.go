package server

import (
	"context"
	"net/http"
	"time"

	"github.com/peanuts-router/peanuts-router/engine"
	"github.com/peanuts-router/peanuts-router/server/page"
)

// Stats are the running totals, to be read.
type Stats = page.Stats

// statistics answers the guide's two questions about totals.
type statistics struct {
	stats Stats
	clock func() time.Time
}

// statQuery is what a request asks of the stats.
type statQuery struct {
	month, user string
	stat        engine.StatName
}

// read takes the filters of a query; what is no filter, or no month, is a problem.
func (s statistics) read(r *http.Request) (a statQuery, refused *problem) {
	query := r.URL.Query()
	for name := range query {
		switch name {
		case "month", "user", "stat":
		default:
			p := newProblem(http.StatusBadRequest, "unknown filter", "the filters are stat=NAME, month=2026-11 and user=ID")
			return a, &p
		}
	}
	a = statQuery{month: query.Get("month"), user: query.Get("user"), stat: engine.StatName(query.Get("stat"))}
	if a.month != "" && !engine.IsMonth(a.month) {
		p := newProblem(http.StatusBadRequest, "not a month", "write a month as in month=2026-11")
		return a, &p
	}
	return a, nil
}

// wanted are the stats that a request is about.
func (s statistics) wanted(ctx context.Context, a statQuery) ([]engine.StatHead, *problem) {
	all, err := s.stats.Stats(ctx)
	if err != nil {
		return nil, unreadableStats()
	}
	if a.stat == "" {
		return all, nil
	}
	for _, head := range all {
		if head.Name == a.stat {
			return []engine.StatHead{head}, nil
		}
	}
	p := newProblem(http.StatusNotFound, "not found", "there is no stat of that name in the rules")
	return nil, &p
}

func unreadableStats() *problem {
	p := newProblem(http.StatusServiceUnavailable, "unavailable", "the stats could not be read; try again")
	p.retryAfter = time.Second
	return &p
}

// all answers GET /api/stats (R65).
func (s statistics) all(w http.ResponseWriter, r *http.Request) {
	a, refused := s.read(r)
	var heads []engine.StatHead
	if refused == nil {
		heads, refused = s.wanted(r.Context(), a)
	}
	if refused != nil {
		refused.ServeHTTP(w, r)
		return
	}
	reports := map[engine.StatName]engine.StatReport{}
	for _, head := range heads {
		filter := engine.StatFilter{Month: a.month, User: a.user}
		if filter.Month == "" {
			filter.Month = head.Month(s.clock())
		}
		report, err := s.stats.Report(r.Context(), head.Name, filter)
		if err != nil {
			unreadableStats().ServeHTTP(w, r)
			return
		}
		reports[head.Name] = report
	}
	writeJSON(w, http.StatusOK, "application/json", map[string]any{"stats": reports})
}

// dashboard is the answer of GET /api/dashboard. A day with several units has no total.
type dashboard struct {
	DailyTotals map[string]*engine.Amount `json:"daily_totals"`
	Total       *engine.Amount            `json:"total"`
}

// daily answers GET /api/dashboard: the totals of days of one stat, the first unless another is named (R64).
func (s statistics) daily(w http.ResponseWriter, r *http.Request) {
	a, refused := s.read(r)
	var heads []engine.StatHead
	if refused == nil {
		heads, refused = s.wanted(r.Context(), a)
	}
	if refused != nil {
		refused.ServeHTTP(w, r)
		return
	}
	var days []engine.DayTotal
	if len(heads) > 0 {
		from, to := daysOf(a.month)
		var err error
		if days, err = s.stats.Days(r.Context(), heads[0].Name, a.user, from, to); err != nil {
			unreadableStats().ServeHTTP(w, r)
			return
		}
	}
	writeJSON(w, http.StatusOK, "application/json", newDashboard(days))
}

// daysOf are the bounds of a month's days; of no month, none.
func daysOf(month string) (from, to string) {
	if month == "" {
		return "", ""
	}
	return month + "-01", month + "-31"
}

func newDashboard(days []engine.DayTotal) dashboard {
	d := dashboard{DailyTotals: map[string]*engine.Amount{}, Total: &engine.Amount{}}
	units := map[string]bool{}
	for _, day := range days {
		units[day.Unit] = true
		total := day.Total
		if _, several := d.DailyTotals[day.Day]; several {
			d.DailyTotals[day.Day] = nil
		} else {
			d.DailyTotals[day.Day] = &total
		}
		sum := d.Total.Plus(day.Total)
		d.Total = &sum
	}
	if len(units) > 1 {
		d.Total = nil
	}
	return d
}
