package server

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/peanuts-router/peanuts-router/engine"
	"github.com/peanuts-router/peanuts-router/peanuts"
)

// Judge judges events by the rules in force.
type Judge interface {
	// Judge says what e brings forth, by one generation of rules and what is known of its entry. It always has an answer: a
	// rule that fails is part of it.
	Judge(e *peanuts.Event, now time.Time, known engine.Known) engine.Judgement
}

// Store is where events are kept.
type Store interface {
	// Accept commits an event with all that follows from it, or tells that its bytes are known (C1, C9). After an error
	// nothing may be taken as stored.
	Accept(ctx context.Context, a *engine.Acceptance) (engine.Receipt, error)
}

// Courier sends deliveries. None of its methods waits.
type Courier interface {
	// Reserve keeps room for one delivery of an action and tells whether there was any.
	Reserve(action engine.ActionName) bool
	// Hand fills one reserved room of the lease's action.
	Hand(l engine.Lease)
	// Release gives back one reserved room.
	Release(action engine.ActionName)
	// Wake tells that a delivery of an action was stored for which there was no room.
	Wake(action engine.ActionName)
}

// Config makes the public listener.
type Config struct {
	Listener net.Listener
	Verifier *peanuts.Verifier // nil takes events unsigned, which only a loopback listener may
	Judge    Judge
	Store    Store
	Courier  Courier               // nil leaves every delivery to whoever looks for due ones
	Metrics  prometheus.Registerer // nil keeps the numbers to itself
	Log      *slog.Logger          // nil logs nothing
	Clock    func() time.Time      // nil means time.Now

	// HeldBytes bounds the bodies under way, in bytes; 0 means 8 MiB. Committing bounds the events on their way into
	// the store; 0 means 512. Beyond either the answer is 503.
	HeldBytes  int64
	Committing int
	// Grace is how long requests under way may take at the end; 0 means 15 s.
	Grace time.Duration

	limits limits // zero means those of the contract
}

// LeaseTime is how long a lease lasts that is given out with an acceptance (C18).
const LeaseTime = 60 * time.Second

// New makes the public listener: POST /webhook and POST /api/peanuts, which are the same, and GET /healthz.
// Errors: everything in c that will not do.
func New(c Config) (*Server, error) {
	c = c.withDefaults()
	if err := c.check(); err != nil {
		return nil, err
	}
	numbers, err := newMetrics(c.Metrics)
	if err != nil {
		return nil, err
	}
	hook := &webhook{
		verifier: c.Verifier, judge: c.Judge, store: c.Store, courier: c.Courier,
		log: c.Log, clock: c.Clock, metrics: numbers, limits: c.limits,
		held:       budget{limit: c.HeldBytes},
		committing: budget{limit: int64(c.Committing)},
		forgeries:  throttle{every: 10 * time.Second},
		outages:    throttle{every: time.Second},
	}
	paths := newRoutes()
	paths.mux.Handle("/webhook", hook)
	paths.mux.Handle("/api/peanuts", hook)
	paths.mux.Handle("/healthz", methods{http.MethodGet: alive})
	s := newServer("public", c.Listener, paths, c.Log, c.Grace, c.limits)
	s.judged = numbers.judged
	return s, nil
}

func (c Config) withDefaults() Config {
	if c.Metrics == nil {
		c.Metrics = prometheus.NewRegistry()
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if c.Clock == nil {
		c.Clock = time.Now
	}
	if c.HeldBytes == 0 {
		c.HeldBytes = 8 << 20 // each takes several times its size until it is collected (F40)
	}
	if c.Committing == 0 {
		c.Committing = 512
	}
	if c.limits == (limits{}) {
		c.limits = contractLimits()
	}
	return c
}

func (c Config) check() error {
	var problems []error
	complain := func(when bool, text string) {
		if when {
			problems = append(problems, errors.New(text))
		}
	}
	complain(c.Listener == nil, "the public server needs a listener")
	complain(c.Judge == nil, "the public server needs a judge")
	complain(c.Store == nil, "the public server needs a store")
	complain(c.HeldBytes < peanuts.MaxBody, "the public server needs room for at least one body (1 MiB)")
	complain(c.Committing < 0, "the public server cannot commit fewer than no events at once")
	if c.Verifier == nil && c.Listener != nil && !onLoopback(c.Listener) {
		problems = append(problems, errors.New("unsigned events are taken on a loopback address only, not on "+c.Listener.Addr().String()))
	}
	return errors.Join(problems...)
}
