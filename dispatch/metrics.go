package dispatch

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/peanuts-router/peanuts-router/engine"
)

// metrics count attempts. Labels come from the rules file only, never from an event.
type metrics struct {
	attempts *prometheus.CounterVec
	duration *prometheus.HistogramVec
	under    *prometheus.GaugeVec
	panics   *prometheus.CounterVec
	open     *prometheus.GaugeVec
	gone     *prometheus.GaugeVec
}

func newMetrics(registry prometheus.Registerer) *metrics {
	m := &metrics{
		attempts: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "peanuts_router_delivery_attempts_total", Help: "Attempts at deliveries that were recorded, by action and verdict.",
		}, []string{"action", "verdict"}),
		duration: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "peanuts_router_delivery_duration_seconds", Help: "How long attempts took, by action.",
			Buckets: []float64{.001, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 45},
		}, []string{"action"}),
		under: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "peanuts_router_deliveries_sending", Help: "Attempts under way, by action.",
		}, []string{"action"}),
		open: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "peanuts_router_breaker_open", Help: "1 while the breaker of an action is open: its target fails, and is left alone.",
		}, []string{"action"}),
		gone: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "peanuts_router_action_gone", Help: "1 while the target of an action says that it is gone for good (410), until its next success.",
		}, []string{"action"}),
		panics: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "peanuts_router_delivery_panics_total", Help: "Attempts in which the action panicked, by action.",
		}, []string{"action"}),
	}
	if registry != nil {
		registry.MustRegister(m.attempts, m.duration, m.under, m.open, m.gone, m.panics)
	}
	return m
}

func (m *metrics) begin(action engine.ActionName) { m.under.WithLabelValues(string(action)).Inc() }
func (m *metrics) end(action engine.ActionName)   { m.under.WithLabelValues(string(action)).Dec() }

func (m *metrics) panicked(action engine.ActionName) { m.panics.WithLabelValues(string(action)).Inc() }

func (m *metrics) attempted(action engine.ActionName, verdict engine.Verdict, took time.Duration) {
	m.attempts.WithLabelValues(string(action), string(verdict)).Inc()
	m.duration.WithLabelValues(string(action)).Observe(took.Seconds())
}

func (m *metrics) breaker(action engine.ActionName, open bool)  { set(m.open, action, open) }
func (m *metrics) actionGone(action engine.ActionName, is bool) { set(m.gone, action, is) }

// set has a gauge of an action show whether something is so.
func set(gauge *prometheus.GaugeVec, action engine.ActionName, is bool) {
	value := 0.0
	if is {
		value = 1
	}
	gauge.WithLabelValues(string(action)).Set(value)
}
