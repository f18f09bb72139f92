package page

import (
	"cmp"
	"context"
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/peanuts-router/peanuts-router/engine"
)

// stat is how one stat stands in a month.
type stat struct {
	Name       string
	Rebuilding bool
	Unreadable int
	Examples   string // ids of entries whose value could not be read
	Tallies    []tally
}

// tally is the part of one unit; of a stat without units, the whole.
type tally struct {
	Unit                  string
	Total, Average        string
	Count                 int
	Groups                []group
	MoreGroups, MoreCount int // what is not shown, and the entries in it
	Days                  []day
	Drawn                 string // the days as JSON: the number of the day and its total
}

type group struct {
	Name, Total string
	Count       int
	Width       int // of its bar, of 100
}

type day struct{ Date, Total string }

// How many groups are shown, the largest first, and how many entries are named.
const (
	shownGroups   = 12
	namedExamples = 5
)

func (p *Page) stat(ctx context.Context, head engine.StatHead, month string) (stat, error) {
	report, err := p.Stats.Report(ctx, head.Name, engine.StatFilter{Month: month, MonthAlone: true})
	if err != nil {
		return stat{}, err
	}
	days, err := p.Stats.Days(ctx, head.Name, "", month+"-01", month+"-31")
	if err != nil {
		return stat{}, err
	}
	s := stat{
		Name: string(head.Name), Rebuilding: report.Rebuilding, Unreadable: report.Unreadable.Count,
		Examples: strings.Join(report.Unreadable.Entries[:min(namedExamples, len(report.Unreadable.Entries))], ", "),
	}
	whole := report.Month
	if len(whole.ByUnit) == 0 {
		s.Tallies = []tally{newTally("", engine.UnitPart{Total: whole.Total, Count: whole.Count, Average: whole.Average, ByGroup: whole.ByGroup}, month, days)}
	}
	for unit, part := range whole.ByUnit {
		s.Tallies = append(s.Tallies, newTally(unit, *part, month, days))
	}
	slices.SortFunc(s.Tallies, func(a, b tally) int { return cmp.Compare(a.Unit, b.Unit) })
	return s, nil
}

func newTally(unit string, part engine.UnitPart, month string, days []engine.DayTotal) tally {
	t := tally{Unit: unit, Total: engine.AmountText(part.Total), Average: engine.AmountText(part.Average), Count: part.Count}
	t.groups(part.ByGroup)
	t.days(month, days)
	return t
}

// groups orders the groups by what they add up to, and leaves out the smallest of many.
func (t *tally) groups(parts map[string]*engine.Part) {
	type named struct {
		name string
		part *engine.Part
	}
	var all []named
	for name, part := range parts {
		all = append(all, named{name, part})
	}
	slices.SortFunc(all, func(a, b named) int {
		return cmp.Or(b.part.Total.Compare(*a.part.Total), cmp.Compare(a.name, b.name))
	})
	for i, g := range all {
		if i >= shownGroups {
			t.MoreGroups++
			t.MoreCount += g.part.Count
			continue
		}
		width := 0
		if total, largest := g.part.Total.Float(), all[0].part.Total.Float(); total > 0 {
			width = max(1, int(100*total/largest)) // what is there is seen
		}
		t.Groups = append(t.Groups, group{Name: g.name, Total: engine.AmountText(g.part.Total), Count: g.part.Count, Width: width})
	}
}

// days gives the days of the month, with those on which nothing was logged in the drawing alone.
func (t *tally) days(month string, days []engine.DayTotal) {
	first, _ := time.Parse("2006-01", month)
	drawn := make([]float64, first.AddDate(0, 1, -1).Day())
	for _, d := range days {
		n, err := strconv.Atoi(strings.TrimPrefix(d.Day, month+"-"))
		if err != nil || n < 1 || n > len(drawn) || d.Unit != t.Unit {
			continue
		}
		drawn[n-1] = d.Total.Float()
		t.Days = append(t.Days, day{d.Day, d.Total.Text()})
	}
	text, err := json.Marshal(drawn)
	if err != nil {
		return // a number too large to be drawn; it stands in the table
	}
	t.Drawn = string(text)
}
