package ratls

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/tussah-network/tussah/p2p/attest"
)

// exporterLabel is the label of the connection's keying material (RFC 8446, section 7.5).
const exporterLabel = "EXPORTER-tussah-attest-v1"

// gate is gate B: a mutual exchange inside a connection that passed gate A.
type gate struct{ options Options }

// pass takes both ends through gate B and returns what was concluded about the
// remote one. Both refuse by a verdict, so that each knows why.
func (g gate) pass(ctx context.Context, rw io.ReadWriter, remote *Peer) (p *Peer, err error) {
	// A peer's bytes are read below: a bug in that costs the peer its connection.
	defer func() {
		if r := recover(); r != nil {
			p, err = nil, fmt.Errorf("gate B: %w: %v", ErrPanic, r)
		}
	}()
	asked := g.options.now()
	ours, err := g.challenge()
	if err != nil {
		return nil, err
	}
	theirs, err := swap(rw, ours, func() (challenge, error) { return readFrame[challenge](rw, maxChallenge) })
	if err != nil {
		return nil, fmt.Errorf("gate B: challenge: %w", err)
	}
	session, refusal := g.session(remote, ours, theirs)
	session.asked = asked
	fresh := *remote
	var shown proof
	if refusal == nil {
		// That our machine fails is no reason for the peer to refuse us: the
		// exchange breaks off, and a keeper's is repeated.
		if shown, fresh.Shown, err = g.show(ctx, session); err != nil {
			return nil, fmt.Errorf("gate B: %w", err)
		}
	}
	answer, err := swap(rw, shown, func() (proof, error) { return readFrame[proof](rw, maxProof) })
	if err != nil && !errors.Is(err, ErrGateMessage) {
		return nil, fmt.Errorf("gate B: proof: %w", err)
	}
	switch {
	case refusal != nil:
	case err != nil:
		refusal = err
	default:
		fresh.Claims, fresh.Gated, fresh.epoch = session.theirClaims(), g.options.now(), ours.Epoch
		fresh.Appraisal, refusal = g.judge(session, answer, remote)
	}
	if errors.Is(refusal, ErrCannotJudge) {
		return nil, fmt.Errorf("gate B: %w", refusal) // no verdict: it is not about the peer
	}
	said, err := g.verdicts(rw, refusal)
	switch {
	case refusal != nil:
		return nil, fmt.Errorf("gate B: %w", refusal)
	case err != nil:
		return nil, fmt.Errorf("gate B: verdict: %w", err)
	}
	if err := said.err(); err != nil {
		return nil, fmt.Errorf("gate B: %w", err)
	}
	return &fresh, nil
}

func (g gate) challenge() (challenge, error) {
	self := g.options.self()
	c := challenge{Role: self.Role, Contract: self.Contract, Network: g.options.Network, Registry: g.options.Registry, Epoch: g.options.epoch()}
	if _, err := rand.Read(c.Nonce[:]); err != nil {
		return challenge{}, fmt.Errorf("gate B: nonce: %w", err)
	}
	return c, nil
}

// exchange is what both ends agree on before evidence is made.
type exchange struct {
	remote       *Peer
	ours, theirs challenge
	asked        time.Time // when ours was made
	exporter     [32]byte
}

func (g gate) session(remote *Peer, ours, theirs challenge) (exchange, error) {
	if theirs.Network != ours.Network || theirs.Registry != ours.Registry {
		return exchange{}, fmt.Errorf("%w: network %d and registry %q, here %d and %q", ErrNetwork, theirs.Network, theirs.Registry, ours.Network, ours.Registry)
	}
	// Evidence of ours, with all that it is bound to, could be shown to us by
	// somebody who got hold of our TLS key.
	if theirs.Nonce == ours.Nonce || remote.spki == remote.ownSPKI {
		return exchange{}, ErrReflection
	}
	nonces := append(ours.Nonce[:], theirs.Nonce[:]...)
	if !remote.dialed {
		nonces = append(theirs.Nonce[:], ours.Nonce[:]...)
	}
	secret, err := remote.Export(exporterLabel, nonces, 32)
	if err != nil {
		return exchange{}, fmt.Errorf("gate B: exporter: %w", err)
	}
	return exchange{remote: remote, ours: ours, theirs: theirs, exporter: [32]byte(secret)}, nil
}

