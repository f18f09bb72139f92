package engine

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"time"

	"github.com/peanuts-router/peanuts-router/engine/condition"
	"github.com/peanuts-router/peanuts-router/engine/rulefile"
	"github.com/peanuts-router/peanuts-router/peanuts"
)

// StatName is a stat's name, unique in the rules file.
type StatName string

// Stat is a running total over entries, as the rules define it.
type Stat struct {
	Name StatName
	// Definition is a digest of all that decides what an entry adds to the stat: its expressions and the time zone. A stat
	// with another definition is another stat, made anew from the entries.
	Definition string
	Zone       string // the time zone of its days and months
}

// Contribution is what one entry adds to one stat.
type Contribution struct {
	Stat       StatName
	Definition string
	Entry      string
	Day        string // of the entry, in the time zone of the rules: 2026-11-23
	User       string // who logged it; empty when that is not known
	Group      string
	Unit       string // empty for a stat without units
	Value      string // a decimal number; empty when it could not be read, which is counted and listed
}

// NoGroup is the name of the group, and of the unit, of what has none.
const NoGroup = "(none)"

// stat is one compiled stat.
type stat struct {
	Stat
	when, exclude        *condition.Condition // exclude may be nil
	value, groupBy, unit *condition.Expression
}

func (c *compiler) stat(from *rulefile.Stat) *stat {
	s := &stat{
		when: c.standingCondition(from.When), exclude: c.standingCondition(from.Exclude),
		value: c.standingExpression(from.Value), groupBy: c.standingExpression(from.GroupBy), unit: c.standingExpression(from.Unit),
	}
	// A list as JSON keeps apart what stands side by side.
	definition, _ := json.Marshal([]string{from.When.Value, from.Exclude.Value, from.Value.Value, from.GroupBy.Value, from.Unit.Value, c.zone.String()})
	digest := sha256.Sum256(definition)
	s.Stat = Stat{Name: StatName(from.Name.Value), Definition: hex.EncodeToString(digest[:]), Zone: c.zone.String()}
	return s
}

func (c *compiler) standingCondition(from rulefile.Text) *condition.Condition {
	if from.Value == "" {
		return nil
	}
	compiled, err := c.standing.Condition(from.Value)
	if err != nil {
		c.fault(from, err)
	}
	return compiled
}

func (c *compiler) standingExpression(from rulefile.Text) *condition.Expression {
	if from.Value == "" {
		return nil
	}
	compiled, err := c.standing.Expression(from.Value)
	if err != nil {
		c.fault(from, err)
	}
	return compiled
}

// Stats are the stats of the rules, in the order of the file.
func (r *Rules) Stats() []Stat {
	stats := make([]Stat, len(r.stats))
	for i, s := range r.stats {
		stats[i] = s.Stat
	}
	return stats
}

// Contribute tells what the newest version of an entry adds to each stat; a deleted one adds nothing. It is told from the
// event that brought the version, and when that arrived, alone.
func (r *Rules) Contribute(e *peanuts.Event, arrived time.Time) []Contribution {
	if len(r.stats) == 0 || e.Event == peanuts.EntryDeleted {
		return nil
	}
	judging := newJudging(e, arrived, Known{})
	defer judging.done()
	scope := judging.Scope
	day := dayOf(e, arrived).In(r.zone).Format(time.DateOnly)
	var contributions []Contribution
	for _, s := range r.stats {
		if !s.counts(scope) {
			continue
		}
		contributions = append(contributions, Contribution{
			Stat: s.Name, Definition: s.Definition, Entry: e.Entry.ID, Day: day, User: e.User.ID,
			Group: named(s.groupBy, scope, NoGroup), Unit: named(s.unit, scope, ""), Value: s.read(scope),
		})
	}
	return contributions
}

// dayOf is the moment whose day is the entry's: when it was created, else when it changed, else when that was told.
func dayOf(e *peanuts.Event, arrived time.Time) time.Time {
	if !e.Entry.CreatedAt.IsZero() {
		return e.Entry.CreatedAt
	}
	return e.Instant(arrived)
}

// counts tells whether the entry belongs to the stat. One that cannot be judged does, and shows as unreadable.
func (s *stat) counts(scope *condition.Scope) bool {
	if s.exclude != nil && s.exclude.Judge(scope).Holds {
		return false
	}
	wanted := s.when.Judge(scope)
	return wanted.Holds || wanted.Err != nil
}

// read is the entry's value; empty when it cannot be read.
func (s *stat) read(scope *condition.Scope) string {
	if s.when.Judge(scope).Err != nil {
		return ""
	}
	value, err := s.value.Decimal(scope)
	if err != nil {
		return ""
	}
	return value
}

// longestName bounds the name of a group, in bytes.
const longestName = 200

// named is what the entry is grouped under; none where nothing says so by.
func named(by *condition.Expression, scope *condition.Scope, none string) string {
	if by == nil {
		return none
	}
	name, there, err := by.Text(scope)
	if err != nil || !there || name == "" {
		return NoGroup
	}
	return cutText(name, longestName)
}
