package actions

import (
	"testing"

	"go.uber.org/goleak"

	"github.com/peanuts-router/peanuts-router/internal/pgtest"
)

// stopping runs the tests and stops PostgreSQL after them.
type stopping struct{ *testing.M }

func (s stopping) Run() int {
	defer pgtest.Stop()
	return s.M.Run()
}

// No sender leaves anything running: neither after an attempt that was cut, nor after Close.
func TestMain(m *testing.M) { goleak.VerifyTestMain(stopping{m}) }
