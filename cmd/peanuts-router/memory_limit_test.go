package main

import (
	"math"
	"testing"
	"testing/fstest"
)

// F40: the limit of a container is found, however the system tells it.
func TestTheMemoryThatAProcessMayTakeIsFound(t *testing.T) {
	const none = math.MaxInt64
	for name, c := range map[string]struct {
		files map[string]string
		want  int64
	}{
		"no control groups":           {nil, none},
		"version 2, in a container":   {map[string]string{"proc/self/cgroup": "0::/\n", "sys/fs/cgroup/memory.max": "134217728\n"}, 128 << 20},
		"version 2, without a limit":  {map[string]string{"proc/self/cgroup": "0::/\n", "sys/fs/cgroup/memory.max": "max\n"}, none},
		"version 2, of a group above": {map[string]string{"proc/self/cgroup": "0::/a/b\n", "sys/fs/cgroup/a/b/memory.max": "max\n", "sys/fs/cgroup/a/memory.max": "4096\n"}, 4096},
		"version 1": {map[string]string{
			"proc/self/cgroup": "8:pids:/x\n4:memory:/x\n0::/\n", "sys/fs/cgroup/memory/x/memory.limit_in_bytes": "134217728\n",
			"sys/fs/cgroup/memory/memory.limit_in_bytes": "9223372036854771712\n",
		}, 128 << 20},
		"version 1, without a limit": {map[string]string{"proc/self/cgroup": "4:memory:/\n", "sys/fs/cgroup/memory/memory.limit_in_bytes": "9223372036854771712\n"}, none},
		"what makes no sense":        {map[string]string{"proc/self/cgroup": "memory\n0::/\n", "sys/fs/cgroup/memory.max": "much\n"}, none},
	} {
		system := fstest.MapFS{}
		for path, text := range c.files {
			system[path] = &fstest.MapFile{Data: []byte(text)}
		}
		if got := memoryLimit(system); got != c.want {
			t.Errorf("%s: memoryLimit() = %d, want %d", name, got, c.want)
		}
	}
}
