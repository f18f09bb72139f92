package actions

import (
	"testing"

	"go.uber.org/goleak"
)

// No sender leaves anything running: neither after an attempt that was cut, nor after Close.
func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }
