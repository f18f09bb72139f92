package main

import (
	"fmt"
	"time"

	"github.com/peanuts-router/peanuts-router/engine"
)

const (
	soon = 5 * time.Second
	// slowestDrain is how much of a backlog is sent in a second at the least, also on a machine that is busy with other things:
	// less is no work but a lane that hangs.
	slowestDrain = 25
	// more is how many more goroutines and open files a router may have in the end than in the beginning: each lane keeps
	// the workers and connections that it came to need.
	more = 500
)

// live is I11.
func (e *evidence) live() (found []string) {
	for i, l := range e.lives {
		if l.Ready > 0 && l.Ready-l.Began > soon {
			found = append(found, fmt.Sprintf("life %d took %s to be ready", i+1, l.Ready-l.Began))
		}
		if l.First > 0 && l.First-l.Ready > soon && !e.hindered(l.Ready, l.First) {
			found = append(found, fmt.Sprintf("life %d took %s to send anything", i+1, l.First-l.Ready))
		}
	}
	if rate := e.drainRate(); len(e.drained.Events) > 0 && rate < slowestDrain {
		found = append(found, fmt.Sprintf("a backlog of %d was worked off at %.0f a second", len(e.drained.Events), rate))
	}
	if e.final.Goroutines > e.base.Goroutines+more {
		found = append(found, fmt.Sprintf("there are %d goroutines in the end, and were %d in the beginning", e.final.Goroutines, e.base.Goroutines))
	}
	if e.final.Files > e.base.Files+more {
		found = append(found, fmt.Sprintf("there are %d open files in the end, and were %d in the beginning", e.final.Files, e.base.Files))
	}
	return found
}

// honest is I12.
func (e *evidence) honest() (found []string) {
	counts := map[engine.State]int{}
	for _, one := range e.stored {
		for _, d := range one.Deliveries {
			counts[d.State]++
		}
	}
	for _, c := range []struct {
		state engine.State
		says  int
	}{{engine.Pending, e.final.Pending}, {engine.Sending, e.final.Sending}, {engine.Dead, e.final.Dead}} {
		if c.says != counts[c.state] {
			found = append(found, fmt.Sprintf("the metrics say %d deliveries are %s, and %d are", c.says, c.state, counts[c.state]))
		}
	}
	return found
}
