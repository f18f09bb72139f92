package main

import (
	"context"
	"fmt"
	"os"
	"slices"
	"time"

	"github.com/peanuts-router/peanuts-router/internal/fault"
)

// mutant is the router with a planted bug, what is done to it, and the invariants of which one must notice.
type mutant struct {
	bug     fault.Bug
	trips   []string
	points  []fault.Point
	strikes []weighted[strike]
	last    []strike
	leases  bool // that are short, and workers that outlast them
}

// shortLease is the lease of runs in which leases are to run out.
const shortLease = 4 * time.Second

// shortLeases are the settings of such runs. Some workers sleep past their lease with a result in their hands, which comes
// too late then (F21).
func shortLeases() []string {
	return []string{
		fmt.Sprintf("PEANUTS_FAULT_TIMES=%s=%s,%s=1s", fault.Lease, shortLease, fault.Sweep),
		fmt.Sprintf("PEANUTS_FAULT_STALL=%s:80:%s", fault.BeforeSettle, shortLease*8/5),
	}
}

var (
	killing   = []weighted[strike]{{3, killAtRandom}, {2, killOnAnswer}, {2, killOnAck}, {3, killAtPoint}}
	reloading = []weighted[strike]{{4, reload}, {1, killAtRandom}}
	outlasted = []weighted[strike]{{1, killAfterLeases}}
)

var mutants = []mutant{
	{bug: fault.AckBeforeCommit, trips: []string{"I1"}, points: []fault.Point{fault.BeforeCommit}, strikes: killing},
	{bug: fault.MarkBeforeSend, trips: []string{"I1", "I5"}, points: []fault.Point{fault.BeforeSend}, strikes: killing},
	{bug: fault.LeaseForever, trips: []string{"I1", "I5"}, points: []fault.Point{fault.BeforeSettle}, strikes: killing},
	{bug: fault.StaleResults, trips: []string{"I3", "I5"}, strikes: outlasted, leases: true},
	{bug: fault.KeyPerAttempt, trips: []string{"I4"}, points: []fault.Point{fault.BeforeSettle}, strikes: killing},
	{bug: fault.DedupeInMemory, trips: []string{"I7"}, points: []fault.Point{fault.AfterCommit}, strikes: killing},
	{bug: fault.AttemptsForgotten, trips: []string{"I6"}, points: []fault.Point{fault.BeforeSettle}, strikes: killing},
	{bug: fault.DeadInTwo, trips: []string{"I5"}, points: []fault.Point{fault.HalfDead}, strikes: []weighted[strike]{{1, killAtPoint}}},
	{bug: fault.ReloadDrops, trips: []string{"I1", "I5"}, strikes: reloading, last: slices.Repeat([]strike{reload}, 6)},
	{bug: fault.DueAtStart, trips: []string{"I8"}, points: []fault.Point{fault.BeforeSettle}, strikes: killing},
	{bug: fault.RenderedAtSend, trips: []string{"I2"}, strikes: reloading},
}

// control has no bug, and short leases: it must trip nothing. That nothing trips otherwise is what every crash run shows.
var control = mutant{bug: "none, with short leases", strikes: outlasted, last: []strike{pausePastLease, pausePastLease}, leases: true}

// caught is what became of a mutant.
type caught struct {
	right    bool     // an invariant tripped that must; of a control: none did
	by       string   // the invariants that tripped
	kills    int      // until then
	what     string   // one of the breaches
	breaches []breach // of a control
	dir      string   // with the evidence, of a control that tripped
}

// try runs a mutant until the invariant trips that must.
func (m mutant) try(ctx context.Context, s mutantSettings, b builds) (c caught, err error) {
	for i := range s.tries {
		breaches, kills, dir, err := tortureAside(ctx, m.settings(s, i), b)
		if err != nil {
			return c, err
		}
		c.kills += kills
		c.by = names(breaches)
		if len(m.trips) == 0 {
			return c.control(breaches, dir)
		}
		if err := os.RemoveAll(dir); err != nil {
			return c, err
		}
		for _, breach := range breaches {
			if c.what = breach.What; slices.Contains(m.trips, breach.Invariant) {
				c.right = true
				return c, nil
			}
		}
	}
	return c, nil
}

// control is what became of a control. What it tripped by is kept.
func (c caught) control(breaches []breach, dir string) (caught, error) {
	if c.right = len(breaches) == 0; c.right {
		return c, os.RemoveAll(dir)
	}
	c.breaches, c.dir = breaches, dir
	return c, nil
}

// settings are those of the nth run of a mutant.
func (m mutant) settings(all mutantSettings, nth int) settings {
	s := all.settings
	s.seed += uint64(nth)
	s.points, s.strikes, s.last = m.points, m.strikes, m.last
	s.env = []string{"PEANUTS_FAULT_PLANTED=" + string(m.bug)}
	if m.leases {
		s.kills, s.lease, s.env = 1, shortLease, append(s.env, shortLeases()...)
	}
	return s
}

// tortureAside makes a run in a directory of its own.
func tortureAside(ctx context.Context, s settings, b builds) (breaches []breach, kills int, dir string, err error) {
	if dir, err = os.MkdirTemp("", "peanuts-torture-"); err != nil {
		return nil, 0, dir, err
	}
	e, err := torture(ctx, s, b, dir)
	if err != nil {
		return nil, 0, dir, err
	}
	for _, blow := range e.blows {
		if blow.Kills {
			kills++
		}
	}
	return e.judge(), kills, dir, nil
}
