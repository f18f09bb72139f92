package main

import (
	"context"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/peanuts-router/peanuts-router/actions"
	"github.com/peanuts-router/peanuts-router/dispatch"
	"github.com/peanuts-router/peanuts-router/engine"
	"github.com/peanuts-router/peanuts-router/engine/rulefile"
	"github.com/peanuts-router/peanuts-router/internal/fault"
	"github.com/peanuts-router/peanuts-router/peanuts"
	"github.com/peanuts-router/peanuts-router/server"
	"github.com/peanuts-router/peanuts-router/store"
)

// inForce holds the rules in force with the senders of their actions. A reload makes both anew and swaps one pointer, or
// is refused and leaves the old ones (C15).
type inForce struct {
	path    string
	options rulefile.Options
	actions actions.Config
	log     *slog.Logger
	metrics *reloadMetrics
	changed chan struct{} // told of each new generation
	store   *store.Store  // that keeps them for a start on which the files are refused

	reloading sync.Mutex
	kept      int64 // the generation that the store keeps; guarded by reloading
	current   atomic.Pointer[generation]
	refused   atomic.Pointer[rulefile.Problems] // of the newest attempt; nil when it succeeded
	instead   atomic.Pointer[time.Time]         // since when the store has kept the rules in force; nil when they are the files'
}

// generation is one set of rules with its senders. It never changes.
type generation struct {
	*engine.Rules
	routes map[engine.ActionName]dispatch.Route
}

// load makes a generation from the files as they are.
func (f *inForce) load(number int64) (*generation, rulefile.Problems) {
	return f.equip(engine.Load(f.path, engine.Options{Options: f.options, Generation: number}))
}

// equip makes the senders of the actions of rules.
func (f *inForce) equip(rules *engine.Rules, problems rulefile.Problems) (*generation, rulefile.Problems) {
	if rules == nil {
		return nil, problems
	}
	g := &generation{Rules: rules, routes: map[engine.ActionName]dispatch.Route{}}
	for _, name := range rules.Actions() {
		action, _ := rules.Action(name)
		sender, err := actions.New(action, f.actions)
		if err != nil {
			return nil, append(problems, rulefile.Problem{Place: rulefile.Place{File: f.path}, Code: "bad-action", Message: err.Error()})
		}
		g.routes[name] = dispatch.Route{Action: action, Sender: discreet{sender, rules}}
	}
	return g, problems
}

// discreet is a sender that hides the secrets it was made with. By the time a target answers with one, other rules may be
// in force that do not know it any more (C19).
type discreet struct {
	actions.Sender
	rules *engine.Rules
}

func (d discreet) Send(ctx context.Context, s engine.Shipment) engine.Outcome {
	outcome := d.Sender.Send(ctx, s)
	outcome.Status, outcome.Reason, outcome.Answer = d.rules.Mask(outcome.Status), d.rules.Mask(outcome.Reason), d.rules.Mask(outcome.Answer)
	return outcome
}

// start loads the first rules. Problems that keep them from being used are an error, printed by the caller.
func (f *inForce) start() rulefile.Problems {
	g, problems := f.load(1)
	if g == nil {
		return problems
	}
	f.current.Store(g)
	f.metrics.succeeded(1)
	return problems
}

// reload reads the rules anew, and tells the generation in force after it with all problems. Files that are as they
// were make no new generation. The log has a line when something has changed, and whenever a signal asked: whoever sent it
// has no other answer.
func (f *inForce) reload(signalled bool) (int64, rulefile.Problems) {
	f.reloading.Lock()
	defer f.reloading.Unlock()
	old := f.current.Load()
	g, problems := f.load(old.Generation() + 1)
	if g == nil {
		previous := f.refused.Swap(&problems)
		changed := previous == nil || previous.Error() != problems.Error()
		if changed {
			f.metrics.refused()
		}
		if changed || signalled {
			f.log.Warn("rules refused, the old ones stay", "generation", old.Generation(), "problems", problems.Errors().Error())
		}
		return old.Generation(), problems
	}
	wasRefused := f.refused.Swap(nil) != nil
	f.instead.Store(nil)
	defer f.keep()
	if g.SameAs(old.Rules) {
		if wasRefused {
			f.metrics.succeeded(old.Generation())
		}
		if wasRefused || signalled {
			f.log.Info("rules are as they were", "generation", old.Generation())
		}
		return old.Generation(), problems
	}
	f.current.Store(g)
	fault.Reach(fault.SwappingRules)
	f.metrics.succeeded(g.Generation())
	f.log.Info("rules reloaded", "generation", g.Generation(), "rules", g.Len())
	select {
	case f.changed <- struct{}{}:
	default:
	}
	for _, route := range old.routes {
		route.Sender.(discreet).Close()
	}
	return g.Generation(), problems
}

// Judge judges an event by one generation of rules.
func (f *inForce) Judge(e *peanuts.Event, now time.Time, known engine.Known) engine.Judgement {
	return f.current.Load().Judge(e, now, known)
}

// route looks an action up as it is now.
func (f *inForce) route(name engine.ActionName) (dispatch.Route, bool) {
	g := f.current.Load()
	route, ok := g.routes[name]
	if fault.Planted(fault.RenderedAtSend) {
		route.Sender = lateSender{Sender: route.Sender, rules: g.Rules}
	}
	return route, ok
}

// reloadForAPI is reload in the admin API's terms.
func (f *inForce) reloadForAPI(context.Context) (int64, []server.Fault) {
	number, problems := f.reload(false)
	var faults []server.Fault
	for _, p := range problems.Errors() {
		faults = append(faults, server.Fault{
			File: p.Place.File, Line: p.Place.Line, Column: p.Place.Column, Code: p.Code, Detail: p.String(),
		})
	}
	return number, faults
}

// reloadMetrics tell how the newest reload went.
type reloadMetrics struct {
	generation, successful, at, fromStore prometheus.Gauge
	refusals                              prometheus.Counter
}

func newReloadMetrics(registry prometheus.Registerer) *reloadMetrics {
	m := &reloadMetrics{
		generation: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "peanuts_router_rules_generation", Help: "The generation of rules in force.",
		}),
		successful: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "peanuts_router_config_last_reload_successful", Help: "Whether the newest reload of the rules was accepted.",
		}),
		at: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "peanuts_router_config_last_reload_success_timestamp_seconds", Help: "When rules were last accepted.",
		}),
		fromStore: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "peanuts_router_rules_from_store", Help: "Whether the rules in force are those that the store keeps, since the file was refused at the start.",
		}),
		refusals: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "peanuts_router_config_reloads_refused_total", Help: "Reloads that were refused.",
		}),
	}
	registry.MustRegister(m.generation, m.successful, m.at, m.fromStore, m.refusals)
	return m
}

func (m *reloadMetrics) succeeded(generation int64) {
	m.generation.Set(float64(generation))
	m.successful.Set(1)
	m.fromStore.Set(0)
	m.at.SetToCurrentTime()
}

func (m *reloadMetrics) startedOnKept() {
	m.generation.Set(1)
	m.fromStore.Set(1)
	m.refused()
}

func (m *reloadMetrics) refused() {
	m.successful.Set(0)
	m.refusals.Inc()
}
