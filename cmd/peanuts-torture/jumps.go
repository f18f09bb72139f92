package main

import (
	"context"
	"errors"
	"fmt"
	"time"
)

const (
	kindClock = "clock"
	day       = 24 * time.Hour
	// followed is how long a router may take to follow a jump of its clock.
	followed = 10 * time.Second
)

// jumpClock has the clock of a life jump by a day, ahead or back; that life is killed, and the clock of the next jumps back (F24).
// Only a jump between two lives is left out: no router can tell it from time that has passed.
func (n *nemesis) jumpClock(ctx context.Context) error {
	by := day
	if n.dice.chance(50) {
		by = -day
	}
	first, second := n.dice.between(300*time.Millisecond, time.Second), n.dice.between(300*time.Millisecond, time.Second)
	before := n.history.begin(kindKill, true) // makes room for the life whose clock jumps
	n.router.kill()
	n.history.end(before)
	b := n.history.begin(kindClock, false)
	n.history.offset(b, by)
	defer n.history.end(b)
	if err := n.startJumping(ctx, fmt.Sprintf("%s@%s", by, first)); err != nil {
		return err
	}
	if err := wait(ctx, n.dice.around(meanWait)); err != nil {
		return err
	}
	between := n.history.begin(kindKill, true)
	n.router.kill()
	n.history.end(between)
	return n.startJumping(ctx, fmt.Sprintf("%s@0s,%s@%s", by, -by, second))
}

// startJumping begins a life whose clock jumps, and waits until that has followed.
func (n *nemesis) startJumping(ctx context.Context, jumps string) error {
	if err := n.startAgain(ctx, n.builds.faulty, "PEANUTS_FAULT_CLOCK="+jumps); err != nil {
		return err
	}
	p := n.router.present()
	if p == nil {
		return errors.New("the router has ended")
	}
	select {
	case <-p.jumped:
		return nil
	case <-p.ended:
		return errors.New("the router ended instead of following its clock")
	case <-time.After(followed):
		return fmt.Errorf("the router has not followed its clock within %s", followed)
	case <-ctx.Done():
		return ctx.Err()
	}
}
