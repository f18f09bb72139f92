package condition

import (
	"fmt"
	"math"
	"strings"
	"time"
)

// span is a length of time: whole calendar days, and the rest. Added to a time, a day keeps the hour even when the
// clocks are changed in between.
type span struct {
	days int
	rest time.Duration
}

// length is the span with every day of 24 hours, for comparing.
func (s span) length() time.Duration {
	return time.Duration(s.days)*24*time.Hour + s.rest
}

// String prints the span as duration() reads it.
func (s span) String() string {
	switch {
	case s.days == 0:
		return s.rest.String()
	case s.rest == 0:
		return fmt.Sprintf("%dd", s.days)
	}
	return fmt.Sprintf("%dd%s", s.days, s.rest)
}

// after is the moment a span after another, its days counted in the zone.
func (s span) after(t time.Time, zone *time.Location) time.Time {
	if s.days != 0 {
		t = t.In(zone).AddDate(0, 0, s.days)
	}
	return t.Add(s.rest)
}

func (s span) negated() span { return span{days: -s.days, rest: -s.rest} }

func asSpan(value any) (span, bool) {
	switch v := value.(type) {
	case span:
		return v, true
	case time.Duration:
		return span{rest: v}, true
	}
	return span{}, false
}

// parseSpan reads a span such as "2d", "1w", "90m" or "1d12h": weeks and days first, then what Go reads.
func parseSpan(text string) (span, error) {
	bad := fmt.Errorf(`duration takes text such as "2d", "1w", "90m" or "1d12h"`)
	rest, negative := strings.CutPrefix(text, "-")
	days, unit := 0.0, ""
	for _, u := range []struct {
		name string
		days float64
	}{{"w", 7}, {"d", 1}} {
		number, after, found := strings.Cut(rest, u.name)
		if !found {
			continue
		}
		n, ok := numberInText(number)
		if !ok || n.isFloat || n.whole < 0 || n.whole > 36500 {
			return span{}, bad
		}
		days, rest, unit = days+float64(n.whole)*u.days, after, u.name
	}
	s := span{days: int(days)}
	if rest != "" || unit == "" {
		parsed, err := time.ParseDuration(rest)
		if err != nil || parsed < 0 || parsed > math.MaxInt64/4 {
			return span{}, bad
		}
		s.rest = parsed
	}
	if negative {
		s = s.negated()
	}
	return s, nil
}
