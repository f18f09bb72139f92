package main

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"github.com/peanuts-router/peanuts-router/engine"
	"github.com/peanuts-router/peanuts-router/store"
)

// record is how a command looks into the store, whether a daemon runs or not.
type record struct {
	term   *terminal
	path   string
	limit  pageLimit
	cursor string
}

// pageLimit is how many rows a list has at the most: the value of --limit.
type pageLimit int

// Set reads a number that a list may have.
func (l *pageLimit) Set(text string) error {
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 || n > store.MaxLimit {
		return usagef("it is a number from 1 to %d; --cursor goes on from where a list ends", store.MaxLimit)
	}
	*l = pageLimit(n)
	return nil
}

func (l *pageLimit) String() string { return strconv.Itoa(int(*l)) }

func (l *pageLimit) Type() string { return "int" }

func (r *record) register(cmd *cobra.Command) {
	cmd.PersistentFlags().StringVar(&r.path, "store", "router.db", "SQLite file of the daemon")
}

func (r *record) registerPages(cmd *cobra.Command) {
	r.limit = store.DefaultLimit
	cmd.Flags().Var(&r.limit, "limit", fmt.Sprintf("how many to list, %d at most", store.MaxLimit))
	cmd.Flags().StringVar(&r.cursor, "cursor", "", "go on from a list's next cursor")
}

func (r *record) page() store.Page { return store.Page{Limit: int(r.limit), Cursor: r.cursor} }

// patience is how long a command waits for its turn to write. SQLite keeps no queue: a command looks ten times a second whether
// nobody writes just then, and beside a busy daemon that may be so one time in a hundred.
const patience = 30 * time.Second

// with opens the store for the time of one task.
func (r *record) with(ctx context.Context, task func(*store.Store) error) error {
	s, err := store.Open(ctx, store.Config{Path: r.path, Beside: true, BusyTimeout: patience})
	if err != nil {
		return err
	}
	err = task(s)
	if errors.Is(err, store.ErrBadCursor) {
		err = usageError{err}
	}
	return errors.Join(err, s.Close())
}

// group is a command that only holds others.
func group(use, short string, commands ...*cobra.Command) *cobra.Command {
	cmd := &cobra.Command{
		Use: use, Short: short, Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return usagef("%s needs one of its commands; see %s --help", use, cmd.CommandPath())
		},
	}
	cmd.AddCommand(commands...)
	return cmd
}

// more tells how to see the rest of a list.
func (r *record) more(next string) {
	if next != "" {
		fmt.Fprintf(r.term.err, "There are more: --cursor %s\n", next)
	}
}

// paintedState is a state in its colour.
func paintedState(c colours, d engine.Delivery) string {
	text := string(d.State)
	if d.Held != "" {
		text += " (" + string(d.Held) + ")"
	}
	switch d.State {
	case engine.Delivered:
		return c.green(text)
	case engine.Dead:
		return c.red(text)
	case engine.Pending, engine.Sending:
		return c.yellow(text)
	}
	return c.dim(text)
}

// shown is the store as the page shows it.
type shown struct{ store *store.Store }

func (s shown) Newest(ctx context.Context, n int) ([]engine.EventRecord, error) {
	events, _, err := s.store.Events(ctx, store.Page{Limit: n})
	return events, err
}

func (s shown) DeadLetters(ctx context.Context, n int) ([]engine.Delivery, int, error) {
	newest, _, err := s.store.Deliveries(ctx, store.Filter{State: engine.Dead}, store.Page{Limit: n})
	if err != nil {
		return nil, 0, err
	}
	counts, err := s.store.Counts(ctx)
	return newest, counts[engine.Dead], err
}
