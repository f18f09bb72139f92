package dispatch

import "time"

const (
	// mostRooms is how many deliveries a lane holds at the most, unless its hands alone need more: as many as come while
	// the store flushes a few times, so that a burst is handed over in memory.
	mostRooms = 256
	// roomsPerHand is how many a lane of very many hands holds for each of them.
	roomsPerHand = 4
)

// rooms counts the deliveries that a lane holds: reserved, queued, being sent, and sent but not recorded yet. Its methods
// are called with the lane locked.
type rooms struct {
	all   int
	taken int
	usual time.Duration // how long an attempt takes
}

// follow gives the lane as many rooms as its hands empty in half the time that leases leave for waiting: of an action that
// answers at once many, of one that takes its time few, or leases would run out in the queue.
func (r *rooms) follow(hands int, timeout time.Duration) {
	r.all = max(mostRooms, hands*roomsPerHand)
	if r.usual > 0 {
		rounds := 1 + (leaseTime-timeout)/2/r.usual
		r.all = int(min(time.Duration(r.all), time.Duration(hands)*max(1, rounds)))
	}
}

// lasted notes how long an attempt took.
func (r *rooms) lasted(took time.Duration) { r.usual += (took - r.usual) / 8 }

func (r *rooms) free() int { return max(0, r.all-r.taken) }

// enough is how many rooms to fill at once from the store, of which so many are queued: none while the hands have work and
// only a few are free, so that the store is not asked for every single one.
func (r *rooms) enough(queued int) int {
	if queued > 0 && r.free() < r.all/4 {
		return 0
	}
	return r.free()
}
