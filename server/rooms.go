package server

import "github.com/peanuts-router/peanuts-router/engine"

// rooms are the places kept with a courier for the deliveries of one event, so that it can send them at once without
// looking into the store.
type rooms struct {
	courier Courier
	kept    []engine.ActionName
}

// keepRooms keeps what room there is, and marks the deliveries that have one as leased.
func keepRooms(courier Courier, owed []engine.Owed) rooms {
	r := rooms{courier: courier}
	if courier == nil {
		return r
	}
	for i := range owed {
		if o := &owed[i]; o.Dead == "" && courier.Reserve(o.Action) {
			o.Leased = true
			r.kept = append(r.kept, o.Action)
		}
	}
	return r
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
func (r *rooms) wake(owed []engine.Owed) {
	if r.courier == nil {
		return
	}
	for _, o := range owed {
		if o.Dead == "" && !o.Leased {
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
