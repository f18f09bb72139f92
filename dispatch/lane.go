package dispatch

import (
	"sync"
	"time"

	"github.com/peanuts-router/peanuts-router/engine"
	"github.com/peanuts-router/peanuts-router/internal/fault"
)

// lane is the way to one action.
type lane struct {
	*Dispatcher
	name   engine.ActionName
	signal chan struct{} // wakes run

	mu      sync.Mutex
	work    sync.Cond // a delivery was queued, or the lane stops
	queue   []engine.Lease
	rooms   rooms
	workers int  // goroutines that send
	idle    int  // of them, those that wait for work and were not called
	hands   int  // how many attempts may be under way
	more    bool // the store may hold deliveries that are due
	behind  bool // the store holds more than there is room for: it comes before what is fresh
	wakes   int  // how often the store was said to hold more
	paused  time.Time
	dueAt   time.Time // when the lane itself put off a delivery to, the earliest
	pace    pace
	rated   time.Time // until when it is told that the rate holds what waits
	breaker breaker
	ramp    ramp
	noted   holds      // what the store was told last: written with both locks held, once the lane runs, and read with either
	noting  sync.Mutex // held while it is told, and taken before mu
	stopped bool
}

func newLane(d *Dispatcher, name engine.ActionName) *lane {
	l := &lane{Dispatcher: d, name: name, signal: make(chan struct{}, 1), more: true, behind: true, hands: 1}
	l.work.L = &l.mu
	return l
}

// run keeps the queue filled from the store until the dispatcher stops.
func (l *lane) run() {
	select {
	case <-l.stopping:
		return
	case <-l.restored:
	}
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
	if err := l.noteHolds(); err != nil {
		return lookEvery, true
	}
	if n > 0 {
		leases, err := l.Store.Lease(l.attempts, l.name, n, now, now.Add(fault.Span(fault.Lease, leaseTime)))
		if err != nil {
			l.Log.Error("leasing deliveries", "action", l.name, "err", err)
			return lookEvery, true
		}
		l.take(leases, n, wakes)
	}
	return l.comeAgain(now)
}

// comeAgain is after how long there may be something to lease that nobody else tells of, if that is known.
func (l *lane) comeAgain(now time.Time) (wait time.Duration, known bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	next := l.dueAt
	if held := l.heldUntil(); held.After(now) && (l.more || !next.IsZero()) && held.After(next) {
		next = held
	}
	if next.IsZero() {
		return 0, false
	}
	return max(0, next.Sub(now)), true
}

// room is how many deliveries may be leased now.
func (l *lane) room(now time.Time) (n, wakes int) {
	route, known := l.Routes(l.name)
	if !known { // its deliveries need only be told so
		route.Concurrency = 1
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.follow(route.Action, now)
	if !l.dueAt.IsZero() && !l.dueAt.After(now) {
		l.dueAt, l.more = time.Time{}, true
	}
	if !l.more || l.stopped || l.paused.After(now) {
		return 0, l.wakes
	}
	n, next := l.pace.allows(now, l.breaker.allows(now, l.rooms.enough(len(l.queue))))
	if !next.IsZero() {
		l.rate(now)
		if l.dueAt.IsZero() || next.Before(l.dueAt) {
			l.dueAt = next
		}
	}
	return n, l.wakes
}

// follow takes over what the action says now. The lane is locked.
func (l *lane) follow(action engine.Action, now time.Time) {
	hands, ramping := l.ramp.bound(action.Concurrency)
	l.hands = hands
	l.rooms.follow(hands, action.Timeout)
	if ramping { // what is queued would be handed back if the target is not well yet
		l.rooms.all = min(l.rooms.all, hands*roomsPerHand)
	}
	l.pace.follow(action.Rate)
	if most := now.Add(action.MaxRetryAfter); l.paused.After(most) { // an edit has its target ask for less (C14)
		l.paused = most
		l.ramp.begin(most)
	}
	if l.breaker.follow(action.Breaker) {
		l.announce(false)
	}
}

// take queues what was leased. Fewer than asked for means that the store holds no more, unless it was said to since; what
// is fresh need not wait for that.
func (l *lane) take(leases []engine.Lease, asked, wakes int) {
	if !l.queueAll(leases, len(leases) < asked, wakes) {
		for _, lease := range leases {
			l.running.Go(func() { l.handBack(lease) })
		}
	}
}

// queueAll queues leases, unless the lane has stopped meanwhile.
func (l *lane) queueAll(leases []engine.Lease, short bool, wakes int) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.behind = !short
	if short && l.wakes == wakes {
		l.more = false
	}
	if l.stopped {
		return false
	}
	l.pace.spend(l.Now(), len(leases))
	l.rooms.taken += len(leases)
	l.breaker.leased(leases)
	for _, lease := range leases {
		l.push(lease)
	}
	return true
}
