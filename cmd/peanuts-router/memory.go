package main

import (
	"os"
	"runtime/debug"
)

const (
	// collectAt is how much the heap may grow, in percent, before what nobody uses is collected. The daemon keeps little for
	// long and makes much for one event: at Go's own 100 a tenth of its time went into collecting.
	collectAt = 300
	// memoryAim is where the collector begins to work harder than that, in bytes, unless the system allows less: in a
	// container the process would be killed then, though most of what it holds nobody uses (F40).
	memoryAim = 160 << 20
)

// tuneMemory sets the garbage collector for a daemon, unless GOGC or GOMEMLIMIT say otherwise.
func tuneMemory() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(collectAt)
	}
	if os.Getenv("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(min(memoryAim, ofWhichOurs(memoryLimit(os.DirFS("/")))))
	}
}
