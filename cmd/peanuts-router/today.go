package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/peanuts-router/peanuts-router/engine"
	"github.com/peanuts-router/peanuts-router/engine/rulefile"
	"github.com/peanuts-router/peanuts-router/peanuts"
	"github.com/peanuts-router/peanuts-router/store"
)

// today judges a stored event by the rules of today, as of its arrival. Nothing is sent.
type today struct {
	rules *engine.Rules
	now   time.Time
}

// newToday reads the rules of today; nil when none are named.
func newToday(t *terminal, path string) (*today, error) {
	if path == "" {
		return nil, nil
	}
	rules, err := loadRules(t, path)
	return &today{rules: rules}, err
}

// loadRules reads rules by which nothing is sent, with their secrets where the environment says.
func loadRules(t *terminal, path string) (*engine.Rules, error) {
	return loadRulesWith(t, path, os.Getenv("CREDENTIALS_DIRECTORY"))
}

// loadRulesWith reads rules by which nothing is sent. Their problems are told before it fails.
func loadRulesWith(t *terminal, path, secretsDir string) (*engine.Rules, error) {
	rules, problems := engine.Load(path, engine.Options{Options: rulefile.Options{UnsetIsWarning: true, SecretsDir: secretsDir}})
	if rules != nil {
		return rules, nil
	}
	if err := problems.Errors().Report(t.err); err != nil {
		return nil, err
	}
	return nil, fmt.Errorf("%s in %s", problems.Summary(), path)
}

// judge tells what the rules make of an event that is in the store.
func (d *today) judge(ctx context.Context, s *store.Store, record engine.EventRecord) ([]ruleReport, error) {
	event, err := peanuts.Parse([]byte(record.Payload))
	if err != nil {
		return nil, err
	}
	old, err := d.before(ctx, s, event, record)
	if err != nil {
		return nil, err
	}
	d.now = record.ReceivedAt
	var reports []ruleReport
	for _, explained := range d.rules.Explain(event, d.now, knownOf(d.rules, event, old, d.now, record.Own)) {
		reports = append(reports, newRuleReport(explained))
	}
	return reports, nil
}

// before is the event that brought the version of the entry before an event, of those that had arrived by then.
func (d *today) before(ctx context.Context, s *store.Store, event *peanuts.Event, record engine.EventRecord) (*peanuts.Event, error) {
	version := event.Version(record.ReceivedAt)
	if version == "" {
		return nil, nil
	}
	told, err := s.EntryEvents(ctx, event.Entry.ID)
	if err != nil {
		return nil, err
	}
	var newest *peanuts.Event
	newestVersion := ""
	for _, earlier := range told {
		if earlier.ID == record.ID {
			break
		}
		e, err := peanuts.Parse([]byte(earlier.Payload))
		if err != nil {
			return nil, err
		}
		if v := e.Version(earlier.ReceivedAt); v > newestVersion && v < version {
			newest, newestVersion = e, v
		}
	}
	if newest != nil && newest.Event == peanuts.EntryDeleted {
		newest = nil
	}
	return newest, nil
}

func (d *today) print(w io.Writer, c colours, reports []ruleReport) {
	fmt.Fprintf(w, "\nBy the rules of today:\n\n")
	for _, report := range reports {
		report.print(w, c, d.now)
	}
}
