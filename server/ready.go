package server

import (
	"context"
	"net/http"
	"strings"
	"time"
)

// Check is something that must hold for the router to be ready.
type Check struct {
	Name string
	// Probe is nil when it holds. It returns when ctx ends.
	Probe func(ctx context.Context) error
}

// Warning is something that a person should look at, while events are taken all the same: a refused reload, an action
// whose target is gone, refuses the credentials, or asked to be left alone.
type Warning struct {
	Name   string `json:"name"` // such as "action ledger"
	Detail string `json:"detail"`
}

// probing is how long all checks together may take.
const probing = 5 * time.Second

type readiness struct {
	checks   []Check
	warnings func() []Warning
}

type checked struct {
	Name   string `json:"name"`
	OK     bool   `json:"ok"`
	Detail string `json:"detail,omitempty"`
}

// report is the answer; an unready one is a problem as well.
type report struct {
	*problem
	Ready    bool      `json:"ready"`
	Checks   []checked `json:"checks,omitempty"`
	Warnings []Warning `json:"warnings,omitempty"`
}

// ServeHTTP answers 200 or 503; with ?verbose also every check and warning by name.
func (d readiness) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	results, failures := d.probe(r.Context())
	answer := report{Ready: len(failures) == 0}
	if r.URL.Query().Has("verbose") {
		answer.Checks = results
		if d.warnings != nil {
			answer.Warnings = d.warnings()
		}
	}
	if answer.Ready {
		writeJSON(w, http.StatusOK, "application/json", answer)
		return
	}
	unready := newProblem(http.StatusServiceUnavailable, "not ready", strings.Join(failures, "; "))
	answer.problem = &unready
	writeJSON(w, unready.Status, "application/problem+json", answer)
}

func (d readiness) probe(ctx context.Context) (results []checked, failures []string) {
	ctx, cancel := context.WithTimeout(ctx, probing)
	defer cancel()
	for _, check := range d.checks {
		result := checked{Name: check.Name, OK: true}
		if err := check.Probe(ctx); err != nil {
			result.OK, result.Detail = false, err.Error()
			failures = append(failures, check.Name+": "+err.Error())
		}
		results = append(results, result)
	}
	return results, failures
}
