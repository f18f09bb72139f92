//go:build !faults

package fault

import "time"

// Planted tells whether a bug is planted. It never is.
func Planted(Bug) bool { return false }

// Reach is called at a point. Nothing happens there.
func Reach(Point) {}

// Clock reads the machine's clock; nil stands for time.Now. It always is nil.
func Clock() func() time.Time { return nil }

// Span is a time as it is in this build: as it was written.
func Span(_ Time, written time.Duration) time.Duration { return written }
