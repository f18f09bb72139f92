//go:build !faults

package fault

import "time"

// Planted tells whether a bug is planted. It never is.
func Planted(Bug) bool { return false }

// Reach is called at a point. Nothing happens there.
func Reach(Point) {}

// Span is a time as it is in this build: as it was written.
func Span(_ Time, written time.Duration) time.Duration { return written }
