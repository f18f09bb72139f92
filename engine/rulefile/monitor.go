package rulefile

import "time"

// Monitor says when failures of an action are an alert.
type Monitor struct {
	Window      Duration `yaml:"window"`
	MinAttempts Count    `yaml:"min_attempts"`
	FailureRate Number   `yaml:"failure_rate"`

	Where Anchor `yaml:"-"`
}

const (
	minWindow      = time.Second
	maxWindow      = 24 * time.Hour
	maxMinAttempts = 1_000_000
)

// The events that the router raises itself. Only rules that name them in `on:` hear of them.
const (
	EventDeadLetter       = RouterPrefix + "dead_letter"
	EventFailureSpike     = RouterPrefix + "failure_spike"
	EventFailureRecovered = RouterPrefix + "failure_recovered"
	EventReloadFailed     = RouterPrefix + "reload_failed"
)

// RouterPrefix is what the names of the router's own events begin with. No event from outside passes as one of them.
const RouterPrefix = "router."

// RouterEvents are all of them.
func RouterEvents() []string {
	return []string{EventFailureSpike, EventFailureRecovered, EventDeadLetter, EventReloadFailed}
}

// monitor checks what the numbers may be.
func (c *checker) monitor() {
	m := c.file.Monitor
	if m.Window.Value != 0 && (m.Window.Value < minWindow || m.Window.Value > maxWindow) {
		c.at(m.Window.anchored, "bad-value", "window is 1s to 24h")
	}
	if n := m.MinAttempts; n.IsSet() && !n.bad && (n.Value < 1 || n.Value > maxMinAttempts) {
		c.at(n.anchored, "bad-value", "min_attempts is 1 to 1000000")
	}
	if rate := m.FailureRate; rate.IsSet() && !rate.bad && (rate.Value < minFailureRate || rate.Value > 1) {
		c.at(rate.anchored, "bad-value", "failure_rate is a part of the attempts, 0.001 to 1")
	}
}

// minFailureRate is one in a thousand.
const minFailureRate = 0.001
