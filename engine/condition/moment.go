package condition

import (
	"errors"
	"fmt"
	"math"
	"strings"
	"time"
)

// parseMoment reads a time as people and programs write it. One without a zone is in the zone given, a date the
// start of that day.
func parseMoment(text string, zone *time.Location) (time.Time, error) {
	if zone == nil {
		zone = time.UTC
	}
	if moment, err := time.Parse(time.RFC3339, text); err == nil {
		return moment, nil
	}
	for _, layout := range []string{
		"2006-01-02", "2006-01-02T15:04:05", "2006-01-02T15:04", "2006-01-02 15:04:05", "2006-01-02 15:04",
		"2006-01-02 15:04:05Z07:00", "2006-01-02T15:04Z07:00",
	} {
		if moment, err := time.ParseInLocation(layout, text, zone); err == nil {
			return moment, nil
		}
	}
	return time.Time{}, errors.New(`a date is text such as "2026-11-27" or "2026-11-27T18:00:00Z"`)
}

// moment is what a function takes as a time: a time, or text that is one; ok is false for what is absent.
func (d *Dialect) moment(function string, value any) (moment time.Time, ok bool, err error) {
	switch v := value.(type) {
	case nil:
		return time.Time{}, false, nil
	case time.Time:
		return v, true, nil
	case string:
		moment, err := parseMoment(v, d.zone)
		if err != nil {
			return time.Time{}, false, fmt.Errorf("%s(): not a date: %w", function, err)
		}
		return moment, true, nil
	}
	return time.Time{}, false, fmt.Errorf("%s() takes a time or a text that is one, not %s", function, typeName(value))
}

func (d *Dialect) date(_ *Scope, args []any) (any, error) {
	moment, ok, err := d.moment("date", args[0])
	if !ok {
		return nil, err
	}
	return moment, nil
}

func (d *Dialect) day(_ *Scope, args []any) (any, error) {
	moment, ok, err := d.moment("day", args[0])
	if !ok {
		return nil, err
	}
	return moment.In(d.zone).Format(time.DateOnly), nil
}

// format prints a time in a layout of Go's: "2 Jan 2006 15:04".
func (d *Dialect) format(_ *Scope, args []any) (any, error) {
	moment, ok, err := d.moment("format", args[0])
	if !ok {
		return nil, err
	}
	layout, isText := args[1].(string)
	if !isText {
		return nil, fmt.Errorf("format() takes a layout as text, not %s", typeName(args[1]))
	}
	return moment.In(d.zone).Format(layout), nil
}

// weekday is the day of the week in three small letters: "mon".
func (d *Dialect) weekday(_ *Scope, args []any) (any, error) {
	moment, ok, err := d.moment("weekday", args[0])
	if !ok {
		return nil, err
	}
	return strings.ToLower(moment.In(d.zone).Weekday().String()[:3]), nil
}

// daysUntil is how many days lie between now and a time, rounded up; negative when it has passed.
func (d *Dialect) daysUntil(s *Scope, args []any) (any, error) {
	moment, ok, err := d.moment("days_until", args[0])
	if !ok {
		return nil, err
	}
	return int64(math.Ceil(moment.Sub(s.now).Hours() / 24)), nil
}

func duration(_ *Scope, args []any) (any, error) {
	switch v := args[0].(type) {
	case nil:
		return nil, nil
	case string:
		return parseSpan(v)
	}
	return nil, fmt.Errorf("duration() takes text, not %s", typeName(args[0]))
}
