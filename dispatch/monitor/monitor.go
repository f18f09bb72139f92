package monitor

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/peanuts-router/peanuts-router/dispatch"
	"github.com/peanuts-router/peanuts-router/engine"
	"github.com/peanuts-router/peanuts-router/peanuts"
)

// Store is the memory: it takes alerts as it takes events, and knows what they told already.
type Store interface {
	// Accept commits an event with all that follows from it, and what Acceptance.Alert says.
	Accept(ctx context.Context, a *engine.Acceptance) (engine.Receipt, error)
	// Alerts are the newest of each name and action.
	Alerts(ctx context.Context) ([]engine.Alert, error)
	// Untold are the dead letters that no alert has told; DeadLetters are how many lie there, by action.
	Untold(ctx context.Context) ([]engine.Untold, error)
	DeadLetters(ctx context.Context) (map[engine.ActionName]int, error)
}

// Rules are those in force. Each method is asked each time, so that a reload is followed at once.
type Rules interface {
	// Judge judges an event by one generation of rules.
	Judge(e *peanuts.Event, now time.Time, known engine.Known) engine.Judgement
	// Monitor tells when failures are an alert, and Actions which actions there are.
	Monitor() engine.Monitor
	Actions() []engine.ActionName
	// Refused tells what is wrong with the newest edit; empty when it is in force.
	Refused() string
}

// Config makes a Monitor.
type Config struct {
	Store   Store
	Rules   Rules
	Wake    func(engine.ActionName) // told of actions that are owed an alert; nil tells nobody
	Judged  func(engine.Judgement)  // told what the rules made of an alert; nil tells nobody
	Metrics prometheus.Registerer   // nil registers none
	Log     *slog.Logger            // nil logs nothing
	Now     func() time.Time        // nil means time.Now
}

// Monitor watches. It is safe for concurrent use.
type Monitor struct {
	Config
	raised *prometheus.CounterVec

	mu      sync.Mutex // of what is noted between rounds
	watches map[engine.ActionName]*watch

	// Of the rounds alone, which go one after the other.
	restored bool
	deaths   map[engine.ActionName]*deaths
	reload   reload
}

// New makes a Monitor; Run sets it going.
func New(config Config) *Monitor {
	if config.Wake == nil {
		config.Wake = func(engine.ActionName) {}
	}
	if config.Judged == nil {
		config.Judged = func(engine.Judgement) {}
	}
	if config.Log == nil {
		config.Log = slog.New(slog.DiscardHandler)
	}
	if config.Now == nil {
		config.Now = time.Now
	}
	m := &Monitor{Config: config, watches: map[engine.ActionName]*watch{}, deaths: map[engine.ActionName]*deaths{}}
	m.register(config.Metrics)
	return m
}

// Observe notes a settled attempt. It is quick: whoever delivers calls it.
func (m *Monitor) Observe(s dispatch.Settled) {
	settings, now := m.Rules.Monitor(), m.Now()
	m.mu.Lock()
	defer m.mu.Unlock()
	m.of(s.Lease.Action).note(s, settings, now)
}

// ObserveBreaker notes that the breaker of an action has opened or closed. It is quick, as Observe is.
func (m *Monitor) ObserveBreaker(action engine.ActionName, open bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	w := m.of(action)
	w.breaker, w.opened = open, w.opened || open
}

// of is the watch of an action, made when it is first asked for.
func (m *Monitor) of(action engine.ActionName) *watch {
	w := m.watches[action]
	if w == nil {
		w = &watch{}
		m.watches[action] = w
	}
	return w
}

// The rounds come once a second, or as often as a window has slots when that is more. While the store fails they come less
// and less often.
const (
	roundEvery  = time.Second
	roundAtMost = 10 * time.Second
)

// Run goes its rounds until ctx ends.
func (m *Monitor) Run(ctx context.Context) error {
	wait := time.Duration(0)
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(wait):
		}
		err := m.Round(ctx)
		switch every := min(roundEvery, m.Rules.Monitor().Window/slots); {
		case err == nil:
			wait = every
		case ctx.Err() == nil:
			m.Log.Error("raising the router's own events", "err", err)
			wait = min(max(2*wait, roundEvery), roundAtMost)
		}
	}
}

// Round raises what there is to raise now. What could not be raised is tried again in the next one.
func (m *Monitor) Round(ctx context.Context) error {
	if err := m.restore(ctx); err != nil {
		return err
	}
	now := m.Now()
	return errors.Join(m.tellSpikes(ctx, now), m.tellDeaths(ctx, now), m.tellReload(ctx, now))
}

// restore takes up, once, what was told before this process began.
func (m *Monitor) restore(ctx context.Context) error {
	if m.restored {
		return nil
	}
	alerts, err := m.Store.Alerts(ctx)
	if err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	recovered := map[engine.ActionName]time.Time{}
	for _, alert := range alerts {
		if alert.Event == engine.EventFailureRecovered {
			recovered[alert.Action] = alert.At
		}
	}
	for _, alert := range alerts {
		switch alert.Event {
		case engine.EventFailureSpike:
			if alert.At.After(recovered[alert.Action]) {
				m.of(alert.Action).since = alert.At
			}
		case engine.EventDeadLetter:
			m.deaths[alert.Action] = &deaths{told: alert.At}
		case engine.EventReloadFailed:
			m.reload.told = alert.About
		}
	}
	m.restored = true
	return nil
}
