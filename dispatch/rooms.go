package dispatch

import (
	"time"

	"github.com/peanuts-router/peanuts-router/engine"
)

const (
	// mostRooms is how many deliveries a lane holds at the most, unless its hands alone need more: as many as come while
	// the store flushes a few times, so that a burst is handed over in memory.
	mostRooms = 256
	// roomsPerHand is how many a lane of very many hands holds for each of them.
	roomsPerHand = 4
	// mostBytes is how much the deliveries of a lane may take up, but for one that takes more alone: events may be large.
	mostBytes = 16 << 20
	// firstLook is how many are leased while it is not known how large they are.
	firstLook = 32
)

// rooms counts the deliveries that a lane holds: reserved, queued, being sent, and sent but not recorded yet. Its methods
// are called with the lane locked.
type rooms struct {
	all   int
	taken int
	usual time.Duration // how long an attempt takes
	bytes int           // of those that are queued and later
	size  int           // of a delivery, as a rule
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

// enter notes that a room is filled.
func (r *rooms) enter(lease *engine.Lease) {
	size := sizeOf(lease)
	r.bytes += size
	r.size += (size - r.size) / 8
	if r.size == 0 || size > r.size { // what grows is believed at once
		r.size = size
	}
}

// leave notes that a room is empty.
func (r *rooms) leave(lease *engine.Lease) {
	r.taken--
	r.bytes -= sizeOf(lease)
}

func sizeOf(lease *engine.Lease) int { return len(lease.Body) + len(lease.Message) }

// free is how many more deliveries there is room for.
func (r *rooms) free() int {
	free := max(0, r.all-r.taken)
	if r.size > 0 {
		free = min(free, max(0, mostBytes-r.bytes)/r.size)
	}
	if r.taken == 0 {
		return max(1, free)
	}
	return free
}

// enough is how many rooms to fill at once from the store, of which so many are queued: none while the hands have work and
// only a few are free, so that the store is not asked for every single one.
func (r *rooms) enough(queued int) int {
	free := r.free()
	switch {
	case queued > 0 && free < r.all/4 && r.bytes < mostBytes/2:
		return 0
	case r.size == 0:
		return min(free, firstLook)
	}
	return free
}
