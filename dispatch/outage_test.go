//go:build !race

package dispatch

import "time"

const outage = 24 * time.Hour // of a target, in virtual time
