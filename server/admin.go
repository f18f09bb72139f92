package server

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/peanuts-router/peanuts-router/server/page"
)

// AdminConfig makes the admin listener.
type AdminConfig struct {
	Listener net.Listener
	Checks   []Check             // what must hold for the router to be ready
	Warnings func() []Warning    // what a person should look at though events are taken; nil means nothing
	Metrics  prometheus.Gatherer // nil shows none
	// Reload reads the rules anew and answers after the attempt, with the generation now in force, or with all that is
	// wrong with the file; then the old rules stay in force (C15). Nil means that there is nothing to reload.
	Reload func(ctx context.Context) (generation int64, faults []Fault)
	Stats  Stats            // nil has no totals to show
	Record page.Record      // nil, or no stats, has no page to look at
	Now    func() time.Time // nil means time.Now
	Log    *slog.Logger     // nil logs nothing
	Grace  time.Duration    // how long requests under way may take at the end; 0 means 15 s
}

// NewAdmin makes the admin listener: GET / (the page), /healthz, /readyz, /metrics, /api/stats and /api/dashboard, and
// POST /api/v1/reload.
// Errors: everything in c that will not do, such as a listener that others than this machine can reach.
func NewAdmin(c AdminConfig) (*Server, error) {
	switch {
	case c.Listener == nil:
		return nil, errors.New("the admin server needs a listener")
	case !onLoopback(c.Listener):
		return nil, fmt.Errorf("the admin server must listen on a loopback address such as 127.0.0.1, not on %s", c.Listener.Addr())
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	paths := newRoutes()
	if c.Stats != nil {
		totals := statistics{stats: c.Stats, clock: c.Now}
		paths.mux.Handle("/api/stats", methods{http.MethodGet: totals.all})
		paths.mux.Handle("/api/dashboard", methods{http.MethodGet: totals.daily})
	}
	if c.Stats != nil && c.Record != nil {
		paths.mux.Handle("/{$}", methods{http.MethodGet: looking(&page.Page{Stats: c.Stats, Record: c.Record, Now: c.Now})})
		paths.mux.Handle(page.AssetPath, methods{http.MethodGet: pageAsset})
	}
	paths.mux.Handle("/healthz", methods{http.MethodGet: alive})
	paths.mux.Handle("/readyz", methods{http.MethodGet: readiness{c.Checks, c.Warnings}.ServeHTTP})
	if c.Metrics != nil {
		metrics := promhttp.HandlerFor(c.Metrics, promhttp.HandlerOpts{ErrorLog: slog.NewLogLogger(c.Log.Handler(), slog.LevelError)})
		paths.mux.Handle("/metrics", methods{http.MethodGet: metrics.ServeHTTP})
	}
	if c.Reload != nil {
		paths.mux.Handle("/api/v1/reload", methods{http.MethodPost: reloading(c.Reload)})
	}
	return newServer("admin", c.Listener, localOnly(sameOrigin(paths)), c.Log, c.Grace, contractLimits()), nil
}

// sameOrigin refuses writes that a page of another origin had a browser send (A25).
func sameOrigin(next http.Handler) http.Handler {
	guard := http.NewCrossOriginProtection()
	guard.SetDenyHandler(newProblem(http.StatusForbidden, "cross-origin request", "writes are taken from this origin only"))
	return guard.Handler(next)
}

func reloading(reload func(context.Context) (int64, []Fault)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		generation, faults := reload(r.Context())
		if len(faults) > 0 {
			p := newProblem(http.StatusBadRequest, "rules refused", "the rules that were in force before stay in force")
			p.Errors = faults
			p.ServeHTTP(w, r)
			return
		}
		writeJSON(w, http.StatusOK, "application/json", map[string]int64{"generation": generation})
	}
}
