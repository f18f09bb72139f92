//go:build race

package dispatch

import "time"

const outage = 2 * time.Hour // of a target, in virtual time: the race detector makes each look at the store ten times as slow
