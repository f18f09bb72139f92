package main

import (
	"strconv"
	"strings"
	"time"
)

// length is how long something is, as people write it in a flag.
type length struct {
	days int
	rest time.Duration
}

// mostDays is how many days a length has at the most: more would not fit into a time.Duration.
const mostDays = 100_000

// readLength reads 30d, or 720h and the like; false for what is neither, or is negative.
func readLength(text string) (length, bool) {
	if days, ok := strings.CutSuffix(text, "d"); ok {
		n, err := strconv.Atoi(days)
		return length{days: min(n, mostDays)}, err == nil && n >= 0
	}
	rest, err := time.ParseDuration(text)
	return length{rest: rest}, err == nil && rest >= 0
}

// duration counts 24 hours to the day.
func (l length) duration() time.Duration { return time.Duration(l.days)*24*time.Hour + l.rest }

// before is the moment so long before another; a day before it is the same time of the day before.
func (l length) before(moment time.Time) time.Time { return moment.AddDate(0, 0, -l.days).Add(-l.rest) }
