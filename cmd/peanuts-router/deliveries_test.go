package main

import (
	"testing"
	"time"

	"github.com/peanuts-router/peanuts-router/engine"
)

func TestADeliveryIsDueOnceNothingHoldsIt(t *testing.T) {
	now := time.Now()
	for want, d := range map[string]engine.Delivery{
		"":        {},
		"now":     {NextAt: now.Add(-time.Second)},
		"in 2m0s": {NextAt: now.Add(2 * time.Minute)},
		"in 1m0s": {NextAt: now.Add(-time.Second), Held: engine.HeldPaused, HeldUntil: now.Add(time.Minute)},
		"later":   {NextAt: now.Add(-time.Second), Held: engine.HeldBreaker},
	} {
		if got := dueText(d, now); got != want {
			t.Errorf("the delivery %+v is due %q, want %q", d, got, want)
		}
	}
}
