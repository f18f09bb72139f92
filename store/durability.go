//go:build !faults

package store

const (
	// synchronous flushes every commit before it counts (C1).
	synchronous = "FULL"

	// copyAfter is how many pages the log grows by before they are copied into the file: 16 MiB. What many events change,
	// such as the pages of an index, is copied once then.
	copyAfter = 4096

	// restAfter is how many pages the log may grow by, while it is copied, for the writer to copy them itself: 1 MiB.
	restAfter = 256

	// lookAfter is how many statements may go by before the log is looked at: each changes a few pages at the most.
	lookAfter = 1024
)
