// Package clock is the daemon's time. It runs evenly, whatever becomes of the machine's clock, and follows that clock only
// together with the store, whose times were told by the old one (F24).
//
// Terms:
//
//   - The machine's clock jumps: people set it, time servers correct it, a leap second stops it, and it runs on while the
//     machine sleeps.
//   - A reading is what the clock says of a moment. It carries the monotonic time that the runtime keeps with it, by which
//     readings are compared within the process; so no jump makes a wait shorter or longer.
//   - What is stored is a wall time alone. To follow a jump is to move those stored times that mean a wait, and then to
//     tell moments by the new wall time.
//
// The package promises:
//
//   - Two readings of a process lie as far apart as the moments do, through any jumps.
//   - The wall time of readings is that of the machine's clock, but for what it has jumped since the last round, a second
//     ago, or since the store could commit last.
//   - The wall time of readings follows a jump at one moment: before anything else is written after the stored times have
//     been moved.
package clock

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"
)

// Clock is the daemon's clock. It is safe for concurrent use.
type Clock struct {
	read   func() time.Time
	anchor atomic.Pointer[time.Time] // the reading of the machine's clock that all others are told from

	mu    sync.Mutex // held while a jump is followed, and while its doubt is looked at
	leaps []leap
}

// New makes a clock that reads the machine's clock by a function; nil means time.Now.
func New(read func() time.Time) *Clock {
	if read == nil {
		read = time.Now
	}
	c := &Clock{read: read}
	c.follow(read())
	return c
}

// Now is the reading of this moment.
func (c *Clock) Now() time.Time {
	anchor := *c.anchor.Load()
	return anchor.Add(c.read().Sub(anchor))
}

// follow tells moments by another reading from now on.
func (c *Clock) follow(reading time.Time) { c.anchor.Store(&reading) }

// Store is what holds times that mean a wait.
type Store interface {
	// FollowClock moves them by as much as the clock has jumped, and calls follow once that is committed, before anything
	// else is written.
	FollowClock(ctx context.Context, by time.Duration, follow func()) error
}

const (
	// roundEvery is how often it is looked whether the clock has jumped.
	roundEvery = time.Second
	// least is the least that is followed: a reading itself may take some of it.
	least = 100 * time.Millisecond
)

// Run follows the machine's clock until ctx ends.
func (c *Clock) Run(ctx context.Context, store Store, log *slog.Logger) {
	round := time.NewTicker(roundEvery)
	defer round.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-round.C:
		}
		by, err := c.Round(ctx, store)
		switch {
		case err != nil && ctx.Err() == nil:
			log.Error("following the machine's clock; it is tried again", "jumped", by, "err", err)
		case err == nil && by != 0:
			log.Warn("the machine's clock jumped", "by", by, "hint", "what waits goes on waiting for as long as it would have; reminders follow the clock")
		}
	}
}

// Round follows the machine's clock if it has jumped, and tells by how much.
func (c *Clock) Round(ctx context.Context, store Store) (by time.Duration, err error) {
	anchor, reading := *c.anchor.Load(), c.read()
	steady := anchor.Add(reading.Sub(anchor))
	by = reading.Round(0).Sub(steady.Round(0))
	if by.Abs() < least {
		return 0, nil
	}
	if err := store.FollowClock(ctx, by, func() { c.leapTo(reading, by) }); err != nil {
		return by, fmt.Errorf("moving stored times by %s: %w", by, err)
	}
	return by, nil
}
