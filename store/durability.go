//go:build !faults

package store

const (
	// synchronous flushes every commit before it counts (C1).
	synchronous = "FULL"
	// copyAfter is how many pages the log grows by before they are copied into the file: 4 MiB.
	copyAfter = 1024
)
