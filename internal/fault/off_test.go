//go:build !faults

package fault

import (
	"testing"
	"time"
)

// In the build that people run nothing can be planted, whatever the environment says.
func TestWithoutTheTagNothingHappens(t *testing.T) {
	t.Setenv("PEANUTS_FAULT_PLANTED", string(DedupeInMemory))
	t.Setenv("PEANUTS_FAULT_KILL", "after-commit:1")
	t.Setenv("PEANUTS_FAULT_TIMES", "lease=1s")
	t.Setenv("PEANUTS_FAULT_CLOCK", "1h@0s")
	Reach(AfterCommit)
	if Planted(DedupeInMemory) {
		t.Error("a bug is planted")
	}
	if Clock() != nil {
		t.Error("there is another clock")
	}
	if got := Span(Lease, time.Minute); got != time.Minute {
		t.Errorf("Span(Lease, 1m) = %v, want what was written", got)
	}
}
