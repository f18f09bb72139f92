package main

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"time"

	"github.com/peanuts-router/peanuts-router/engine/lint"
	"github.com/peanuts-router/peanuts-router/engine/rulefile"
	"github.com/peanuts-router/peanuts-router/peanuts"
	"github.com/peanuts-router/peanuts-router/store"
)

// evidence says where validate learns what events look like.
type evidence struct {
	term    *terminal
	samples string // directory of payloads; empty: none
	store   string // SQLite file of a daemon; empty: none
}

// seen reads the samples and the newest stored events.
func (e evidence) seen(ctx context.Context, now time.Time) (*lint.Seen, error) {
	seen := lint.NewSeen(now)
	if e.samples != "" {
		if err := e.readSamples(seen); err != nil {
			return nil, err
		}
	}
	if e.store == "" {
		return seen, nil
	}
	r := &record{term: e.term, path: e.store}
	return seen, r.with(ctx, func(s *store.Store) error { return learn(ctx, s, seen) })
}

func (e evidence) readSamples(seen *lint.Seen) error {
	names, err := filepath.Glob(filepath.Join(globbed(e.samples), "*.json"))
	if err != nil || len(names) == 0 {
		return fmt.Errorf("--samples %s: there is no *.json in it", e.samples)
	}
	for _, name := range names {
		body, err := readPayload(name, nil)
		if err != nil {
			return err
		}
		event, err := peanuts.Parse(body)
		if err != nil {
			return fmt.Errorf("the sample %s is no event: %w", name, err)
		}
		seen.Sample(filepath.Base(name), event)
	}
	return nil
}

// globbed is a path in which no character is a pattern.
func globbed(path string) string {
	var out []rune
	for _, r := range path {
		if slices.Contains([]rune(`*?[\`), r) {
			out = append(out, '\\')
		}
		out = append(out, r)
	}
	return string(out)
}

const (
	maxLearned  = 10_000 // stored events that field names are learned from
	learnedPage = 500
)

// learn makes the newest stored events known. One that an older router took and this one would not is passed over.
func learn(ctx context.Context, s *store.Store, seen *lint.Seen) error {
	page := store.Page{Limit: learnedPage}
	for n := 0; n < maxLearned; n += learnedPage {
		bodies, next, err := s.Payloads(ctx, page)
		if err != nil {
			return err
		}
		for _, body := range bodies {
			if event, err := peanuts.Parse(body); err == nil {
				seen.Event(event)
			}
		}
		if page.Cursor = next; next == "" {
			break
		}
	}
	return nil
}

// strictly tells whether there is a warning that --strict does not let pass. A variable that is not set is nothing that
// the file could mend: it is set where the file is served.
func strictly(problems rulefile.Problems) bool {
	return slices.ContainsFunc(problems, func(p rulefile.Problem) bool { return p.Warning && p.Code != "unset-variable" })
}
