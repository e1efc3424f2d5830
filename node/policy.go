package node

import (
	"bytes"
	"errors"
	"fmt"
	"time"

	"github.com/tussah-network/tussah/p2p/attest"
	"github.com/tussah-network/tussah/p2p/attest/sim"
	"github.com/tussah-network/tussah/p2p/ratls"
	"github.com/tussah-network/tussah/p2p/session"
	"github.com/tussah-network/tussah/registry"
	"github.com/tussah-network/tussah/tlb"
)

// Refusals of peers by this node's own rules.
var (
	// ErrNoEvidence says that a peer whose role needs evidence showed none.
	ErrNoEvidence = errors.New("the peer showed no evidence")
	// ErrGateB says that a peer did not show fresh evidence inside the connection.
	ErrGateB = errors.New("the peer passed gate A alone, and attestation.compatible is off")
	// ErrRole says that a peer attested for one role and plays another.
	ErrRole = errors.New("the peer's evidence is for another role")
)

// policy judges peers: evidence at the gates, roles at the first message.
type policy struct {
	verifiers  []attest.Verifier
	simulated  bool
	compatible bool
	measured   []attest.Event // what every node of this network measures; see events
	view       func() (registry.View, error)
}

// newPolicy believes the simulated root only where the configuration names it,
// and configurations of production networks cannot.
func newPolicy(cfg Config, registry string, view func() (registry.View, error)) (policy, error) {
	p := policy{view: view, compatible: cfg.Attestation.Compatible, measured: commonEvents(cfg.Network.ID, registry)}
	if dir := cfg.Attestation.SimulatedCA; dir != "" {
		v, err := sim.LoadVerifier(dir)
		if err != nil {
			return policy{}, fmt.Errorf("attestation.simulated_ca: %w", err)
		}
		p.verifiers, p.simulated = append(p.verifiers, v), true
	}
	return p, nil
}

// epoch is raised by every change of the registry.
func (p policy) epoch() uint64 {
	view, err := p.view()
	if err != nil {
		return 0 // nothing passes without a view
	}
	return view.State.Version
}

// appraise is the check at both gates: genuine evidence of an image and a
// platform that the registry allows; at gate A in some role, at gate B in the one
// that the peer claims.
func (p policy) appraise(s ratls.Shown) (attest.Appraisal, error) {
	view, err := p.view()
	if err != nil {
		return attest.Appraisal{}, err
	}
	now, err := attest.Now(time.Now(), view.Block.Time)
	if err != nil {
		return attest.Appraisal{}, err
	}
	accept := attest.Policy{
		Epoch:       view.State.Version,
		EventsLater: s.Gate == ratls.GateA,
		Events:      p.events,
		Platform:    func(id attest.PlatformID) error { return view.Platform(id) },
		Image: func(image [32]byte) error {
			switch {
			case s.Gate == ratls.GateB:
				return view.Image(registryRole(s.Claims.Role), image)
			case view.Image(tlb.RoleProxy, image) == nil:
				return nil
			}
			return view.Image(tlb.RoleWorker, image)
		},
	}
	if s.Gate == ratls.GateB {
		accept.TTL = 2 * gateEvery
	}
	if len(s.GPU) > 0 {
		return attest.Appraisal{}, ErrAccelerators
	}
	return p.judge(s.Evidence, s.ReportData, accept, now)
}

// gateEvery is how often a peer must show fresh evidence.
const gateEvery = time.Hour

// ErrAccelerators says that nothing here appraises evidence of accelerators.
var ErrAccelerators = errors.New("evidence of accelerators is not configured here")

// registryRole is a role as the registry lists images for it; a client's is none.
func registryRole(r ratls.Role) tlb.Roles {
	switch r {
	case ratls.RoleProxy:
		return tlb.RoleProxy
	case ratls.RoleWorker:
		return tlb.RoleWorker
	}
	return 0
}

// judge takes evidence to the verifier of its TEE.
func (p policy) judge(e attest.Evidence, reportData [64]byte, accept attest.Policy, now time.Time) (attest.Appraisal, error) {
	accept.AllowSimulated = p.simulated
	v, err := p.verifier(e.TEE)
	if err != nil {
		return attest.Appraisal{}, err
	}
	return v.Appraise(e, reportData, accept, now)
}

// identify is how the verifier of its TEE identifies evidence.
func (p policy) identify(e attest.Evidence, reportData [64]byte) ([32]byte, error) {
	v, err := p.verifier(e.TEE)
	if err != nil {
		return [32]byte{}, err
	}
	return v.Identify(e, reportData)
}

func (p policy) verifier(tee attest.TEE) (attest.Verifier, error) {
	for _, v := range p.verifiers {
		if v.TEE() == tee {
			return v, nil
		}
	}
	return nil, fmt.Errorf("%w: %v", attest.ErrTEE, tee)
}

// events judges what a machine measured: every event, once, in its order, and
// those that all nodes share with the value they have here.
func (p policy) events(shown []attest.Event) error {
	if len(shown) != len(eventOrder) {
		return fmt.Errorf("%d events instead of %d", len(shown), len(eventOrder))
	}
	for i, e := range shown {
		if e.Name != eventOrder[i] {
			return fmt.Errorf("event %d is %q instead of %q", i, e.Name, eventOrder[i])
		}
	}
	for _, want := range p.measured {
		if e := shown[eventIndex(want.Name)]; !bytes.Equal(e.Payload, want.Payload) {
			return fmt.Errorf("event %q is %x instead of %x", want.Name, e.Payload, want.Payload)
		}
	}
	return nil
}

// admit returns the check of a peer in a role, made before a byte of a stream is
// written or read. The registry is asked each time: an image or a platform that
// was revoked after the handshake is out.
func (p policy) admit(role tlb.Roles) func(session.Peer) error {
	return func(peer session.Peer) error {
		switch {
		case peer.Appraisal == nil:
			return ErrNoEvidence
		case peer.Claims == ratls.Claims{}:
			if !p.compatible {
				return ErrGateB
			}
		case registryRole(peer.Claims.Role) != role:
			return fmt.Errorf("%w: %s", ErrRole, peer.Claims.Role)
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
