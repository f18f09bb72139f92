package main

import (
	"math/rand/v2"
	"sync"
	"time"
)

// dice make the choices of a run, by its seed. They are safe for concurrent use.
type dice struct {
	mu     sync.Mutex
	source *rand.Rand
}

func newDice(seed, use uint64) *dice { return &dice{source: rand.New(rand.NewPCG(seed, use))} }

// chance is true in so many of a hundred cases.
func (d *dice) chance(percent int) bool { return d.below(100) < percent }

// below is a number from 0, less than n.
func (d *dice) below(n int) int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.source.IntN(n)
}

// between is a length of time.
func (d *dice) between(least, most time.Duration) time.Duration {
	return least + time.Duration(d.below(int(most-least)+1))
}

// around is a length of time as events without memory follow each other: exponential, five times the mean at the most.
func (d *dice) around(mean time.Duration) time.Duration {
	d.mu.Lock()
	defer d.mu.Unlock()
	return time.Duration(min(d.source.ExpFloat64(), 5) * float64(mean))
}

// weighted is one of several things with its weight.
type weighted[T any] struct {
	weight int
	thing  T
}

// pick chooses one of several things.
func pick[T any](d *dice, from []weighted[T]) T {
	all := 0
	for _, one := range from {
		all += one.weight
	}
	at := d.below(all)
	for _, one := range from {
		if at < one.weight {
			return one.thing
		}
		at -= one.weight
	}
	panic("unreachable: the weights add up to more than the number drawn")
}
