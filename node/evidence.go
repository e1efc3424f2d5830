package node

import (
	"context"
	"fmt"
	"path/filepath"
	"sync"
	"time"

	"github.com/tussah-network/tussah/p2p/attest"
	"github.com/tussah-network/tussah/p2p/attest/sim"
)

var _ attest.Provider = (*evidence)(nil)

// evidence obtains this node's own evidence, and remembers what it amounts to:
// receipts name it.
type evidence struct {
	provider attest.Provider
	policy   policy

	mu struct {
		sync.Mutex
		own attest.Appraisal
	}
}

// newEvidence is nil for a node that is configured to show none, as clients are.
func newEvidence(cfg AttestationConfig, dataDir string, p policy) (*evidence, error) {
	if cfg.Image == "" {
		return nil, nil
	}
	ca, err := sim.LoadCA(cfg.SimulatedCA)
	if err != nil {
		return nil, fmt.Errorf("attestation.simulated_ca: %w", err)
	}
	// Each data folder is a machine of its own.
	return &evidence{provider: ca.Platform(filepath.Base(dataDir)).VM(sim.Measure(cfg.Image)), policy: p}, nil
}

// TEE implements [attest.Provider].
func (e *evidence) TEE() attest.TEE { return e.provider.TEE() }

// Measure implements [attest.Provider].
func (e *evidence) Measure(ctx context.Context, event attest.Event) error {
	return e.provider.Measure(ctx, event)
}

// Evidence implements [attest.Provider].
func (e *evidence) Evidence(ctx context.Context, reportData [64]byte) (attest.Evidence, error) {
	shown, err := e.provider.Evidence(ctx, reportData)
	if err != nil {
		return attest.Evidence{}, err
	}
	// What we could not accept ourselves, no peer will. The image is not judged:
	// the registry may come to list it while we run.
	own, err := e.policy.judge(shown, reportData, attest.Policy{
		Image:       func([32]byte) error { return nil },
		Platform:    attest.AnyPlatform,
		EventsLater: true,
	}, time.Now())
	if err != nil {
		return attest.Evidence{}, fmt.Errorf("own evidence: %w", err)
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.mu.own = own
	return shown, nil
}

// appraisal is what the newest evidence amounts to.
func (e *evidence) appraisal() attest.Appraisal {
	if e == nil {
		return attest.Appraisal{}
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.mu.own
}
