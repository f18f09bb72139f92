package server

import "sync/atomic"

// budget is an amount that requests share. It never makes one wait: who finds it spent is sent away with a 503, since
// a queue in front of the door would only hold more memory.
type budget struct {
	limit int64
	spent atomic.Int64
}

// take takes n and tells whether it was there.
func (b *budget) take(n int64) bool {
	if b.spent.Add(n) > b.limit {
		b.spent.Add(-n)
		return false
	}
	return true
}

func (b *budget) give(n int64) { b.spent.Add(-n) }
