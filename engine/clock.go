package engine

import (
	"time"

	"github.com/peanuts-router/peanuts-router/engine/condition"
)

// Zone is the time zone of the rules.
func (r *Rules) Zone() *time.Location { return r.zone }

// Time reads a time as the rules' date() does: one without a zone is in the zone of the rules, a date the start of that
// day.
func (r *Rules) Time(text string) (time.Time, error) { return condition.ReadTime(text, r.zone) }
