package main

import (
	"context"
	"testing"
	"testing/synctest"
	"time"
)

// A router that gets on is waited for, however slow it is; one that does not is given up after a while.
func TestARouterThatGetsOnIsWaitedFor(t *testing.T) {
	for name, c := range map[string]struct {
		each time.Duration // one more delivery is done
		most int           // that get done
		want int           // that are left of ten
	}{"it gets on": {50 * time.Second, 10, 0}, "it is stuck": {50 * time.Second, 7, 3}, "it is too slow": {2 * time.Minute, 10, 10}} {
		synctest.Test(t, func(t *testing.T) {
			began := time.Now()
			v, err := settled(t.Context(), time.Minute, func(context.Context) (vitals, error) {
				done := min(c.most, int(time.Since(began)/c.each))
				return vitals{Pending: 10 - done}, nil
			})
			if err != nil || v.Pending != c.want {
				t.Errorf("%s: settled() = %d pending, %v; want %d", name, v.Pending, err, c.want)
			}
		})
	}
}
