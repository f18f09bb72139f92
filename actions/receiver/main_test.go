package receiver

import (
	"testing"

	"go.uber.org/goleak"
)

// Close ends all that Start began.
func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }
