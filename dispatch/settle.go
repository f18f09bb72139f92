package dispatch

import (
	"time"

	"github.com/peanuts-router/peanuts-router/engine"
)

const (
	firstAgain = 500 * time.Millisecond // how long a result waits after the store could not take it, at first
	lastAgain  = 5 * time.Second        // and at the most
)

// settle brings a result to the store, again and again while the store cannot commit and the lease lasts. After that
// the delivery is somebody else's: it will be sent again, with the same key. Of many results that wait one at a time asks
// whether the store can again, so that a store that is down is not asked by all of them (F44).
func (d *Dispatcher) settle(lease engine.Lease, s engine.Settlement) engine.Recorded {
	recorded, err := d.record(lease, s)
	if err == nil {
		return recorded
	}
	lasts := time.NewTimer(lease.Until.Sub(d.Now()))
	defer lasts.Stop()
	select {
	case d.asking <- struct{}{}:
		defer func() { <-d.asking }()
		return d.settleAgain(lease, s)
	case <-lasts.C:
	case <-d.attempts.Done():
	}
	return engine.Recorded{}
}

// settleAgain is settle for a result that the store could not take, and whose turn it is to ask.
func (d *Dispatcher) settleAgain(lease engine.Lease, s engine.Settlement) engine.Recorded {
	for wait := firstAgain; ; wait = min(2*wait, lastAgain) {
		recorded, err := d.record(lease, s)
		if err == nil || d.Now().Add(wait).After(lease.Until) {
			return recorded
		}
		select {
		case <-time.After(wait):
		case <-d.attempts.Done():
			return engine.Recorded{}
		}
	}
}

// record brings a result to the store once.
func (d *Dispatcher) record(lease engine.Lease, s engine.Settlement) (engine.Recorded, error) {
	// What was sent is recorded even when the process is being stopped.
	recorded, err := d.Store.Settle(d.records, s)
	if err != nil {
		d.Log.Error("recording an attempt", "delivery", lease.ID, "err", err)
		return engine.Recorded{}, err
	}
	if recorded.Freed {
		d.Wake(lease.Action)
	}
	if lease.Suspect {
		d.wakeAll() // the next suspect may be any action's
	}
	return recorded, nil
}