func (x exchange) theirClaims() Claims {
	return Claims{Role: x.theirs.Role, Contract: x.theirs.Contract}
}

// show obtains our evidence for the peer's challenge, and what identifies it.
func (g gate) show(ctx context.Context, x exchange) (p proof, id [32]byte, err error) {
	if g.options.Provider == nil {
		return proof{}, id, nil
	}
	ctx, stop := context.WithTimeout(ctx, quoteTimeout)
	defer stop()
	var gpu []byte
	if g.options.GPU != nil {
		if gpu, err = g.options.GPU(ctx, GPUBound{Key: x.remote.ownSPKI, Nonce: x.theirs.Nonce, Exporter: x.exporter}); err != nil {
			return proof{}, id, fmt.Errorf("%w: accelerators: %w", ErrNoOwnEvidence, err)
		}
	}
	bound := Preimage{
		TEE: g.options.Provider.TEE(), Claims: Claims{x.ours.Role, x.ours.Contract},
		Network: x.ours.Network, Registry: x.ours.Registry, Epoch: x.theirs.Epoch,
		OwnKey: x.remote.ownSPKI, PeerKey: x.remote.spki, PeerNonce: x.theirs.Nonce, OwnNonce: x.ours.Nonce,
		Exporter: x.exporter, GPU: gpu,
	}.ReportData()
	e, err := g.options.Provider.Evidence(ctx, bound)
	if err == nil && g.options.Identify != nil {
		id, err = g.options.Identify(e, bound)
	}
	if err != nil {
		return proof{}, id, fmt.Errorf("%w: %w", ErrNoOwnEvidence, err)
	}
	return proofOf(e, gpu), id, nil
}

// judge appraises the peer's answer to our challenge. It must come from the
// machine that passed gate A, and from nobody who showed nothing there. Without
// evidence a peer is a client and nothing else.
func (g gate) judge(x exchange, p proof, atA *Peer) (a *attest.Appraisal, err error) {
	defer func() {
		if r := recover(); r != nil {
			a, err = nil, fmt.Errorf("%w: %v", ErrPanic, r)
		}
	}()
	switch {
	case p.TEE == 0 && atA.Appraisal == nil && x.theirs.Role == RoleClient:
		return nil, nil
	case p.TEE == 0:
		return nil, fmt.Errorf("gate B: %w", ErrNoEvidence)
	case atA.Appraisal == nil:
		return nil, ErrGates
	}
	bound := Preimage{
		TEE: p.TEE, Claims: x.theirClaims(),
		Network: x.ours.Network, Registry: x.ours.Registry, Epoch: x.ours.Epoch,
		OwnKey: x.remote.spki, PeerKey: x.remote.ownSPKI, PeerNonce: x.ours.Nonce, OwnNonce: x.theirs.Nonce,
		Exporter: x.exporter, GPU: p.GPU,
	}
	appraisal, err := g.options.Appraise(Shown{
		Gate: GateB, Peer: x.remote.ID, Evidence: p.evidence(), ReportData: bound.ReportData(), Claims: bound.Claims,
		GPU: p.GPU, Asked: x.asked, Bound: GPUBound{Key: x.remote.spki, Nonce: x.ours.Nonce, Exporter: x.exporter},
	})
	if errors.Is(err, ErrCannotJudge) {
		return nil, err
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrEvidence, err)
	}
	if before := atA.Appraisal; appraisal.TEE != before.TEE || appraisal.Platform != before.Platform || appraisal.Image != before.Image {
		return nil, ErrGates
	}
	return &appraisal, nil
}

// verdicts says ours and hears theirs.
func (g gate) verdicts(rw io.ReadWriter, refusal error) (verdict, error) {
	var heard [verdictSize]byte
	sent := make(chan error, 1)
	go func() { _, err := rw.Write(verdictOf(refusal).encode()); sent <- err }()
	_, err := io.ReadFull(rw, heard[:])
	return decodeVerdict(heard), errors.Join(err, <-sent)
}

// swap sends ours and reads theirs at the same time: both ends speak first.
func swap[M gateMessage](w io.Writer, ours M, read func() (M, error)) (M, error) {
	sent := make(chan error, 1)
	go func() { sent <- writeFrame(w, ours) }()
	theirs, err := read()
	if err != nil && !errors.Is(err, ErrGateMessage) {
		return theirs, err // whoever closes the connection ends the writer
	}
	return theirs, errors.Join(err, <-sent)
}
