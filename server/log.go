package server

import (
	"strings"
	"sync"
	"time"
)

// throttle lets one line through in a while, with how many it stands for: strangers and a store that is down shall not
// fill the log.
type throttle struct {
	every time.Duration
	mu    sync.Mutex
	next  time.Time
	count int
}

// one counts an occurrence and tells whether to log it, and how many there were since the last that was logged.
func (t *throttle) one(now time.Time) (count int, ok bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.count++
	if now.Before(t.next) {
		return 0, false
	}
	count, t.count, t.next = t.count, 0, now.Add(t.every)
	return count, true
}

// cut shortens a value of an event for the log, at a whole character.
func cut(s string) string {
	const limit = 128
	if len(s) <= limit {
		return s
	}
	return strings.ToValidUTF8(s[:limit], "") + "…"
}
