package server

import (
	"errors"
	"net/http"
	"time"

	"github.com/peanuts-router/peanuts-router/server/page"
)

// looking answers GET /: the page, of the month that ?month= names (R73).
func looking(p *page.Page) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		text, err := p.Write(r.Context(), r.URL.Query().Get("month"))
		switch {
		case errors.Is(err, page.ErrMonth):
			newProblem(http.StatusBadRequest, "not a month", "write a month as in month=2026-11").ServeHTTP(w, r)
			return
		case err != nil:
			p := newProblem(http.StatusServiceUnavailable, "unavailable", "the page could not be made from the store; try again")
			p.retryAfter = time.Second
			p.ServeHTTP(w, r)
			return
		}
		header := w.Header()
		header.Set("Content-Type", "text/html; charset=utf-8")
		header.Set("Content-Security-Policy", page.Policy)
		header.Set("X-Content-Type-Options", "nosniff")
		header.Set("Referrer-Policy", "no-referrer")
		header.Set("Cache-Control", "no-store")
		_, _ = w.Write(text) // who is gone needs no page
	}
}

// pageAsset answers with a file that the page uses.
func pageAsset(w http.ResponseWriter, r *http.Request) {
	if !page.ServeAsset(w, r) {
		notFound().ServeHTTP(w, r)
	}
}
