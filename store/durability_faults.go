//go:build faults

package store

import (
	"cmp"
	"os"
	"strconv"
)

// In a build for torture the environment says how durable commits are, and how often the log is copied.
var (
	synchronous  = cmp.Or(os.Getenv("PEANUTS_FAULT_SYNCHRONOUS"), "FULL")
	copyAfter, _ = strconv.Atoi(cmp.Or(os.Getenv("PEANUTS_FAULT_COPY_AFTER"), "4096"))
	restAfter    = copyAfter / 16
	lookAfter    = min(copyAfter/4, 1024)
)
