package openai

import (
	"testing"

	"go.uber.org/goleak"
)

// TestMain fails if a test leaves a goroutine behind: an answer nobody reads, a watchdog nobody stops.
func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }
