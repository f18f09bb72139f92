//go:build !linux

package pgtest

import (
	"syscall"
	"testing"
)

// identity skips the test: only Linux ends a server with the test that started it.
func identity(t testing.TB) (attributes *syscall.SysProcAttr, owner int) {
	t.Helper()
	t.Skip("SKIPPED: PostgreSQL is started for tests on Linux only")
	return nil, -1
}

func (s *Server) launch() error { return s.process.Start() }
