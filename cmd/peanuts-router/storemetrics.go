package main

import (
	"context"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/peanuts-router/peanuts-router/engine"
	"github.com/peanuts-router/peanuts-router/store"
)

// storeMetrics tell what waits in the store, when somebody asks, and what this process has brought to its end. To count what
// ended in the store, all of it would have to be read.
type storeMetrics struct {
	store             *store.Store
	open, owed, ended *prometheus.Desc
}

func newStoreMetrics(s *store.Store) storeMetrics {
	byState := []string{"state"}
	return storeMetrics{
		store: s,
		open:  prometheus.NewDesc("peanuts_router_deliveries", "Deliveries in the store that are pending, sending or dead.", byState, nil),
		owed:  prometheus.NewDesc("peanuts_router_deliveries_owed_total", "Deliveries that came to be owed.", nil, nil),
		ended: prometheus.NewDesc("peanuts_router_deliveries_ended_total", "Deliveries that came to an end, by the state that they ended in.", byState, nil),
	}
}

func (m storeMetrics) Describe(to chan<- *prometheus.Desc) {
	for _, desc := range []*prometheus.Desc{m.open, m.owed, m.ended} {
		to <- desc
	}
}

func (m storeMetrics) Collect(to chan<- prometheus.Metric) {
	moves := m.store.Moves()
	to <- prometheus.MustNewConstMetric(m.owed, prometheus.CounterValue, float64(moves.Owed))
	for state, n := range moves.Ended {
		to <- prometheus.MustNewConstMetric(m.ended, prometheus.CounterValue, float64(n), string(state))
	}
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	counts, err := m.store.Counts(ctx)
	if err != nil {
		to <- prometheus.NewInvalidMetric(m.open, err)
		return
	}
	for _, state := range []engine.State{engine.Pending, engine.Sending, engine.Dead} {
		to <- prometheus.MustNewConstMetric(m.open, prometheus.GaugeValue, float64(counts[state]), string(state))
	}
}
