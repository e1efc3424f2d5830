package node

import (
	"errors"
	"fmt"
	"time"

	"github.com/tussah-network/tussah/p2p/attest"
	"github.com/tussah-network/tussah/p2p/attest/sim"
	"github.com/tussah-network/tussah/p2p/session"
	"github.com/tussah-network/tussah/registry"
	"github.com/tussah-network/tussah/tlb"
)

// ErrNoEvidence says that a peer whose role needs evidence showed none.
var ErrNoEvidence = errors.New("the peer showed no evidence")

// policy judges peers: evidence in the handshake, roles at the first message.
type policy struct {
	verifiers []attest.Verifier
	simulated bool
	view      func() (registry.View, error)
}

// newPolicy believes the simulated root only where the configuration names it,
// and configurations of production networks cannot.
func newPolicy(cfg AttestationConfig, view func() (registry.View, error)) (policy, error) {
	p := policy{view: view}
	if cfg.SimulatedCA != "" {
		v, err := sim.LoadVerifier(cfg.SimulatedCA)
		if err != nil {
			return policy{}, fmt.Errorf("attestation.simulated_ca: %w", err)
		}
		p.verifiers, p.simulated = append(p.verifiers, v), true
	}
	return p, nil
}

// appraise is the handshake's check: genuine evidence of an image and a platform
// that the registry allows in some role.
func (p policy) appraise(e attest.Evidence, reportData [64]byte) (attest.Appraisal, error) {
	return p.judge(e, reportData, attest.Policy{
		Image: func(image [32]byte) error {
			view, err := p.view()
			if err != nil {
				return err
			}
			if view.Image(tlb.RoleProxy, image) == nil {
				return nil
			}
			return view.Image(tlb.RoleWorker, image)
		},
		Platform: func(id attest.PlatformID) error {
			view, err := p.view()
			if err != nil {
				return err
			}
			return view.Platform(id)
		},
	})
}

// judge takes evidence to the verifier of its TEE.
func (p policy) judge(e attest.Evidence, reportData [64]byte, accept attest.Policy) (attest.Appraisal, error) {
	accept.AllowSimulated, accept.EventsLater = p.simulated, true
	for _, v := range p.verifiers {
		if v.TEE() == e.TEE {
			return v.Appraise(e, reportData, accept, time.Now())
		}
	}
	return attest.Appraisal{}, fmt.Errorf("%w: %v", attest.ErrTEE, e.TEE)
}

// admit returns the check of a peer in a role, made before a byte of a stream is
// written or read. The registry is asked each time: an image or a platform that
// was revoked after the handshake is out.
func (p policy) admit(role tlb.Roles) func(session.Peer) error {
	return func(peer session.Peer) error {
		if peer.Appraisal == nil {
			return ErrNoEvidence
		}
		view, err := p.view()
		if err != nil {
			return err
		}
		if err := view.Platform(peer.Appraisal.Platform); err != nil {
			return err
		}
		return view.Image(role, peer.Appraisal.Image)
	}
}
