package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/peanuts-router/peanuts-router/internal/fault"
)

// nemesis does one thing after the other to the router, by its dice, until it has killed it often enough.
type nemesis struct {
	builds    builds
	router    *router
	history   *history
	targets   *targets
	disk      *disk // of the store; nil where it has none of its own
	generator *generator
	dice      *dice
	kills     int      // how many are asked for
	deaths    int      // how many at each point are asked for instead; 0 for none
	fewest    int      // of the deaths at a point by now
	tried     int      // lives that have not brought one more
	env       []string // of every life
	strikes   []weighted[strike]
	last      []strike                 // of all, when it was killed often enough
	points    []fault.Point            // at which lives are made to die
	variant   int                      // of the rules in force
	each      func(restarts int) error // is called after each restart
	restarts  int
}

// strike is a kind of blow.
type strike struct {
	name string
	do   func(*nemesis, context.Context) error
}

// The kinds.
var (
	killAtRandom    = strike{kindKill, (*nemesis).killAtRandom}
	killOnAnswer    = strike{kindAnswer, (*nemesis).killOnAnswer}
	killOnAck       = strike{kindAck, (*nemesis).killOnAck}
	killAtPoint     = strike{kindPoint, (*nemesis).killAtPoint}
	killAfterLeases = strike{"kill -9 after the leases", (*nemesis).killAfterLeases}
	pausePastLease  = strike{"pause past the leases", (*nemesis).pausePastLease}
	pause           = strike{kindPause, (*nemesis).pause}
	terminate       = strike{kindEnd, (*nemesis).terminate}
	reload          = strike{kindReload, (*nemesis).reload}
	reloadBroken    = strike{kindRefused, (*nemesis).reloadBroken}
	lockStore       = strike{kindLocked, (*nemesis).lockStore}
	storm           = strike{"bad weather", (*nemesis).storm}
	fillDisk        = strike{kindFull, (*nemesis).fillDisk}
	jumpClock       = strike{kindClock, (*nemesis).jumpClock}
)

// allStrikes are all kinds with their weights.
var allStrikes = []weighted[strike]{
	{50, killAtRandom}, {8, killOnAnswer}, {7, killOnAck}, {10, killAtPoint}, {8, pause}, {5, terminate}, {5, reload}, {3, reloadBroken},
	{4, lockStore}, {5, storm}, {1, jumpClock},
}

// onItsDisk comes to them where the store has a disk of its own.
var onItsDisk = weighted[strike]{3, fillDisk}

// The names of the blows, as the figures tell them.
const (
	kindKill    = "kill -9"
	kindAnswer  = "kill -9 on a target's answer"
	kindAck     = "kill -9 on our 200"
	kindPoint   = "kill -9 at a point"
	kindPause   = "pause"
	kindEnd     = "SIGTERM"
	kindReload  = "reload"
	kindRefused = "refused reload"
	kindLocked  = "locked store"
)

const meanWait = 400 * time.Millisecond

// run strikes until the router was killed often enough.
func (n *nemesis) run(ctx context.Context) error {
	for {
		enough, err := n.enough()
		if err != nil {
			return err
		}
		if enough {
			return n.strikeLast(ctx)
		}
		mean := meanWait
		if n.deaths > 0 { // there are many, and each is waited for
			mean /= 2
		}
		if err := wait(ctx, n.dice.around(mean)); err != nil {
			return err
		}
		next := pick(n.dice, n.strikes)
		if err := next.do(n, ctx); err != nil {
			return fmt.Errorf("%s: %w", next.name, err)
		}
	}
}

// strikeLast does what comes last.
func (n *nemesis) strikeLast(ctx context.Context) error {
	for _, one := range n.last {
		if err := errors.Join(wait(ctx, n.dice.around(meanWait)), one.do(n, ctx)); err != nil {
			return fmt.Errorf("%s: %w", one.name, err)
		}
	}
	return nil
}

func wait(ctx context.Context, long time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(long):
		return nil
	}
}

// restart begins a new life after a while. One in ten is killed while it starts.
func (n *nemesis) restart(ctx context.Context) error {
	if err := wait(ctx, n.dice.around(200*time.Millisecond)); err != nil {
		return err
	}
	for n.dice.chance(10) {
		if err := n.killWhileStarting(ctx); err != nil {
			return err
		}
	}
	return n.startAgain(ctx, n.builds.of(n.env))
}

func (n *nemesis) startAgain(ctx context.Context, binary string, env ...string) error {
	if err := n.router.start(ctx, binary, append(env, n.env...)...); err != nil {
		return err
	}
	n.restarts++
	if n.each == nil {
		return nil
	}
	return n.each(n.restarts)
}

func (n *nemesis) killWhileStarting(ctx context.Context) error {
	b := n.history.begin("kill -9 while it starts", true)
	if _, err := n.router.launch(n.builds.of(n.env), n.env...); err != nil {
		return err
	}
	err := wait(ctx, n.dice.between(0, 200*time.Millisecond))
	n.router.kill()
	n.history.end(b)
	return err
}

// killNow kills the router and starts it again.
func (n *nemesis) killNow(ctx context.Context, kind string) error {
	b := n.history.begin(kind, true)
	n.router.kill()
	err := n.restart(ctx)
	n.history.end(b)
	return err
}

func (n *nemesis) killAtRandom(ctx context.Context) error { return n.killNow(ctx, kindKill) }

// killAfterLeases kills the router when leases of before have run out, and what came of them was tried again.
func (n *nemesis) killAfterLeases(ctx context.Context) error {
	if err := wait(ctx, 3*shortLease); err != nil {
		return err
	}
	return n.killNow(ctx, kindKill)
}

// killOnAnswer kills the router just after a target has said yes, when that is not recorded yet (F3).
func (n *nemesis) killOnAnswer(ctx context.Context) error {
	told := make(chan struct{})
	n.targets.watch(told)
	return n.killOn(ctx, told, kindAnswer)
}

// killOnAck kills the router just after it has said that an event is stored (F1).
func (n *nemesis) killOnAck(ctx context.Context) error {
	told := make(chan struct{})
	n.generator.watch(told)
	return n.killOn(ctx, told, kindAck)
}

func (n *nemesis) killOn(ctx context.Context, told <-chan struct{}, kind string) error {
	select {
	case <-told:
	case <-time.After(patience): // it comes at whatever moment then
	case <-ctx.Done():
		return ctx.Err()
	}
	delays := []time.Duration{0, 200 * time.Microsecond, time.Millisecond, 5 * time.Millisecond, 20 * time.Millisecond}
	if err := wait(ctx, delays[n.dice.below(len(delays))]); err != nil {
		return err
	}
	return n.killNow(ctx, kind)
}
