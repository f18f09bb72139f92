package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

// measurement is one thing that --only can name.
type measurement struct {
	name string
	on   []string // what has its baselines, and is measured before
	take func(*bench, context.Context) error
}

// measurements stand in the order in which they are taken.
func measurements() []measurement {
	return []measurement{
		{name: "bare", take: (*bench).bare},
		{name: "plain", on: []string{"bare"}, take: (*bench).plain},
		{name: "tables", on: []string{"bare", "plain"}, take: (*bench).tables},
		{name: "answer", take: (*bench).answer},
		{name: "dead", on: []string{"answer"}, take: (*bench).dead},
		{name: "backlog", take: (*bench).backlog},
	}
}

func measurementNames() (names []string) {
	for _, m := range measurements() {
		names = append(names, m.name)
	}
	return names
}

// find is the measurement of a name, or nil.
func find(name string) *measurement {
	for _, m := range measurements() {
		if m.name == name {
			return &m
		}
	}
	return nil
}

// bench is one run of the command.
type bench struct {
	settings
	binary string // the router's
	dir    string // of everything that is written
	errs   io.Writer
	report report
}

// measure takes all measurements, or the one that is asked for with those that it stands on.
func measure(ctx context.Context, s settings, errs io.Writer) (r *report, err error) {
	b := &bench{settings: s, errs: errs, report: newReport(s)}
	if b.dir, err = os.MkdirTemp("", "peanuts-bench-"); err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(b.dir)) }()
	if b.binary, err = b.routersBinary(ctx); err != nil {
		return nil, err
	}
	for _, m := range measurements() {
		if !b.wants(m.name) {
			continue
		}
		fmt.Fprintf(errs, "measuring %s\n", m.name)
		if err := m.take(b, ctx); err != nil {
			return nil, fmt.Errorf("measuring %s: %w", m.name, err)
		}
	}
	return &b.report, nil
}

// wants tells whether a measurement is asked for, by itself or as a baseline.
func (b *bench) wants(name string) bool {
	if b.only == "" || b.only == name {
		return true
	}
	for _, baseline := range find(b.only).on {
		if baseline == name {
			return true
		}
	}
	return false
}

func (b *bench) routersBinary(ctx context.Context) (string, error) {
	if b.router == "" {
		return buildRouter(ctx, b.dir)
	}
	path, err := filepath.Abs(b.router) // it is started in directories of its own
	if err != nil {
		return "", err
	}
	if _, err := os.Stat(path); err != nil {
		return "", fmt.Errorf("--router: %w", err)
	}
	return path, nil
}
