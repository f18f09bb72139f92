package main

import (
	"context"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/peanuts-router/peanuts-router/dispatch"
	"github.com/peanuts-router/peanuts-router/dispatch/monitor"
	"github.com/peanuts-router/peanuts-router/engine"
	"github.com/peanuts-router/peanuts-router/server"
)

// newMonitor makes the monitor that watches the courier's work, by the rules in force.
func (r *router) newMonitor(registry prometheus.Registerer) *monitor.Monitor {
	return monitor.New(monitor.Config{
		Store: r.store, Rules: r.inForce, Wake: func(action engine.ActionName) { r.courier.Wake(action) },
		Judged:  func(j engine.Judgement) { r.public.Judged(j) },
		Metrics: registry, Log: r.config.log, Now: r.clock.Now,
	})
}

// settled tells of an attempt all who listen.
func (r *router) settled(s dispatch.Settled) {
	r.monitor.Observe(s)
	if r.config.observe != nil {
		r.config.observe(s)
	}
}

// failures are the warnings of actions that fail, have dead letters, or let no alert through.
func (r *router) failures() (warnings []server.Warning) {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	for _, flag := range append(r.courier.Flags(), r.monitor.Flags(ctx)...) {
		warnings = append(warnings, server.Warning{Name: "action " + string(flag.Action), Detail: flag.Says})
	}
	return warnings
}

// Monitor tells when failures are an alert by the rules in force.
func (f *inForce) Monitor() engine.Monitor { return f.current.Load().Monitor() }

// Actions are the actions of the rules in force.
func (f *inForce) Actions() []engine.ActionName { return f.current.Load().Actions() }

// Refused tells what is wrong with the newest edit; empty when it is in force.
func (f *inForce) Refused() string {
	if problems := f.refused.Load(); problems != nil {
		return problems.Errors().Error()
	}
	return ""
}
