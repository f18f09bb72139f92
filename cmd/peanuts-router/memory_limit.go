package main

import (
	"io/fs"
	"math"
	"path"
	"strconv"
	"strings"
)

// ofWhichOurs leaves three eighths to what the garbage collector does not know of: the caches of SQLite and the program's text.
func ofWhichOurs(limit int64) int64 { return limit / 8 * 5 }

// memoryLimit is what control groups allow this process, of either version; math.MaxInt64 when they allow all there is.
func memoryLimit(system fs.FS) int64 {
	groups, err := fs.ReadFile(system, "proc/self/cgroup")
	if err != nil {
		return math.MaxInt64
	}
	limit := int64(math.MaxInt64)
	for line := range strings.Lines(string(groups)) {
		parts := strings.SplitN(strings.TrimSpace(line), ":", 3)
		if len(parts) != 3 {
			continue
		}
		switch {
		case parts[1] == "memory":
			limit = min(limit, lowest(system, "sys/fs/cgroup/memory", parts[2], "memory.limit_in_bytes"))
		case parts[0] == "0" && parts[1] == "":
			limit = min(limit, lowest(system, "sys/fs/cgroup", parts[2], "memory.max"))
		}
	}
	return limit
}

// lowest is the lowest limit of a group and those that it is in.
func lowest(system fs.FS, root, group, file string) int64 {
	limit := int64(math.MaxInt64)
	for group = path.Clean("/" + group); ; group = path.Dir(group) {
		text, err := fs.ReadFile(system, path.Join(root, group, file))
		// Version 1 writes a number of that size where there is no limit, version 2 the word max.
		if n, failed := strconv.ParseInt(strings.TrimSpace(string(text)), 10, 64); err == nil && failed == nil && n < 1<<60 {
			limit = min(limit, n)
		}
		if group == "/" {
			return limit
		}
	}
}
