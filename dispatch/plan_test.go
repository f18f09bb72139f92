package dispatch

import (
	"testing"
	"time"

	"github.com/peanuts-router/peanuts-router/engine"
)

// R86: delays come from cenkalti/backoff, resumed at any attempt.
func TestWaitsFollowThePlan(t *testing.T) {
	const s, m, h = time.Second, time.Minute, time.Hour
	for _, c := range []struct {
		name string
		plan engine.RetryPlan
		want []time.Duration
	}{
		{"peanuts", engine.RetryPeanuts(), []time.Duration{2 * s, 4 * s}},
		{"standard", engine.RetryStandard(), []time.Duration{5 * s, 30 * s, 2 * m, 10 * m, 30 * m, 2 * h, 5 * h, 10 * h, 10 * h}},
		{"a list", engine.RetryPlan{Waits: []time.Duration{s, 5 * s, 30 * s, 5 * m}}, []time.Duration{s, 5 * s, 30 * s, 5 * m}},
		{"exponential", engine.RetryPlan{Initial: s, Multiplier: 2, MaxInterval: 30 * s, Attempts: 9},
			[]time.Duration{s, 2 * s, 4 * s, 8 * s, 16 * s, 30 * s, 30 * s, 30 * s}},
		{"exponential with jitter", engine.RetryPlan{Initial: s, Multiplier: 3, MaxInterval: 10 * s, Attempts: 5, Jitter: 0.5},
			[]time.Duration{s, 3 * s, 9 * s, 10 * s}},
	} {
		if got := c.plan.Limit(); got != len(c.want)+1 {
			t.Errorf("%s allows %d attempts, want %d", c.name, got, len(c.want)+1)
		}
		for i, want := range c.want {
			for range 50 {
				got := waitAfter(c.plan, i+1)
				least, most := scaled(want, 1-c.plan.Jitter), scaled(want, 1+c.plan.Jitter)
				if c.plan.MaxInterval > 0 {
					most = min(most, c.plan.MaxInterval)
				}
				if got < least-time.Millisecond || got > most+time.Millisecond {
					t.Errorf("%s waits %v after attempt %d, want %v to %v", c.name, got, i+1, least, most)
				}
			}
		}
	}
}

func scaled(d time.Duration, by float64) time.Duration { return time.Duration(float64(d) * by) }
