package dispatch

import (
	"time"

	"github.com/peanuts-router/peanuts-router/engine"
)

// push queues a delivery and sees to it that somebody takes it. The lane is locked and has not stopped.
func (l *lane) push(lease engine.Lease) {
	l.queue = append(l.queue, lease)
	l.rooms.enter(&lease)
	if l.idle > 0 {
		l.work.Signal()
	} else if l.workers < l.hands {
		l.employ()
	}
}

// employ adds a worker.
func (l *lane) employ() {
	l.workers++
	l.running.Go(l.send)
}

// send is a worker: it makes one attempt after the other until the lane stops or has too many workers. It waits for the
// target only: what came of an attempt is recorded apart, while the next one is under way.
func (l *lane) send() {
	for {
		lease, ok := l.next()
		if !ok {
			return
		}
		record := l.attempt(lease)
		l.apart(func() {
			record()
			l.leave(&lease)
		})
	}
}

// apart does something beside its caller. Who has done so waits for the next, of whichever lane: a goroutine that is new
// has to grow its stack first, which for a result costs as much as to log it.
func (d *Dispatcher) apart(do func()) {
	select {
	case d.helping <- do:
	default:
		d.running.Go(func() { d.help(do) })
	}
}

// helpFor is how long who has done something apart waits for the next.
const helpFor = 10 * time.Second

// help does one thing after the other, until there is nothing to do for a while or the dispatcher stops.
func (d *Dispatcher) help(do func()) {
	idle := time.NewTimer(helpFor)
	defer idle.Stop()
	for {
		do()
		idle.Reset(helpFor)
		select {
		case do = <-d.helping:
		case <-idle.C:
			return
		case <-d.stopping:
			return
		}
	}
}

// next waits for a delivery.
func (l *lane) next() (engine.Lease, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for {
		if l.stopped || l.workers > l.hands {
			l.workers--
			if len(l.queue) > 0 {
				l.work.Signal() // the one that was signalled goes without taking anything
			}
			return engine.Lease{}, false
		}
		if len(l.queue) > 0 {
			lease := l.queue[0]
			l.queue[0] = engine.Lease{} // lets go of the event
			l.queue = l.queue[1:]
			l.ask()
			return lease, true
		}
		l.idle++
		l.work.Wait()
		l.idle--
	}
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
