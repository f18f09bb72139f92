package main

import (
	"context"
	"errors"
	"io/fs"
	"log/slog"
	"net"
	"os"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"

	"github.com/peanuts-router/peanuts-router/actions"
	"github.com/peanuts-router/peanuts-router/dispatch"
	"github.com/peanuts-router/peanuts-router/dispatch/monitor"
	"github.com/peanuts-router/peanuts-router/engine/rulefile"
	"github.com/peanuts-router/peanuts-router/internal/clock"
	"github.com/peanuts-router/peanuts-router/internal/fault"
	"github.com/peanuts-router/peanuts-router/peanuts"
	"github.com/peanuts-router/peanuts-router/server"
	"github.com/peanuts-router/peanuts-router/store"
)

// The shares of the 30 s in which a daemon ends (C22).
const (
	doorGrace    = 12 * time.Second // an event may wait for its commit for nearly as long
	courierGrace = 15 * time.Second // after the doors; and however long those took
	cutAfter     = 18 * time.Second // attempts are cut, which leaves some for a store that cannot commit
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
	clock   *clock.Clock
	inForce *inForce
	store   *store.Store
	courier *dispatch.Dispatcher
	monitor *monitor.Monitor
}

// newRouter wires a router. A rules file that cannot be used is a *rulesError, unless the store keeps rules that can.
func newRouter(ctx context.Context, c routerConfig) (*router, error) {
	registry := prometheus.NewRegistry()
	registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	r := &router{config: c, clock: clock.New(fault.Clock()), inForce: &inForce{
		path: c.rules, options: c.rulesOptions, actions: c.actions, log: c.log, metrics: newReloadMetrics(registry),
		changed: make(chan struct{}, 1),
	}}
	if err := r.begin(ctx); err != nil {
		return nil, err
	}
	registry.MustRegister(newStoreMetrics(r.store))
	r.monitor = r.newMonitor(registry)
	r.courier = dispatch.New(dispatch.Config{
		Store: r.store, Routes: r.inForce.route, Observe: r.settled, Breaker: r.monitor.Breaker,
		Metrics: registry, Log: c.log, Now: r.clock.Now, Grace: courierGrace,
	})
	if err := r.openDoors(registry); err != nil {
		return nil, errors.Join(err, r.store.Close())
	}
	return r, nil
}

// begin finds the first rules and opens the store. Where the files are refused, the rules that the store keeps serve; a store
// is not made for that.
func (r *router) begin(ctx context.Context) (err error) {
	var refusal *rulesError
	if problems := r.inForce.start(); problems.Failed() {
		refusal = &rulesError{path: r.config.rules, problems: problems}
		if _, err := os.Stat(r.config.store); errors.Is(err, fs.ErrNotExist) {
			return refusal
		}
	}
	r.store, err = store.Open(ctx, store.Config{Path: r.config.store, Now: r.clock.Now})
	switch {
	case err != nil && refusal != nil:
		refusal.instead = err
		return refusal
	case err != nil:
		return err
	}
	r.inForce.store = r.store
	if refusal == nil {
		r.inForce.keep() // nobody else knows of it yet
		return nil
	}
	if err := r.inForce.startOnKept(ctx, refusal); err != nil {
		refusal.instead = errors.Join(refusal.instead, r.store.Close())
		return err
	}
	return nil
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
		Metrics: registry, Log: r.config.log, Clock: r.clock.Now, Grace: doorGrace,
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
	following := inBackground(func() error { r.clock.Run(delivering, r.store, r.config.log); return nil })
	go watchRules(taking, r.config.rules, r.config.log, func() { r.inForce.reload(false) })
	stats := inBackground(func() error { r.keepStats(taking); return nil })
	pruning := inBackground(func() error { r.keepShort(taking); return nil })
	public := inBackground(func() error { return r.public.Run(taking) })
	admin := inBackground(func() error { return r.admin.Run(delivering) })
	courier := inBackground(func() error { return r.courier.Run(delivering) })
	watching := inBackground(func() error { return r.monitor.Run(taking) })

	var failed error
	select {
	case <-ctx.Done():
	case <-r.store.Failed():
		failed = r.store.Err()
	case failed = <-public:
		public <- nil // so that it can be waited for below
	}
	stopTaking()
	cut := time.AfterFunc(cutAfter, r.courier.Cut)
	defer cut.Stop()
	failed = errors.Join(failed, <-public)
	stopDelivering()
	return errors.Join(failed, <-courier, <-following, <-watching, <-admin, <-stats, <-pruning, r.store.Close())
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
	if says := r.inForce.warning(); says != "" {
		warnings = append(warnings, server.Warning{Name: "rules", Detail: says})
	}
	return append(warnings, r.failures()...)
}
