package monitor_test

import (
	"context"
	"encoding/json"
	"errors"
	"maps"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/peanuts-router/peanuts-router/dispatch"
	"github.com/peanuts-router/peanuts-router/dispatch/monitor"
	"github.com/peanuts-router/peanuts-router/engine"
	"github.com/peanuts-router/peanuts-router/peanuts"
)

// memory is a store in memory, and the rules in force: an honest model of the real ones, so that days pass in no time.
type memory struct {
	mu       sync.Mutex
	settings engine.Monitor
	refused  string
	unsent   string // why what alerts owe cannot be sent
	down     bool
	alerts   map[[2]string]engine.Alert
	deaths   map[engine.ActionName]int
	told     map[engine.ActionName]int
	raised   []raised
	woken    []engine.ActionName
}

// raised is an alert with what it says.
type raised struct {
	Event string
	At    time.Time
	Data  map[string]any
}

func newMemory() *memory {
	return &memory{
		settings: engine.MonitorByDefault(), alerts: map[[2]string]engine.Alert{},
		deaths: map[engine.ActionName]int{}, told: map[engine.ActionName]int{},
	}
}

var errDown = errors.New("the store is down")

func (m *memory) Accept(_ context.Context, a *engine.Acceptance) (engine.Receipt, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.down {
		return engine.Receipt{}, errDown
	}
	var seen struct {
		Event     string
		Timestamp time.Time
		Helper    struct{ Command string }
		Entry     struct {
			ID   string
			Data map[string]any
		}
	}
	if err := json.Unmarshal(a.Event.Raw, &seen); err != nil {
		return engine.Receipt{}, err
	}
	a.Judge(engine.Known{})
	alert := *a.Alert
	if seen.Helper.Command != "/router" || seen.Entry.ID != "" || seen.Event != alert.Event || !seen.Timestamp.Equal(alert.At) {
		return engine.Receipt{}, errors.New("this is none of the router's own events: " + string(a.Event.Raw))
	}
	m.alerts[[2]string{alert.Event, string(alert.Action)}] = alert
	m.told[alert.Action] += alert.Told
	m.raised = append(m.raised, raised{seen.Event, alert.At, seen.Entry.Data})
	return engine.Receipt{ID: a.ID}, nil
}

func (m *memory) Alerts(context.Context) ([]engine.Alert, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.down {
		return nil, errDown
	}
	var all []engine.Alert
	for alert := range maps.Values(m.alerts) {
		alert.At = alert.At.Truncate(time.Millisecond) // as it is stored
		all = append(all, alert)
	}
	return all, nil
}

func (m *memory) Untold(context.Context) ([]engine.Untold, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.down {
		return nil, errDown
	}
	var all []engine.Untold
	for action, n := range m.deaths {
		if n > m.told[action] {
			newest := engine.Delivery{ID: "e-1", Event: "e", Rule: "high-expense", Action: action, Attempts: 3, LastError: "gave up"}
			all = append(all, engine.Untold{Action: action, Count: n - m.told[action], Newest: newest})
		}
	}
	return all, nil
}

func (m *memory) DeadLetters(context.Context) (map[engine.ActionName]int, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return maps.Clone(m.deaths), nil
}

// Judge has every alert go to the action ops.
func (m *memory) Judge(_ *peanuts.Event, _ time.Time, known engine.Known) engine.Judgement {
	if !known.Own {
		return engine.Judgement{}
	}
	return engine.Judgement{Fired: []engine.RuleName{"alerts"}, Owed: []engine.Owed{{Rule: "alerts", Action: "ops", Dead: m.unsent}}}
}

func (m *memory) Monitor() engine.Monitor {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.settings
}

func (m *memory) Actions() []engine.ActionName { return []engine.ActionName{"ledger", "ops"} }

func (m *memory) Refused() string {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.refused
}

func (m *memory) set(change func(*memory)) {
	m.mu.Lock()
	defer m.mu.Unlock()
	change(m)
}

// die has n deliveries of an action die.
func (m *memory) die(action engine.ActionName, n int) {
	m.set(func(m *memory) { m.deaths[action] += n })
}

// all are the alerts so far.
func (m *memory) all() []raised {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.raised
}

// names are those of the alerts so far.
func (m *memory) names() string {
	var names []string
	for _, r := range m.all() {
		names = append(names, strings.TrimPrefix(r.Event, "router."))
	}
	return strings.Join(names, " ")
}

// start runs a monitor; stop ends it and waits, as a restart would.
func (m *memory) start(t *testing.T) (watching *monitor.Monitor, stop func()) {
	t.Helper()
	watching = monitor.New(monitor.Config{Store: m, Rules: m, Wake: func(action engine.ActionName) {
		m.set(func(m *memory) { m.woken = append(m.woken, action) })
	}})
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- watching.Run(ctx) }()
	return watching, func() {
		t.Helper()
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("Run() = %v", err)
		}
	}
}

// attempts are n settled ones at deliveries to an action.
func attempts(watching *monitor.Monitor, n int, action engine.ActionName, verdict engine.Verdict, own bool) {
	for range n {
		s := dispatch.Settled{Outcome: engine.Outcome{Verdict: verdict}, Settlement: engine.Settlement{Attempt: &engine.Attempt{}}}
		s.Lease.ID, s.Lease.Event, s.Lease.Rule, s.Lease.Action, s.Lease.Own = "e-1", "e", "high-expense", action, own
		if verdict != engine.VerdictDelivered {
			s.Outcome.Reason = "503 Service Unavailable"
		}
		watching.Observe(s)
	}
}

func fail(watching *monitor.Monitor, n int) {
	attempts(watching, n, "ledger", engine.VerdictRetry, false)
}
func succeed(watching *monitor.Monitor, n int) {
	attempts(watching, n, "ledger", engine.VerdictDelivered, false)
}
