package monitor

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/peanuts-router/peanuts-router/dispatch"
	"github.com/peanuts-router/peanuts-router/engine"
)

// Flags tell which actions fail, have dead letters, or let no alert through, whatever rules there are.
func (m *Monitor) Flags(ctx context.Context) []dispatch.Flag {
	told := m.failing()
	dead, err := m.Store.DeadLetters(ctx)
	if err != nil {
		m.Log.Error("counting dead letters", "err", err)
	}
	for action, n := range dead {
		noun := "dead letters"
		if n == 1 {
			noun = "dead letter"
		}
		told = append(told, dispatch.Flag{Action: action, Says: fmt.Sprintf("%d %s: %s", n, noun, listDead(action))})
	}
	slices.SortFunc(told, dispatch.Flag.Compare)
	return told
}

// listDead is the command that lists the dead letters of an action.
func listDead(action engine.ActionName) string {
	return "peanuts-router dead-letters list --action " + string(action)
}

// failing are the flags of actions that fail now.
func (m *Monitor) failing() (told []dispatch.Flag) {
	settings, now, actions := m.Rules.Monitor(), m.Now(), m.Rules.Actions()
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, action := range actions {
		w := m.watches[action]
		if w == nil {
			continue
		}
		if !w.since.IsZero() {
			told = append(told, dispatch.Flag{Action: action, Says: w.says(settings, now)})
		}
		if w.mute != "" {
			told = append(told, dispatch.Flag{Action: action, Says: "the router's own alerts do not get through it: " + w.mute})
		}
	}
	return told
}

// says is the flag of an action that fails, or has failed until a while ago.
func (w *watch) says(settings engine.Monitor, now time.Time) string {
	w.window.fit(settings.Window, now)
	sum, verb := w.window.sum(now), "fails since "
	if sum.attempts > 0 && sum.failed == 0 && !w.breaker {
		verb = "recovers, after it failed since "
	}
	says := verb + w.since.UTC().Format(time.RFC3339)
	if why := w.why(sum, settings); why != "" {
		says += ": " + why
	}
	return says
}

// shown are the metrics that are made when somebody asks.
type shown struct {
	*Monitor
	spike, mute, dead *prometheus.Desc
}

// register makes the metrics. Labels come from the rules file only, never from an event.
func (m *Monitor) register(registry prometheus.Registerer) {
	m.raised = prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "peanuts_router_own_events_total", Help: "Events that the router raised itself, by name.",
	}, []string{"event"})
	for _, event := range engine.OwnEvents() {
		m.raised.WithLabelValues(event)
	}
	if registry == nil {
		return
	}
	desc := func(name, help string) *prometheus.Desc {
		return prometheus.NewDesc("peanuts_router_"+name, help, []string{"action"}, nil)
	}
	registry.MustRegister(m.raised, shown{
		Monitor: m,
		spike:   desc("failure_spike", "Whether the action fails now: 1 from router.failure_spike to router.failure_recovered."),
		mute:    desc("alerts_failing", "Whether the newest alert to the action did not get through, and nothing has since."),
		dead:    desc("dead_letters", "Dead letters in the store, by action."),
	})
}

// Describe and Collect make it a prometheus.Collector.
func (s shown) Describe(to chan<- *prometheus.Desc) {
	to <- s.spike
	to <- s.mute
	to <- s.dead
}

// Collect gives each action of the rules its gauges, and each with dead letters theirs.
func (s shown) Collect(to chan<- prometheus.Metric) {
	spiking, mute := s.states()
	for action, is := range spiking {
		to <- prometheus.MustNewConstMetric(s.spike, prometheus.GaugeValue, is, string(action))
		to <- prometheus.MustNewConstMetric(s.mute, prometheus.GaugeValue, mute[action], string(action))
	}
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	dead, err := s.Store.DeadLetters(ctx)
	if err != nil {
		to <- prometheus.NewInvalidMetric(s.dead, err)
		return
	}
	for action := range spiking {
		dead[action] += 0 // those without any show, too
	}
	for _, action := range slices.Sorted(maps.Keys(dead)) {
		to <- prometheus.MustNewConstMetric(s.dead, prometheus.GaugeValue, float64(dead[action]), string(action))
	}
}

// states are 1 of the actions that fail, and of those that let no alert through, and 0 of the others of the rules.
func (m *Monitor) states() (spiking, mute map[engine.ActionName]float64) {
	spiking, mute = map[engine.ActionName]float64{}, map[engine.ActionName]float64{}
	actions := m.Rules.Actions()
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, action := range actions {
		spiking[action], mute[action] = 0, 0
		w := m.watches[action]
		if w == nil {
			continue
		}
		if !w.since.IsZero() {
			spiking[action] = 1
		}
		if w.mute != "" {
			mute[action] = 1
		}
	}
	return spiking, mute
}
