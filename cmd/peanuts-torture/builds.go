package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"

	"github.com/peanuts-router/peanuts-router/internal/fault"
)

// builds are the binaries of the router: the one that people run, and the one that breaks where it is told to.
type builds struct{ plain, faulty string }

// buildAside makes both in a directory of their own, which remove removes.
func buildAside(ctx context.Context) (b builds, remove func(), err error) {
	dir, err := os.MkdirTemp("", "peanuts-torture-bin-")
	if err != nil {
		return b, nil, err
	}
	remove = func() { _ = os.RemoveAll(dir) } // what is left of it takes room, and no more
	if b, err = build(ctx, dir); err != nil {
		remove()
	}
	return b, remove, err
}

// build makes both from the tree that this program stands in, and sees that the bugs are in the one and not in the other.
func build(ctx context.Context, dir string) (b builds, err error) {
	b = builds{plain: filepath.Join(dir, "peanuts-router"), faulty: filepath.Join(dir, "peanuts-router-faults")}
	for _, args := range [][]string{{"-o", b.plain}, {"-tags", "faults", "-o", b.faulty}} {
		args = append(append([]string{"build"}, args...), "github.com/peanuts-router/peanuts-router/cmd/peanuts-router")
		if said, err := exec.CommandContext(ctx, "go", args...).CombinedOutput(); err != nil {
			return b, fmt.Errorf("building the router: %w\n%s", err, said)
		}
	}
	for binary, want := range map[string]bool{b.plain: false, b.faulty: true} {
		text, err := os.ReadFile(binary)
		if err != nil {
			return b, err
		}
		if got := bytes.Contains(text, []byte(fault.DedupeInMemory)); got != want {
			return b, fmt.Errorf("bugs can be planted in %s: %t, and it should be %t", filepath.Base(binary), got, want)
		}
	}
	return b, nil
}

// of is the binary for lives with an environment.
func (b builds) of(env []string) string {
	if len(env) > 0 {
		return b.faulty
	}
	return b.plain
}
