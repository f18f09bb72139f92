package pgtest

import (
	"os"
	"os/user"
	"runtime"
	"strconv"
	"syscall"
	"testing"
)

// identity is how the server's processes run: they end with us and, as PostgreSQL refuses to run as root, in the name of
// another user then, who has to own its files. The owner is -1 where that is us.
func identity(t testing.TB) (attributes *syscall.SysProcAttr, owner int) {
	t.Helper()
	attributes = &syscall.SysProcAttr{Pdeathsig: syscall.SIGQUIT}
	if os.Getuid() != 0 {
		return attributes, -1
	}
	for _, name := range []string{"postgres", "nobody"} {
		found, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, _ := strconv.Atoi(found.Uid)
		gid, _ := strconv.Atoi(found.Gid)
		attributes.Credential = &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
		return attributes, uid
	}
	t.Skip("SKIPPED: PostgreSQL does not run as root, and there is neither a user postgres nor nobody")
	return nil, -1
}

// launch starts the process and sees it end. It is told to end when the thread that started it does, so that thread is
// kept until then.
func (s *Server) launch() error {
	s.ended = make(chan struct{})
	started := make(chan error)
	go func() {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		defer close(s.ended)
		err := s.process.Start()
		started <- err
		if err == nil {
			_ = s.process.Wait()
		}
	}()
	return <-started
}
