package node

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/tussah-network/tussah/p2p/attest"
	"github.com/tussah-network/tussah/p2p/attest/policyfile"
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
	verifiers
	gpus       accelerators
	compatible bool
	cache      *attest.Cache             // of gate A, where the same evidence comes again
	last       *atomic.Pointer[policyAt] // the last epoch known
	measured   []attest.Event            // what every node of this network measures; see events
	view       func() (registry.View, error)
}

func newPolicy(cfg Config, registry string, v verifiers, view func() (registry.View, error)) policy {
	return policy{verifiers: v, gpus: newAccelerators(cfg.Attestation, v), compatible: cfg.Attestation.Compatible, cache: &attest.Cache{}, last: &atomic.Pointer[policyAt]{},
		measured: commonEvents(cfg.Network.ID, registry), view: view}
}

// epoch changes with what the registry allows. While it is not known, the last
// one holds.
func (p policy) epoch() uint64 {
	if view, err := p.view(); err == nil {
		return p.epochOf(view.State)
	}
	if last := p.last.Load(); last != nil {
		return last.epoch
	}
	return 0
}

// policyAt is the epoch of a version of the registry.
type policyAt struct{ version, epoch uint64 }

// epochOf is [policyEpoch], once for each version: it is asked for every peer.
func (p policy) epochOf(s tlb.RegistryState) uint64 {
	last := p.last.Load()
	if last == nil || last.version != s.Version {
		last = &policyAt{s.Version, policyEpoch(s)}
		p.last.Store(last)
	}
	return last.epoch
}

// policyEpoch identifies what a registry allows. Its version is no use: whoever
// registers a proxy raises that, and would have all peers attest anew.
func policyEpoch(s tlb.RegistryState) uint64 {
	h := sha256.New()
	for _, image := range slices.SortedFunc(maps.Keys(s.Images), compareHashes) {
		h.Write(append(image[:], byte(s.Images[image])))
	}
	h.Write([]byte("models"))
	for _, model := range slices.SortedFunc(maps.Keys(s.Models), compareHashes) {
		h.Write(model[:])
	}
	h.Write([]byte("platforms"))
	for _, platform := range slices.SortedFunc(maps.Keys(s.Platforms), compareHashes) {
		h.Write(platform[:])
		h.Write(strconv.AppendBool(nil, s.Platforms[platform]))
	}
	return binary.BigEndian.Uint64(h.Sum(nil))
}

func compareHashes(a, b [32]byte) int { return bytes.Compare(a[:], b[:]) }

// allowed is what the registry allows, and the time to judge at. Errors are ours:
// they wrap [ratls.ErrCannotJudge].
func (p policy) allowed() (policyfile.View, time.Time, error) {
	view, err := p.view()
	if err != nil {
		return policyfile.View{}, time.Time{}, fmt.Errorf("%w: %w", ratls.ErrCannotJudge, err)
	}
	now, err := attest.Now(time.Now(), view.Block.Time)
	if err != nil {
		return policyfile.View{}, time.Time{}, fmt.Errorf("%w: %w", ratls.ErrCannotJudge, err)
	}
	return policyfile.View{
		Epoch:      p.epochOf(view.State),
		Image:      func(role policyfile.Role, image [32]byte) error { return view.Image(registryRoles[role], image) },
		Platform:   func(id attest.PlatformID) error { return view.Platform(id) },
		Registered: func(id attest.PlatformID) error { return view.Registered(id) },
		Model:      view.Model,
		Events:     p.events,
	}, now, nil
}

// model returns nil for a model that may be bought.
func (p policy) model(name string) error {
	allowed, _, err := p.allowed()
	if err != nil {
		return err
	}
	return p.file.Model(allowed, name)
}

// appraise is the check at both gates: genuine evidence of an image and a
// platform that the registry allows; at gate A in some role, at gate B in the one
// that the peer claims.
func (p policy) appraise(s ratls.Shown) (attest.Appraisal, error) {
	allowed, now, err := p.allowed()
	if err != nil {
		return attest.Appraisal{}, err
	}
	if s.Gate == ratls.GateA {
		accept := p.file.Policy(allowed, now, policyfile.Proxy, policyfile.Worker)
		accept.EventsLater = true
		return p.judge(s.Evidence, s.ReportData, accept, now)
	}
	accept := p.file.Policy(allowed, now, fileRoles[s.Claims.Role])
	accept.TTL = min(accept.TTL, 2*p.file.GateInterval())
	a, err := p.judge(s.Evidence, s.ReportData, accept, now)
	if errors.Is(err, attest.ErrNoCollateral) {
		err = fmt.Errorf("%w: %w", ratls.ErrCannotJudge, err) // it passed gate A, so there was some
	}
	if err == nil {
		a.GPUs, err = p.gpus.appraise(s, now)
	}
	if err != nil {
		return attest.Appraisal{}, err
	}
	return a, nil
}

// A peer's role as a policy file calls it, and as the registry lists images for
// it. A client has none.
var (
	fileRoles     = map[ratls.Role]policyfile.Role{ratls.RoleProxy: policyfile.Proxy, ratls.RoleWorker: policyfile.Worker}
	registryRoles = map[policyfile.Role]tlb.Roles{policyfile.Proxy: tlb.RoleProxy, policyfile.Worker: tlb.RoleWorker}
)

// judge takes evidence to the verifier of its TEE.
func (p policy) judge(e attest.Evidence, reportData [64]byte, accept attest.Policy, now time.Time) (attest.Appraisal, error) {
	accept.AllowSimulated = p.simulated
	v, err := p.verifier(e.TEE)
	if err != nil {
		return attest.Appraisal{}, err
	}
	if accept.EventsLater {
		return p.cache.Appraise(v, e, reportData, accept, now)
	}
	return v.Appraise(e, reportData, accept, now)
}

// judgeOwn judges this node's own evidence: what it could not accept, no peer
// will. Image and platform are not judged, as the registry may come to list them
// while the node runs.
func (p policy) judgeOwn(e attest.Evidence, reportData [64]byte) (attest.Appraisal, error) {
	v, err := p.verifier(e.TEE)
	if err != nil {
		return attest.Appraisal{}, err
	}
	accept := p.file.Policy(policyfile.View{}, time.Now())
	accept.AllowSimulated, accept.EventsLater = p.simulated, true
	accept.Image, accept.Platform = func([32]byte) error { return nil }, attest.AnyPlatform
	return v.Appraise(e, reportData, accept, time.Now())
}

// identify is how the verifier of its TEE identifies evidence.
func (p policy) identify(e attest.Evidence, reportData [64]byte) ([32]byte, error) {
	v, err := p.verifier(e.TEE)
	if err != nil {
		return [32]byte{}, err
	}
	return v.Identify(e, reportData)
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
	if e := shown[eventIndex(attest.EventPolicy)]; len(e.Payload) != 1+sha256.Size || e.Payload[0] != 0 && !p.compatible {
		return fmt.Errorf("event %q is %x: the peer accepts gate A alone, or does not say", e.Name, e.Payload)
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
		case registryRoles[fileRoles[peer.Claims.Role]] != role:
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
