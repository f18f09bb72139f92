package main

import (
	"slices"
	"time"
)

// quantiles are how long something took, as most saw it.
type quantiles struct {
	P50  time.Duration `json:"p50"`
	P99  time.Duration `json:"p99"`
	P999 time.Duration `json:"p999"`
}

// quantilesOf sorts the times it is given. Of none they are zero.
func quantilesOf(took []time.Duration) quantiles {
	slices.Sort(took)
	return quantiles{P50: atRank(took, 0.5), P99: atRank(took, 0.99), P999: atRank(took, 0.999)}
}

// atRank is the smallest of sorted times that a share of them does not exceed.
func atRank(sorted []time.Duration, share float64) time.Duration {
	if len(sorted) == 0 {
		return 0
	}
	rank := int(share*float64(len(sorted)) + 0.999999)
	return sorted[min(max(rank, 1), len(sorted))-1]
}

// median sorts the times it is given.
func median(took []time.Duration) time.Duration {
	slices.Sort(took)
	return atRank(took, 0.5)
}
