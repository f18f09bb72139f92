package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/peanuts-router/peanuts-router/engine"
	"github.com/peanuts-router/peanuts-router/engine/rulefile"
)

// keepingTime is how long the store may take to keep the rules; events and deliveries go before.
const keepingTime = 5 * time.Second

// keep has the store keep the rules in force. When it cannot, the next reload tries again. The caller holds reloading.
func (f *inForce) keep() {
	rules := f.current.Load()
	if f.kept == rules.Generation() {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), keepingTime)
	defer cancel()
	if err := f.store.KeepRules(ctx, rules.Files()); err != nil {
		f.log.Warn("rules not kept in the store", "generation", rules.Generation(), "err", err)
		return
	}
	f.kept = rules.Generation()
}

// startOnKept starts on the rules that the store keeps, since the files are refused. It is the refusal, with more reasons,
// when there are none that can be used.
func (f *inForce) startOnKept(ctx context.Context, refusal *rulesError) error {
	files, at, err := f.store.KeptRules(ctx)
	if err != nil || len(files) == 0 {
		refusal.instead = err
		return refusal
	}
	g, problems := f.equip(engine.LoadFiles(files, engine.Options{Options: f.options, Generation: 1}))
	if g == nil {
		refusal.instead = &rulesError{path: "the rules that the store keeps since " + at.Format(time.RFC3339), problems: problems}
		return refusal
	}
	f.current.Store(g)
	f.refused.Store(&refusal.problems)
	f.instead.Store(&at)
	f.metrics.startedOnKept()
	f.log.Error("rules refused at the start, those that the store keeps are in force",
		"rules", f.path, "kept_at", at, "problems", refusal.problems.Errors().Error())
	return nil
}

// warning tells of a refused edit, and which rules are in force instead; empty when none is refused.
func (f *inForce) warning() string {
	problems := f.refused.Load()
	if problems == nil {
		return ""
	}
	if at := f.instead.Load(); at != nil {
		return fmt.Sprintf("they were refused at the start, and those that the store keeps since %s are in force: %s",
			at.Format(time.RFC3339), problems.Errors().Error())
	}
	return "the newest edit was refused: " + problems.Errors().Error()
}

// rulesError is a rules file that cannot be used, with nothing that could be used instead.
type rulesError struct {
	path     string
	problems rulefile.Problems
	instead  error // why the rules that the store keeps cannot be used either; nil when it keeps none
}

func (e *rulesError) Error() string {
	text := fmt.Sprintf("%s in %s", e.problems.Summary(), e.path)
	if e.instead != nil {
		text += ", and " + e.instead.Error()
	}
	return text
}

// report prints the problems as validate would, and those of the rules that the store keeps behind them.
func (e *rulesError) report(w io.Writer) error {
	if err := e.problems.Report(w); err != nil {
		return err
	}
	var kept *rulesError
	if !errors.As(e.instead, &kept) {
		return nil
	}
	if _, err := fmt.Fprintf(w, "\nIn %s:\n", kept.path); err != nil {
		return err
	}
	return kept.report(w)
}
