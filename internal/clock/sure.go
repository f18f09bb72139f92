package clock

import "time"

// standsAfter is how long a jump is in doubt: somebody may notice by then that the clock is wrong, and set it right.
const standsAfter = 24 * time.Hour

// leap is a jump that is in doubt.
type leap struct {
	at time.Time
	by time.Duration
}

// Doubt notes a jump that may turn out to be a mistake.
func (c *Clock) Doubt(by time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.doubt(by)
}

// leapTo follows a jump and doubts it, at one moment: Sure never shows the one without the other.
func (c *Clock) leapTo(reading time.Time, by time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.doubt(by)
	c.follow(reading)
}

// doubt notes a jump. The clock is locked.
func (c *Clock) doubt(by time.Duration) { c.leaps = append(c.leaps, leap{at: c.Now(), by: by}) }

// Sure is the wall time that it is at the least: leaps ahead count once they have stood for a day. What can never be
// undone is done by it.
func (c *Clock) Sure() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := c.Now()
	for len(c.leaps) > 0 && now.Sub(c.leaps[0].at) >= standsAfter {
		c.leaps = c.leaps[1:]
	}
	doubted := time.Duration(0)
	for _, one := range c.leaps {
		doubted += one.by
	}
	return now.Add(-max(0, doubted))
}
