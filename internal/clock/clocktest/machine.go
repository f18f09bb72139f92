// Package clocktest has a machine's clock that can be set, for tests of what must not mind.
package clocktest

import (
	"sync"
	"time"
	"unsafe"
)

// Machine is the clock of a machine. It runs as time.Now does, in virtual time as well, until it jumps. The zero value is not
// ready: use New.
type Machine struct {
	began time.Time

	mu sync.Mutex
	by time.Duration
}

// New makes a clock that is right.
func New() *Machine { return &Machine{began: time.Now()} }

// Jump sets the clock, from what it shows now.
func (m *Machine) Jump(by time.Duration) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.by += by
}

// Now is what time.Now would be on the machine: the wall time jumps, and the monotonic time does not.
func (m *Machine) Now() time.Time {
	m.mu.Lock()
	defer m.mu.Unlock()
	ran := time.Since(m.began)
	return reading(m.began.Round(0).Add(ran+m.by), ran)
}

// layout is how package time keeps a time with its monotonic part: a bit that says so, 33 bits of seconds since 1885, 30 bits of
// nanoseconds; and the monotonic time.
type layout struct {
	wall uint64
	ext  int64
	loc  *time.Location
}

// reading is a time with a monotonic part of one's own. Only the runtime can make one otherwise, and in virtual time it does not.
func reading(wall time.Time, monotonic time.Duration) time.Time {
	since1885 := wall.Unix() - time.Date(1885, 1, 1, 0, 0, 0, 0, time.UTC).Unix()
	var t time.Time
	*(*layout)(unsafe.Pointer(&t)) = layout{
		wall: 1<<63 | uint64(since1885)<<30 | uint64(wall.Nanosecond()), ext: int64(monotonic) + 1, loc: time.Local,
	}
	return t
}
