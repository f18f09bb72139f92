package dispatch

import (
	"time"

	"golang.org/x/time/rate"

	"github.com/peanuts-router/peanuts-router/engine"
)

// burstTime is how much of an action's rate may be spent at once: what was not sent in a quiet hour is not made up for in
// one second, and a backlog drains at the rate.
const burstTime = 100 * time.Millisecond

// pace holds the attempts of a lane to the rate of its action. What is not sent yet waits in the store, and uses up no
// attempt. Its methods are called with the lane locked.
type pace struct {
	rate    engine.Rate
	limiter *rate.Limiter // nil: any rate
}

// follow takes over the rate that the action has now.
func (p *pace) follow(r engine.Rate) {
	if r == p.rate {
		return
	}
	p.rate, p.limiter = r, nil
	if r.N > 0 {
		burst := max(1, int(float64(r.N)*burstTime.Seconds()/r.Per.Seconds()))
		p.limiter = rate.NewLimiter(rate.Limit(float64(r.N)/r.Per.Seconds()), burst)
	}
}

// allows is how many of n attempts may begin now and, when it is none, at what moment some may: they are let go together,
// as many as burstTime brings, so that the store is not asked for each of them.
func (p *pace) allows(now time.Time, n int) (allowed int, next time.Time) {
	if p.limiter == nil || n == 0 {
		return n, time.Time{}
	}
	tokens := p.limiter.TokensAt(now)
	if tokens >= 1 {
		return min(n, int(tokens)), time.Time{}
	}
	wait := time.Duration((float64(min(n, p.limiter.Burst())) - tokens) / float64(p.limiter.Limit()) * float64(time.Second))
	return 0, now.Add(wait + time.Millisecond)
}

// spend notes that n attempts begin.
func (p *pace) spend(now time.Time, n int) {
	if p.limiter != nil && n > 0 {
		p.limiter.ReserveN(now, min(n, p.limiter.Burst()))
	}
}
