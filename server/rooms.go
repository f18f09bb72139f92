package server

import (
	"time"

	"github.com/peanuts-router/peanuts-router/engine"
)

// rooms are the places kept with a courier for the deliveries of one event, so that it can send them at once without
// looking into the store.
type rooms struct {
	courier Courier
	kept    []engine.ActionName
}

// keep keeps what room there is for what is due, and marks the deliveries that have one as leased. Rooms kept before are
// given back.
func (r *rooms) keep(owed []engine.Owed, now time.Time) {
	r.release()
	if r.courier == nil {
		return
	}
	for i := range owed {
		if o := &owed[i]; isDue(o, now) && r.courier.Reserve(o.Action) {
			o.Leased = true
			r.kept = append(r.kept, o.Action)
		}
	}
}

// isDue tells whether a delivery can be sent at once.
func isDue(o *engine.Owed, now time.Time) bool {
	return !o.Shadow && o.Dead == "" && o.Late == "" && !o.At.After(now)
}

// hand fills the rooms with leases, which come in the order in which rooms were kept, and gives back those for which the
// store gave out no lease.
func (r *rooms) hand(leases []engine.Lease) {
	for len(r.kept) > 0 && len(leases) > 0 {
		action := r.kept[0]
		r.kept = r.kept[1:]
		if leases[0].Action != action {
			r.courier.Release(action)
			continue
		}
		r.courier.Hand(leases[0])
		leases = leases[1:]
	}
	r.release()
}

// wake tells the courier of the deliveries that were stored without a room.
func (r *rooms) wake(owed []engine.Owed, now time.Time) {
	if r.courier == nil {
		return
	}
	for _, o := range owed {
		if isDue(&o, now) && !o.Leased {
			r.courier.Wake(o.Action)
		}
	}
}

// release gives back the rooms that are still kept.
func (r *rooms) release() {
	for _, action := range r.kept {
		r.courier.Release(action)
	}
	r.kept = nil
}
