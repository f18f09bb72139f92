package dispatch

import (
	"math"
	"time"

	"github.com/cenkalti/backoff/v4"

	"github.com/peanuts-router/peanuts-router/engine"
)

// waitAfter is how long a plan waits after its nth attempt; n counts from 1 and is below the plan's limit.
func waitAfter(plan engine.RetryPlan, n int) time.Duration {
	wait, longest := time.Duration(0), time.Duration(math.MaxInt64)
	if plan.Waits != nil {
		wait = plan.Waits[n-1]
	} else {
		longest = plan.MaxInterval
		wait = longest
		if grown := float64(plan.Initial) * math.Pow(plan.Multiplier, float64(n-1)); grown < float64(longest) {
			wait = time.Duration(grown)
		}
	}
	// backoff is asked for one delay only: the store does the waiting, so that a restart forgets nothing. Its limit is
	// kept before it jitters, ours after.
	policy := backoff.NewExponentialBackOff(
		backoff.WithInitialInterval(wait), backoff.WithMaxInterval(wait),
		backoff.WithRandomizationFactor(plan.Jitter), backoff.WithMaxElapsedTime(0),
	)
	return min(policy.NextBackOff(), longest)
}
