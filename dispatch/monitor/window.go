package monitor

import "time"

// slots is how many parts a window has; what is older than it is forgotten by one of them at a time.
const slots = 60

// window counts the attempts of the last while. The zero value has no length and counts none.
type window struct {
	length time.Duration
	began  time.Time // from which slots are numbered
	newest int64     // the number of the newest slot
	counts [slots]tally
}

// tally is how many attempts there were, and how many of them failed.
type tally struct{ attempts, failed int }

// rate is which part of the attempts failed; nobody should ask when there were none.
func (t tally) rate() float64 { return float64(t.failed) / float64(t.attempts) }

// fit takes over the length that the window has now. Another one begins anew: what was counted was counted by other parts.
func (w *window) fit(length time.Duration, now time.Time) {
	if w.length != length {
		*w = window{length: length, began: now}
	}
}

// move forgets what is too old by now.
func (w *window) move(now time.Time) {
	number := int64(now.Sub(w.began) / (w.length / slots))
	for range min(slots, number-w.newest) {
		w.newest++
		w.counts[w.newest%slots] = tally{}
	}
	w.newest = max(w.newest, number)
}

func (w *window) add(now time.Time, failed bool) {
	w.move(now)
	slot := &w.counts[w.newest%slots]
	slot.attempts++
	if failed {
		slot.failed++
	}
}

func (w *window) sum(now time.Time) (sum tally) {
	w.move(now)
	for _, slot := range w.counts {
		sum.attempts += slot.attempts
		sum.failed += slot.failed
	}
	return sum
}
