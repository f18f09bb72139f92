package engine

import "time"

// Sum is what the entries of one group and unit add up to.
type Sum struct {
	Group, Unit string
	Count       int
	Total       Amount
}

// DayTotal is what the entries of one day and unit add up to.
type DayTotal struct {
	Stat  StatName
	Day   string // 2026-11-23
	Unit  string // empty for a stat without units
	Total Amount
}

// StatHead is a stat that is kept.
type StatHead struct {
	Name       StatName
	Zone       string // the time zone of its days and months
	Rebuilding bool   // not all entries are in it yet
}

// Month is the month of a moment in the stat's time zone: 2026-11.
func (s StatHead) Month(at time.Time) string {
	zone, err := time.LoadLocation(s.Zone)
	if err != nil {
		zone = time.UTC
	}
	return at.In(zone).Format("2006-01")
}

// IsMonth tells whether a text is a month such as 2026-11.
func IsMonth(text string) bool {
	_, err := time.Parse("2006-01", text)
	return err == nil
}

// StatFilter says what a report is about.
type StatFilter struct {
	Month string // 2026-11
	User  string // empty: everybody
	// MonthAlone leaves the sums of all time out: of an account that has been kept for years they have many more groups.
	MonthAlone bool
}

// StatReport is how one stat stands, as the API and the command line show it.
type StatReport struct {
	Month      Tally      `json:"month"`
	All        Tally      `json:"all"`
	Unreadable Unreadable `json:"unreadable"`
	// Rebuilding says that the stat is being made anew, and not all entries are in it yet.
	Rebuilding bool `json:"rebuilding,omitempty"`
}

// Unreadable are the entries whose value is no number. They are in no total and no count.
type Unreadable struct {
	Count   int      `json:"count"`
	Entries []string `json:"entries"` // ids, some of the first
}

// Tally is what the entries of a period add up to. What belongs to several units has no total.
type Tally struct {
	Month   string               `json:"month,omitempty"`
	Total   *Amount              `json:"total"`
	Count   int                  `json:"count"`
	Average *Amount              `json:"average"` // nil of nothing
	ByGroup map[string]*Part     `json:"by_group"`
	ByUnit  map[string]*UnitPart `json:"by_unit,omitempty"`
}

// Part is the share of one group.
type Part struct {
	Count int     `json:"count"`
	Total *Amount `json:"total"`
}

// UnitPart is the share of one unit.
type UnitPart struct {
	Total   *Amount          `json:"total"`
	Count   int              `json:"count"`
	Average *Amount          `json:"average"`
	ByGroup map[string]*Part `json:"by_group"`
}

// NewTally adds up the sums of a period.
func NewTally(sums []Sum) Tally {
	units := false
	t := Tally{ByGroup: map[string]*Part{}}
	byUnit := map[string]*UnitPart{}
	for _, sum := range sums {
		units = units || sum.Unit != ""
		part := byUnit[sum.Unit]
		if part == nil {
			part = &UnitPart{Total: &Amount{}, ByGroup: map[string]*Part{}}
			byUnit[sum.Unit] = part
		}
		part.Count += sum.Count
		part.Total = sumOf(part.Total, sum.Total)
		add(part.ByGroup, sum)
		t.Count += sum.Count
		add(t.ByGroup, sum)
	}
	for _, part := range byUnit {
		part.Average = average(part.Total, part.Count)
	}
	t.Total = &Amount{}
	for _, part := range byUnit {
		t.Total = part.Total // of the only one
	}
	if len(byUnit) > 1 {
		t.Total = nil
		for _, part := range t.ByGroup {
			part.Total = nil
		}
	}
	t.Average = average(t.Total, t.Count)
	if units {
		t.ByUnit = byUnit
	}
	return t
}

func add(groups map[string]*Part, sum Sum) {
	part := groups[sum.Group]
	if part == nil {
		part = &Part{Total: &Amount{}}
		groups[sum.Group] = part
	}
	part.Count += sum.Count
	part.Total = sumOf(part.Total, sum.Total)
}

func sumOf(a *Amount, b Amount) *Amount {
	sum := a.Plus(b)
	return &sum
}

// average is nil for nothing, and for what has no total.
func average(total *Amount, count int) *Amount {
	if total == nil || count == 0 {
		return nil
	}
	over := total.Over(count)
	return &over
}
