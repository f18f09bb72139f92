package page

import (
	"bytes"
	"context"
	_ "embed"
	"errors"
	"html/template"
	"time"

	"github.com/peanuts-router/peanuts-router/engine"
)

// Stats are the running totals.
type Stats interface {
	// Stats are those there are, in the order of the rules.
	Stats(ctx context.Context) ([]engine.StatHead, error)
	// Report tells how one stands in a month and of all time.
	Report(ctx context.Context, stat engine.StatName, filter engine.StatFilter) (engine.StatReport, error)
	// Days are the totals of days, both bounds included; an empty bound is none.
	Days(ctx context.Context, stat engine.StatName, user, from, to string) ([]engine.DayTotal, error)
}

// Record is what came and what became of it.
type Record interface {
	// Newest are the newest n events with their deliveries, the newest first.
	Newest(ctx context.Context, n int) ([]engine.EventRecord, error)
	// DeadLetters are the newest n dead letters, and how many there are.
	DeadLetters(ctx context.Context, n int) (newest []engine.Delivery, all int, err error)
}

// Page writes the page.
type Page struct {
	Stats  Stats
	Record Record
	Now    func() time.Time
}

// ErrMonth says that something else than a month was asked for.
var ErrMonth = errors.New("not a month")

// How much of the record is shown.
const (
	newestEvents  = 20
	newestLetters = 10
)

//go:embed page.html
var pageText string

var pageTemplate = template.Must(template.New("page").Funcs(template.FuncMap{"asset": asset}).Parse(pageText))

// Policy is the Content-Security-Policy of the page and its files: what comes from the router's own addresses, and nothing
// else.
const Policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// Write gives the page of a month such as 2026-11, of the current one when it is empty. Errors: ErrMonth, and those of
// reading the store.
func (p *Page) Write(ctx context.Context, month string) ([]byte, error) {
	if month != "" && !engine.IsMonth(month) {
		return nil, ErrMonth
	}
	view, err := p.view(ctx, month)
	if err != nil {
		return nil, err
	}
	var page bytes.Buffer
	err = pageTemplate.Execute(&page, view)
	return page.Bytes(), err
}
