package main

import (
	"context"
	"strconv"
	"time"

	"github.com/peanuts-router/peanuts-router/store"
)

// pruneEvery is how often events that are past their time are removed.
const pruneEvery = time.Hour

// retention is how long events are kept: the value of --retain. Zero keeps them for good.
type retention time.Duration

// The contract's length, and the word for none (C9).
const (
	retainByDefault = retention(30 * 24 * time.Hour)
	retainForever   = "forever"
)

// Set reads a length such as 30d or 720h.
func (r *retention) Set(text string) error {
	if text == retainForever {
		*r = 0
		return nil
	}
	kept, ok := readLength(text)
	if !ok || kept.duration() == 0 {
		return usagef("it takes a length such as 30d or 720h, or forever")
	}
	*r = retention(kept.duration())
	return nil
}

func (r *retention) String() string {
	const day = retention(24 * time.Hour)
	switch {
	case *r == 0:
		return retainForever
	case *r%day == 0:
		return strconv.Itoa(int(*r/day)) + "d"
	}
	return time.Duration(*r).String()
}

func (r *retention) Type() string { return "duration" }

// keepShort removes events that are past their time, at once and then every hour, until ctx ends.
func (r *router) keepShort(ctx context.Context) {
	if r.config.retain == 0 {
		return
	}
	hourly := time.NewTicker(pruneEvery)
	defer hourly.Stop()
	for doubted := false; ; {
		doubted = doubted || r.doubtSilence(ctx)
		if doubted {
			r.prune(ctx, r.clock.Sure()) // what a clock that is wrong removes is gone (F24)
		}
		select {
		case <-ctx.Done():
			return
		case <-hourly.C:
		}
	}
}

// doubtSilence holds the time since the last event for a leap of the clock at first: after a start nobody can tell the two
// apart. It tells whether that could be looked up.
func (r *router) doubtSilence(ctx context.Context) bool {
	newest, _, err := r.store.Events(ctx, store.Page{Limit: 1})
	if err != nil {
		if ctx.Err() == nil {
			r.config.log.Error("looking when the last event came, before old ones are removed", "err", err)
		}
		return false
	}
	if len(newest) > 0 {
		r.clock.Doubt(max(0, r.clock.Now().Sub(newest[0].ReceivedAt)))
	}
	return true
}

func (r *router) prune(ctx context.Context, now time.Time) {
	began := now.Add(-time.Duration(r.config.retain))
	removed, err := r.store.Prune(ctx, began)
	if err != nil && ctx.Err() == nil {
		r.config.log.Error("removing old events; it is tried again within the hour", "err", err)
	}
	if removed > 0 {
		r.config.log.Info("pruned", "events", removed, "before", began)
	}
}
