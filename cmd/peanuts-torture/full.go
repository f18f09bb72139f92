package main

import (
	"context"
	"errors"
	"time"
)

const kindFull = "full disk"

// fillDisk has the disk of the store full for a while. In three of ten cases the router dies meanwhile; there is room before the
// next life begins (F8, F9).
func (n *nemesis) fillDisk(ctx context.Context) error {
	b := n.history.begin(kindFull, false)
	defer n.history.end(b)
	if err := n.disk.fill(); err != nil {
		return err
	}
	err := wait(ctx, n.dice.between(300*time.Millisecond, 2*time.Second))
	dies := n.dice.chance(30)
	if dies {
		n.router.kill()
	}
	if err := errors.Join(err, n.disk.free()); err != nil || !dies {
		return err
	}
	return n.killNow(ctx, kindKill)
}

// refusedWhileFull counts the events that were refused since there was no room.
func (e *evidence) refusedWhileFull() (n int) {
	for _, b := range e.blows {
		if b.Kind != kindFull {
			continue
		}
		for _, s := range e.sent {
			for _, t := range s.Tries {
				if t.Status == 503 && t.At <= b.Until && t.Done >= b.At {
					n++
				}
			}
		}
	}
	return n
}
