package node

import (
	"context"
	"fmt"
	"log/slog"
	"path/filepath"
	"sync"

	"github.com/tussah-network/tussah/p2p/attest"
	"github.com/tussah-network/tussah/p2p/attest/host"
	"github.com/tussah-network/tussah/p2p/attest/sim"
	"github.com/tussah-network/tussah/p2p/attest/snp"
	"github.com/tussah-network/tussah/p2p/attest/tdx"
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
func newEvidence(all Config, registry string, p policy, log *slog.Logger) (*evidence, error) {
	cfg := all.Attestation
	o := host.Options{Log: log}
	switch {
	case cfg.TEE == attest.TDX.String():
		return &evidence{provider: host.NewTDX(tdx.Canonical, o), policy: p}, nil
	case cfg.TEE == attest.SNP.String():
		// This kind cannot measure while it runs: whoever launches the VM announces
		// in HOST_DATA what the node is going to be.
		launch, err := eventsOf(all, registry)
		if err != nil {
			return nil, err
		}
		return &evidence{provider: host.NewSNP(snp.Canonical, launch, o), policy: p}, nil
	case cfg.Image == "":
		return nil, nil
	}
	ca, err := sim.LoadCA(cfg.SimulatedCA)
	if err != nil {
		return nil, fmt.Errorf("attestation.simulated_ca: %w", err)
	}
	// Each data folder is a machine of its own.
	return &evidence{provider: ca.Platform(filepath.Base(all.DataDir)).VM(sim.Measure(cfg.Image)), policy: p}, nil
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
	own, err := e.policy.judgeOwn(shown, reportData)
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
