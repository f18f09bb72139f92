package server

import (
	"fmt"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/peanuts-router/peanuts-router/engine"
)

// outcome is what became of one request to the webhook.
type outcome string

const (
	accepted     outcome = "accepted"
	duplicate    outcome = "duplicate"
	badMethod    outcome = "bad_method"
	badType      outcome = "bad_type"
	tooLarge     outcome = "too_large"
	unreadable   outcome = "unreadable" // the body stopped short or came too slowly
	badSignature outcome = "bad_signature"
	badBody      outcome = "bad_body"
	unavailable  outcome = "unavailable"
	failed       outcome = "failed" // a fault of our own
)

var outcomes = [...]outcome{
	accepted, duplicate, badMethod, badType, tooLarge, unreadable, badSignature, badBody, unavailable, failed,
}

type metrics struct {
	received                              map[outcome]prometheus.Counter
	took                                  prometheus.Histogram
	fired, suppressed, errors, mismatches *prometheus.CounterVec
}

// newMetrics registers what the door counts. Labels come from the code and the rules file, never from an event.
func newMetrics(registry prometheus.Registerer) (*metrics, error) {
	received := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "peanuts_router_events_received_total",
		Help: "Requests to the webhook, by what became of them.",
	}, []string{"outcome"})
	m := &metrics{
		received: map[outcome]prometheus.Counter{},
		took: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name:    "peanuts_router_answer_duration_seconds",
			Help:    "Time from the head of a webhook request to its answer.",
			Buckets: []float64{.0005, .001, .0025, .005, .01, .02, .05, .1, .25, 1, 5, 15},
		}),
		fired:      byRule("peanuts_router_rule_fired_total", "Accepted events for which the rule fired."),
		suppressed: byRule("peanuts_router_rule_suppressed_total", "Accepted events for which the rule's condition held, and once_per was claimed already."),
		errors:     byRule("peanuts_router_rule_errors_total", "Accepted events at which the rule failed."),
		mismatches: byRule("peanuts_router_rule_mismatches_total", "Comparisons of the rule that met a value of the wrong type."),
	}
	// Every outcome shows from the start, so that a rate over a first one is right.
	for _, o := range outcomes {
		m.received[o] = received.WithLabelValues(string(o))
	}
	for _, c := range []prometheus.Collector{received, m.took, m.fired, m.suppressed, m.errors, m.mismatches} {
		if err := registry.Register(c); err != nil {
			return nil, fmt.Errorf("registering metrics: %w", err)
		}
	}
	return m, nil
}

func byRule(name, help string) *prometheus.CounterVec {
	return prometheus.NewCounterVec(prometheus.CounterOpts{Name: name, Help: help}, []string{"rule"})
}

func (m *metrics) answered(o outcome, took time.Duration) {
	m.received[o].Inc()
	m.took.Observe(took.Seconds())
}

func (m *metrics) judged(j engine.Judgement) {
	for _, rule := range j.Fired {
		m.fired.WithLabelValues(string(rule)).Inc()
	}
	for _, s := range j.Suppressed {
		m.suppressed.WithLabelValues(string(s.Rule)).Inc()
	}
	for _, e := range j.Errors {
		m.errors.WithLabelValues(string(e.Rule)).Inc()
	}
	for _, mismatch := range j.Mismatches {
		m.mismatches.WithLabelValues(string(mismatch.Rule)).Inc()
	}
}
