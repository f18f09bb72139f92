package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"time"
)

// spent is what a router took of the machine in its whole life.
type spent struct {
	cpu    time.Duration // of all processors, in the program and in the kernel for it
	memory int64         // resident at the most, in bytes
	store  int64         // bytes of the store's files, once it was closed
	log    int64         // bytes of its log
}

// stop ends the router as an operator does, and tells what it took.
func (r *router) stop() (spent, error) {
	memory := r.resident()
	if err := r.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		return spent{}, fmt.Errorf("stopping the router: %w", err)
	}
	if err := r.wait(); err != nil {
		return spent{}, fmt.Errorf("the router ended badly: %w; see %s", err, filepath.Join(r.dir, logFile))
	}
	used := r.used(memory)
	var err error
	used.store, used.log, err = r.sizes()
	return used, err
}

// kill ends the router at once, whatever it is at.
func (r *router) kill() spent {
	memory := r.resident()
	_ = r.cmd.Process.Kill()
	_ = r.wait()
	return r.used(memory)
}

// wait waits for the end, as often as it is called.
func (r *router) wait() error {
	err := <-r.ended
	r.ended <- err
	return err
}

// resident is how much memory the running router has held at the most; 0 where the system does not tell.
func (r *router) resident() int64 {
	status, _ := os.ReadFile(fmt.Sprintf("/proc/%d/status", r.cmd.Process.Pid))
	_, after, _ := strings.Cut(string(status), "VmHWM:")
	var kibibytes int64
	if _, err := fmt.Sscan(after, &kibibytes); err != nil {
		return 0
	}
	return kibibytes << 10
}

// used is what the ended router took. Its memory is what was seen before, if anything: Linux counts into that of an
// ended process what the one that started it held.
func (r *router) used(memory int64) spent {
	state := r.cmd.ProcessState
	used := spent{cpu: state.UserTime() + state.SystemTime(), memory: memory}
	if usage, ok := state.SysUsage().(*syscall.Rusage); ok && memory == 0 {
		used.memory = usage.Maxrss
		if runtime.GOOS != "darwin" { // where it is in bytes already
			used.memory *= 1024
		}
	}
	return used
}

// sizes are the bytes of the store, with its write-ahead log if one is left, and of the log.
func (r *router) sizes() (store, log int64, err error) {
	for _, name := range []string{storeFile, storeFile + "-wal"} {
		info, err := os.Stat(filepath.Join(r.dir, name))
		switch {
		case err == nil:
			store += info.Size()
		case !errors.Is(err, fs.ErrNotExist):
			return 0, 0, err
		}
	}
	info, err := os.Stat(filepath.Join(r.dir, logFile))
	if err != nil {
		return 0, 0, err
	}
	return store, info.Size(), nil
}
