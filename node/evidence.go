package node

import (
	"fmt"
	"path/filepath"
	"sync"
	"time"

	"github.com/tussah-network/tussah/p2p/attest"
	"github.com/tussah-network/tussah/p2p/attest/sim"
)

// evidence obtains this node's own evidence, and remembers what it amounts to:
// receipts name it.
type evidence struct {
	quoter attest.Quoter
	policy policy

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
	return &evidence{quoter: ca.Platform(filepath.Base(dataDir)).Quoter(sim.Measure(cfg.Image)), policy: p}, nil
}

// Quote implements attest.Quoter.
func (e *evidence) Quote(reportData [64]byte) ([]byte, error) {
	quote, err := e.quoter.Quote(reportData)
	if err != nil {
		return nil, err
	}
	// What we could not accept ourselves, no peer will. The image is not judged:
	// the registry may come to list it while we run.
	own, err := attest.Appraise(quote, reportData, attest.Policy{Roots: e.policy.roots, AllowSimulated: e.policy.simulated,
		Image: func([32]byte) error { return nil }, Platform: attest.AnyPlatform}, time.Now())
	if err != nil {
		return nil, fmt.Errorf("own evidence: %w", err)
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.mu.own = own
	return quote, nil
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
