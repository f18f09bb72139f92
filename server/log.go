package server

import (
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// throttle lets one line through in a while, with how many it stands for: strangers and a store that is down shall not
// fill the log.
type throttle struct {
	every time.Duration
	begun atomic.Bool // there were some that end has not told
	mu    sync.Mutex
	next  time.Time
	count int
	all   int       // that end has not told
	first time.Time // of these
	last  time.Time
}

// one counts an occurrence and tells whether to log it, and how many there were since the last that was logged.
func (t *throttle) one(now time.Time) (count int, ok bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.count++
	if t.all++; t.all == 1 {
		t.first = now
	}
	t.last = now
	t.begun.Store(true)
	if now.Before(t.next) {
		return 0, false
	}
	count, t.count, t.next = t.count, 0, now.Add(t.every)
	return count, true
}

// end tells how many there were, and since when, once none has come for as long as a line stands for; then what comes is counted
// anew.
func (t *throttle) end(now time.Time) (count int, since time.Time, ok bool) {
	if !t.begun.Load() {
		return 0, since, false
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.all == 0 || now.Sub(t.last) < t.every {
		return 0, since, false
	}
	count, since = t.all, t.first
	t.count, t.all, t.next = 0, 0, time.Time{}
	t.begun.Store(false)
	return count, since, true
}

// cut shortens a value of an event for the log, at a whole character.
func cut(s string) string {
	const limit = 128
	if len(s) <= limit {
		return s
	}
	return strings.ToValidUTF8(s[:limit], "") + "…"
}
