package control

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/tussah-network/tussah/sandbox"
)

// world is the network together with what a [Server] remembers of it.
type world struct {
	Network
	maxWait time.Duration // MaxWait, but for tests

	mu struct {
		sync.Mutex
		snapshots []held // oldest first
		count     int    // snapshots ever taken without a name
		paused    *pace  // what pause interrupted
	}
}

// held is a snapshot that is kept under a name.
type held struct {
	SnapshotInfo
	snapshot *sandbox.Snapshot
}

type pace struct {
	mode     sandbox.Mode
	interval time.Duration
}

// deliver puts a message in and, if blocks are made at once or the caller
// waits, returns what it set off. The call do must put the message in before
// it looks at its context, as [sandbox.Chain] does.
func (w *world) deliver(ctx context.Context, wait bool, do func(context.Context) (*sandbox.Trace, error)) (Delivery, error) {
	mode, _ := w.Mode()
	instant := mode == sandbox.Instant
	if wait && mode == sandbox.Manual {
		return Delivery{}, fmt.Errorf("%w in the mode manual, so the message was not sent", ErrPaused)
	}
	ctx, cancel := context.WithTimeout(ctx, w.maxWait)
	defer cancel()
	if !instant && !wait {
		cancel()
	}
	trace, err := do(ctx)
	if errors.Is(err, context.Canceled) && !instant && !wait {
		return Delivery{Waits: true}, nil
	}
	if err != nil {
		return Delivery{}, err
	}
	return Delivery{Trace: newTrace(trace)}, nil
}
