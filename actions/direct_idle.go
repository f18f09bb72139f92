package actions

import (
	"slices"
	"sync"
	"time"
)

// idleFor is how long a connection is kept that no call uses.
const idleFor = 90 * time.Second

// idle keeps connections for the next call. Its zero value keeps none; most is how many it keeps.
type idle struct {
	most    int
	mu      sync.Mutex
	kept    []*directConn // the last used at the end
	sweeper *time.Timer
	closed  bool // nothing is kept any more
}

// take gives a connection to an address, the last one used: one that its target has ended, or that said something while nobody
// had asked, is closed.
func (i *idle) take(address string, now time.Time) *directConn {
	for {
		c := i.pop(address)
		if c == nil || now.Sub(c.since) < idleFor && silent(c.wire) {
			return c
		}
		c.close()
	}
}

func (i *idle) pop(address string) *directConn {
	i.mu.Lock()
	defer i.mu.Unlock()
	for n, c := range slices.Backward(i.kept) {
		if c.address == address {
			i.kept = slices.Delete(i.kept, n, n+1)
			return c
		}
	}
	return nil
}

// put keeps a connection, in the place of the oldest when there are enough.
func (i *idle) put(c *directConn, now time.Time) {
	c.reused, c.since = true, now
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.closed {
		c.close()
		return
	}
	if len(i.kept) >= i.most {
		i.kept[0].close()
		i.kept = slices.Delete(i.kept, 0, 1)
	}
	i.kept = append(i.kept, c)
	if i.sweeper == nil {
		i.sweeper = time.AfterFunc(idleFor, i.sweep)
	}
}

// sweep closes what was idle for too long, and comes again while something is kept.
func (i *idle) sweep() {
	i.mu.Lock()
	defer i.mu.Unlock()
	now := time.Now()
	i.kept = slices.DeleteFunc(i.kept, func(c *directConn) bool {
		old := now.Sub(c.since) >= idleFor
		if old {
			c.close()
		}
		return old
	})
	i.sweeper = nil
	if len(i.kept) > 0 {
		i.sweeper = time.AfterFunc(idleFor, i.sweep)
	}
}

// closeAll closes what is kept, and whatever a call under way gives back after.
func (i *idle) closeAll() {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.closed = true
	for _, c := range i.kept {
		c.close()
	}
	i.kept = nil
	if i.sweeper != nil {
		i.sweeper.Stop()
		i.sweeper = nil
	}
}
