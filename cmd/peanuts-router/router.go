package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"

	"github.com/peanuts-router/peanuts-router/actions"
	"github.com/peanuts-router/peanuts-router/dispatch"
	"github.com/peanuts-router/peanuts-router/engine"
	"github.com/peanuts-router/peanuts-router/engine/rulefile"
	"github.com/peanuts-router/peanuts-router/internal/fault"
	"github.com/peanuts-router/peanuts-router/peanuts"
	"github.com/peanuts-router/peanuts-router/server"
	"github.com/peanuts-router/peanuts-router/store"
)

// The shares of the 30 s in which a daemon ends (C22).
const (
	doorGrace    = 8 * time.Second
	courierGrace = 15 * time.Second
)

// routerConfig is what a running router is made of.
type routerConfig struct {
	rules         string // file or directory
	rulesOptions  rulefile.Options
	store         string // file
	retain        retention
	public, admin net.Listener
	secrets       []string // none takes events unsigned
	actions       actions.Config
	log           *slog.Logger
	observe       func(dispatch.Settled)
}

// router is all of it, wired in the order an event meets the parts.
type router struct {
	config  routerConfig
	public  *server.Server
	admin   *server.Server
	inForce *inForce
	store   *store.Store
	courier *dispatch.Dispatcher
}

// newRouter wires a router. A rules file that cannot be used is a *rulesError.
func newRouter(ctx context.Context, c routerConfig) (*router, error) {
	registry := prometheus.NewRegistry()
	registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	r := &router{config: c, inForce: &inForce{
		path: c.rules, options: c.rulesOptions, actions: c.actions, log: c.log, metrics: newReloadMetrics(registry),
		changed: make(chan struct{}, 1),
	}}
	if problems := r.inForce.start(); problems.Failed() {
		return nil, &rulesError{path: c.rules, problems: problems}
	}
	var err error
	if r.store, err = store.Open(ctx, store.Config{Path: c.store}); err != nil {
		return nil, err
	}
	registry.MustRegister(newStoreMetrics(r.store))
	r.courier = dispatch.New(dispatch.Config{
		Store: r.store, Routes: r.inForce.route, Mask: r.inForce.mask, Observe: c.observe,
		Metrics: registry, Log: c.log, Grace: courierGrace,
	})
	if err := r.openDoors(registry); err != nil {
		return nil, errors.Join(err, r.store.Close())
	}
	return r, nil
}

func (r *router) openDoors(registry *prometheus.Registry) (err error) {
	var verifier *peanuts.Verifier
	if len(r.config.secrets) > 0 {
		if verifier, err = peanuts.NewVerifier(r.config.secrets...); err != nil {
			return err
		}
	}
	var accepting server.Store = r.store
	if fault.Planted(fault.AckBeforeCommit) {
		accepting = eagerStore{Store: r.store, judge: r.inForce}
	}
	r.public, err = server.New(server.Config{
		Listener: r.config.public, Verifier: verifier, Judge: r.inForce, Store: accepting, Courier: r.courier,
		Metrics: registry, Log: r.config.log, Grace: doorGrace,
	})
	if err != nil {
		return err
	}
	r.admin, err = server.NewAdmin(server.AdminConfig{
		Listener: r.config.admin, Metrics: registry, Log: r.config.log, Grace: time.Second,
		Checks: []server.Check{
			{Name: "store", Probe: r.store.Writable},
			{Name: "accepting", Probe: r.public.Accepting},
		},
		Warnings: r.warnings, Reload: r.inForce.reloadForAPI, Stats: r.store, Record: shown{r.store},
	})
	return err
}

// run takes events and delivers until ctx ends or the store breaks; then it drains: first the doors, then the courier,
// then the store.
func (r *router) run(ctx context.Context) error {
	taking, stopTaking := context.WithCancel(ctx)
	delivering, stopDelivering := context.WithCancel(context.WithoutCancel(ctx))
	defer stopTaking()
	defer stopDelivering()
	go watchRules(taking, r.config.rules, r.config.log, func() { r.inForce.reload() })
	stats := inBackground(func() error { r.keepStats(taking); return nil })
	pruning := inBackground(func() error { r.keepShort(taking); return nil })
	public := inBackground(func() error { return r.public.Run(taking) })
	admin := inBackground(func() error { return r.admin.Run(delivering) })
	courier := inBackground(func() error { return r.courier.Run(delivering) })

	var failed error
	select {
	case <-ctx.Done():
	case <-r.store.Failed():
		failed = r.store.Err()
	case failed = <-public:
		public <- nil // so that it can be waited for below
	}
	stopTaking()
	failed = errors.Join(failed, <-public)
	stopDelivering()
	return errors.Join(failed, <-courier, <-admin, <-stats, <-pruning, r.store.Close())
}

// keepStats makes the stats anew that the rules in force define otherwise than those before, until ctx ends.
func (r *router) keepStats(ctx context.Context) {
	for {
		if err := r.defineStats(ctx); err != nil && ctx.Err() == nil {
			r.config.log.Error("making stats anew", "err", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-r.inForce.changed:
		case <-time.After(time.Minute): // the store could not be written, or a command asked for stats to be made anew
		}
	}
}

func (r *router) defineStats(ctx context.Context) error {
	rules := r.inForce.current.Load()
	if err := r.store.DefineStats(ctx, rules.Stats(), false); err != nil {
		return err
	}
	for done := false; !done; {
		var err error
		if done, err = r.store.Rebuild(ctx, rules); err != nil {
			return err
		}
	}
	return nil
}

// inBackground runs a task and gives its error when it has ended.
func inBackground(task func() error) chan error {
	ended := make(chan error, 1)
	go func() { ended <- task() }()
	return ended
}

// warnings tell what a person should look at.
func (r *router) warnings() []server.Warning {
	var warnings []server.Warning
	if problems := r.inForce.refused.Load(); problems != nil {
		warnings = append(warnings, server.Warning{Name: "rules", Detail: "the newest edit was refused: " + problems.Errors().Error()})
	}
	for _, flag := range r.courier.Flags() {
		warnings = append(warnings, server.Warning{Name: "action " + string(flag.Action), Detail: flag.Says})
	}
	return warnings
}

// rulesError is a rules file that cannot be used.
type rulesError struct {
	path     string
	problems rulefile.Problems
}

func (e *rulesError) Error() string {
	return fmt.Sprintf("%s in %s", e.problems.Summary(), e.path)
}

// storeMetrics count what waits in the store, when somebody asks.
type storeMetrics struct {
	store *store.Store
	open  *prometheus.Desc
}

func newStoreMetrics(s *store.Store) storeMetrics {
	return storeMetrics{store: s, open: prometheus.NewDesc("peanuts_router_deliveries", "Deliveries in the store, by state.", []string{"state"}, nil)}
}

func (m storeMetrics) Describe(to chan<- *prometheus.Desc) { to <- m.open }

func (m storeMetrics) Collect(to chan<- prometheus.Metric) {
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
