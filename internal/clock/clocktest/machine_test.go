package clocktest_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/peanuts-router/peanuts-router/internal/clock/clocktest"
)

// What the machine shows is what the runtime would: other package time, other layout, and this fails.
func TestAReadingJumpsByItsWallTimeAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		machine := clocktest.New()
		before := machine.Now()
		if !before.Round(0).Equal(time.Now()) {
			t.Errorf("Now() = %v, want %v", before, time.Now())
		}
		for _, by := range []time.Duration{24 * time.Hour, -time.Hour, -48 * time.Hour, time.Nanosecond, 1500 * time.Millisecond} {
			machine.Jump(by)
			time.Sleep(1234567 * time.Nanosecond)
			after := machine.Now()
			if got, want := after.Round(0).Sub(before.Round(0)), by+1234567; got != want {
				t.Errorf("after a jump by %v the wall time is another by %v, want %v", by, got, want)
			}
			if got := after.Sub(before); got != 1234567 || !after.After(before) {
				t.Errorf("after a jump by %v a reading is later by %v, want what has passed", by, got)
			}
			before = after
		}
	})
}
