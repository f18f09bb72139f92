package dispatch

import (
	"sync"
	"time"

	"github.com/peanuts-router/peanuts-router/engine"
)

// roomsPerHand is how many deliveries a lane holds for each attempt that it may have under way: enough never to be
// idle, few enough not to outlive their leases.
const roomsPerHand = 4

// lane is the way to one action.
type lane struct {
	*Dispatcher
	name   engine.ActionName
	signal chan struct{} // wakes run

	mu       sync.Mutex
	work     sync.Cond // a delivery was queued, or the lane stops
	queue    []engine.Lease
	reserved int
	workers  int // goroutines that send
	idle     int // of them, those that wait for work
	hands    int // how many attempts may be under way
	more     bool
	wakes    int // how often the store was said to hold more
	paused   time.Time
	dueAt    time.Time // when the lane itself put off a delivery to, the earliest
	pace     pace
	stopped  bool
}

func newLane(d *Dispatcher, name engine.ActionName) *lane {
	l := &lane{Dispatcher: d, name: name, signal: make(chan struct{}, 1), more: true, hands: 1}
	l.work.L = &l.mu
	return l
}

// run keeps the queue filled from the store until the dispatcher stops.
func (l *lane) run() {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-l.stopping:
			return
		case <-l.signal:
		case <-timer.C:
		}
		if wait, ok := l.fill(); ok {
			timer.Reset(wait)
		} else {
			timer.Stop()
		}
	}
}

// fill leases what there is room for. It tells after how long to come again, if it knows.
func (l *lane) fill() (wait time.Duration, known bool) {
	now := l.Now()
	n, wakes := l.room(now)
	if n > 0 {
		leases, err := l.Store.Lease(l.attempts, l.name, n, now, now.Add(leaseTime))
		if err != nil {
			l.Log.Error("leasing deliveries", "action", l.name, "err", err)
			return lookEvery, true
		}
		l.take(leases, n, wakes)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	next := l.dueAt
	if l.paused.After(now) && (l.more || !next.IsZero()) && l.paused.After(next) {
		next = l.paused
	}
	if next.IsZero() {
		return 0, false
	}
	return max(0, next.Sub(now)), true
}

// room is how many deliveries may be leased now.
func (l *lane) room(now time.Time) (n, wakes int) {
	route, known := l.Routes(l.name)
	l.mu.Lock()
	defer l.mu.Unlock()
	l.hands = 1 // of an action that is gone: its deliveries need only be told so
	if known {
		l.hands = route.Concurrency
		l.pace.follow(route.Rate)
	}
	if !l.dueAt.IsZero() && !l.dueAt.After(now) {
		l.dueAt, l.more = time.Time{}, true
	}
	if !l.more || l.stopped || l.paused.After(now) {
		return 0, l.wakes
	}
	n, next := l.pace.allows(now, l.free())
	if !next.IsZero() && (l.dueAt.IsZero() || next.Before(l.dueAt)) {
		l.dueAt = next
	}
	return n, l.wakes
}

// free is how many rooms are empty.
func (l *lane) free() int {
	under := l.workers - l.idle
	return max(0, l.hands*roomsPerHand-len(l.queue)-l.reserved-under)
}

// take queues what was leased. Fewer than asked for means that the store holds no more, unless it was said to since.
func (l *lane) take(leases []engine.Lease, asked, wakes int) {
	if !l.queueAll(leases, len(leases) < asked, wakes) {
		for _, lease := range leases {
			l.handBack(lease)
		}
	}
}

// queueAll queues leases, unless the lane has stopped meanwhile.
func (l *lane) queueAll(leases []engine.Lease, short bool, wakes int) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if short && l.wakes == wakes {
		l.more = false
	}
	if l.stopped {
		return false
	}
	l.pace.spend(l.Now(), len(leases))
	for _, lease := range leases {
		l.push(lease)
	}
	return true
}

// reserve keeps a room, unless there is none or older work waits in the store.
func (l *lane) reserve(action engine.Action) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := l.Now()
	l.hands = action.Concurrency
	l.pace.follow(action.Rate)
	if l.stopped || l.more || l.free() == 0 || l.paused.After(now) {
		return false
	}
	if allowed, _ := l.pace.allows(now, 1); allowed == 0 {
		return false
	}
	l.pace.spend(now, 1)
	l.reserved++
	return true
}

func (l *lane) hand(lease engine.Lease) {
	l.mu.Lock()
	l.reserved--
	if l.stopped {
		l.mu.Unlock()
		l.handBack(lease)
		return
	}
	l.push(lease)
	l.mu.Unlock()
}

func (l *lane) release() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.reserved--
}

// push queues a delivery and sees to it that somebody takes it. The lane is locked and has not stopped.
func (l *lane) push(lease engine.Lease) {
	l.queue = append(l.queue, lease)
	switch {
	case l.idle > 0:
		l.work.Signal()
	case l.workers < l.hands:
		l.workers++
		l.running.Go(l.send)
	}
}

// send is a worker: it makes one attempt after the other until the lane stops or has too many workers.
func (l *lane) send() {
	for {
		lease, ok := l.next()
		if !ok {
			return
		}
		l.attempt(lease)
	}
}

// next waits for a delivery.
func (l *lane) next() (engine.Lease, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for {
		if l.stopped || l.workers > l.hands {
			l.workers--
			return engine.Lease{}, false
		}
		if len(l.queue) > 0 {
			lease := l.queue[0]
			l.queue[0] = engine.Lease{} // lets go of the event
			l.queue = l.queue[1:]
			if l.more && len(l.queue) < l.hands {
				l.poke()
			}
			return lease, true
		}
		l.idle++
		l.work.Wait()
		l.idle--
	}
}

// wake notes that the store holds due deliveries.
func (l *lane) wake() {
	l.mu.Lock()
	l.more = true
	l.wakes++
	l.mu.Unlock()
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
	if l.dueAt.IsZero() || at.Before(l.dueAt) {
		l.dueAt = at
	}
	l.mu.Unlock()
	l.poke()
}

// pause leaves the action alone until a moment; it is never shortened.
func (l *lane) pause(until time.Time) {
	l.mu.Lock()
	if until.After(l.paused) {
		l.paused = until
	}
	l.mu.Unlock()
}

func (l *lane) pausedUntil() time.Time {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.paused
}

// stop ends the workers after what they are at, and hands back what is queued.
func (l *lane) stop() {
	l.mu.Lock()
	l.stopped = true
	left := l.queue
	l.queue = nil
	l.work.Broadcast()
	l.mu.Unlock()
	for _, lease := range left {
		l.running.Go(func() { l.handBack(lease) })
	}
}
