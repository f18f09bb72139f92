package clock_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/peanuts-router/peanuts-router/internal/clock"
	"github.com/peanuts-router/peanuts-router/internal/clock/clocktest"
)

// moved is a store that notes by how much its times were moved.
type moved struct {
	by     []time.Duration
	fails  error
	before func() // called before what follows
	after  func() // called when it was followed, before anybody else is told
}

func (m *moved) FollowClock(_ context.Context, by time.Duration, follow func()) error {
	if m.fails != nil {
		return m.fails
	}
	if m.before != nil {
		m.before()
	}
	m.by = append(m.by, by)
	follow()
	if m.after != nil {
		m.after()
	}
	return nil
}

// F24: readings stay as far apart as the moments, and their wall time follows a jump once what is stored was moved by as much.
func TestTheClockFollowsAJumpWithTheStore(t *testing.T) {
	for _, jump := range []time.Duration{24 * time.Hour, -time.Hour, 5 * time.Minute, -5 * time.Minute, time.Second, -time.Second} {
		t.Run(jump.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				machine := clocktest.New()
				c, store := clock.New(machine.Now), &moved{}
				before, began := c.Now(), time.Now()
				time.Sleep(time.Minute)
				machine.Jump(jump)
				if got := wall(c.Now()); !got.Equal(time.Now()) {
					t.Errorf("before a round the clock shows %v, want %v as if nothing had happened", got, time.Now())
				}
				store.fails = errors.New("the store is down")
				if _, err := c.Round(t.Context(), store); !errors.Is(err, store.fails) || !wall(c.Now()).Equal(time.Now()) {
					t.Errorf("Round() = %v and the clock shows %v, want it as it was while the store is down", err, wall(c.Now()))
				}
				store.fails = nil
				store.before = func() { time.Sleep(time.Second) } // what the commit takes
				for range 3 {
					if _, err := c.Round(t.Context(), store); err != nil {
						t.Fatal(err)
					}
				}
				if len(store.by) != 1 || store.by[0] != jump {
					t.Errorf("the store was told of jumps by %v, want one by %v", store.by, jump)
				}
				if got, want := wall(c.Now()), wall(machine.Now()); !got.Equal(want) {
					t.Errorf("the clock shows %v, want %v as the machine's does", got, want)
				}
				if got, want := c.Now().Sub(before), time.Since(began); got != want {
					t.Errorf("two readings are apart by %v, want %v", got, want)
				}
			})
		})
	}
}

func TestAReadingsOwnTimeIsNoJump(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		machine, store := clocktest.New(), &moved{}
		c := clock.New(machine.Now)
		machine.Jump(60 * time.Millisecond)
		if by, err := c.Round(t.Context(), store); by != 0 || err != nil {
			t.Errorf("Round() = %v, %v; want 60 ms left alone", by, err)
		}
		machine.Jump(60 * time.Millisecond) // what is left alone adds up
		if by, err := c.Round(t.Context(), store); by != 120*time.Millisecond || err != nil {
			t.Errorf("Round() = %v, %v; want 120 ms followed", by, err)
		}
	})
}

// What cannot be undone is done by a clock that has stood for a day (F24).
func TestALeapAheadIsInDoubtForADay(t *testing.T) {
	const day = 24 * time.Hour
	for _, test := range []struct {
		name  string
		jumps []time.Duration // one an hour
		wait  time.Duration   // after the last
		want  time.Duration   // what the clock is held to be behind what it shows
	}{
		{"none", nil, 0, 0},
		{"ahead", []time.Duration{365 * day}, time.Hour, 365 * day},
		{"ahead, and it stood", []time.Duration{365 * day}, day, 0},
		{"ahead, and set right", []time.Duration{365 * day, -365 * day}, 0, 0},
		{"ahead twice", []time.Duration{day, time.Hour}, 0, day + time.Hour},
		{"ahead twice, and the first stood", []time.Duration{day, time.Hour}, 23 * time.Hour, time.Hour},
		{"back", []time.Duration{-time.Hour}, 0, 0},
		{"back, and set right", []time.Duration{-time.Hour, time.Hour}, 0, 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				machine, store := clocktest.New(), &moved{}
				c := clock.New(machine.Now)
				for i, by := range test.jumps {
					if i > 0 {
						time.Sleep(time.Hour)
					}
					machine.Jump(by)
					if _, err := c.Round(t.Context(), store); err != nil {
						t.Fatal(err)
					}
				}
				time.Sleep(test.wait)
				if got := c.Now().Sub(c.Sure()); got != test.want {
					t.Errorf("Sure() is %v behind, want %v", got, test.want)
				}
			})
		})
	}
}

// A jump is in doubt from the moment at which it is followed: what is pruned at that moment is gone (F24).
func TestALeapIsInDoubtAsSoonAsItIsFollowed(t *testing.T) {
	const year = 365 * 24 * time.Hour
	synctest.Test(t, func(t *testing.T) {
		machine, store := clocktest.New(), &moved{}
		c := clock.New(machine.Now)
		store.after = func() {
			if got := c.Sure(); wall(got).After(time.Now()) {
				t.Errorf("once a jump by %v is followed Sure() = %v, want no later than %v", store.by, got, time.Now())
			}
		}
		for _, jump := range []time.Duration{year, -year} {
			machine.Jump(jump)
			if _, err := c.Round(t.Context(), store); err != nil {
				t.Fatal(err)
			}
		}
	})
}

// wall is the wall time of a reading.
func wall(reading time.Time) time.Time { return reading.Round(0) }
