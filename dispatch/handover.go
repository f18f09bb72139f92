package dispatch

import (
	"time"

	"github.com/peanuts-router/peanuts-router/engine"
)

// reserve keeps a room, unless there is none or older work waits in the store. What is refused is stored as due, and so
// the lane falls behind.
func (l *lane) reserve(action engine.Action) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := l.Now()
	l.follow(action, now)
	allowed := 0
	if !l.stopped && !l.behind && l.rooms.free() > 0 && !l.breaker.open && !l.paused.After(now) {
		allowed, _ = l.pace.allows(now, 1)
	}
	if allowed == 0 {
		l.more, l.behind = true, true
		return false
	}
	l.pace.spend(now, 1)
	l.rooms.taken++
	return true
}

// hand fills a reserved room.
func (l *lane) hand(lease engine.Lease) {
	l.mu.Lock()
	stopped := l.stopped
	if stopped {
		l.rooms.taken--
	} else {
		l.push(lease)
	}
	l.mu.Unlock()
	if stopped {
		l.handBack(lease)
	}
}

// leave empties the room of a delivery.
func (l *lane) leave(lease *engine.Lease) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.rooms.leave(lease)
	l.breaker.left(lease.ID)
	l.ask()
}

// ask has run look into the store if that is said to hold more and there is room enough to look for it. The lane is locked.
func (l *lane) ask() {
	if l.more && l.rooms.enough(len(l.queue)) > 0 {
		l.poke()
	}
}

// wake notes that the store holds due deliveries.
func (l *lane) wake() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.more = true
	l.wakes++
	l.poke()
}

// poke has run look again.
func (l *lane) poke() {
	select {
	case l.signal <- struct{}{}:
	default:
	}
}

// expect notes that a delivery was put off to a moment.
func (l *lane) expect(at time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.dueAt.IsZero() || at.Before(l.dueAt) {
		l.dueAt = at
		l.poke()
	}
}
