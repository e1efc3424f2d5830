package ratls

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"time"

	"github.com/libp2p/go-libp2p/core/crypto"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/core/sec"
	libp2ptls "github.com/libp2p/go-libp2p/p2p/security/tls"

	"github.com/tussah-network/tussah/p2p/attest"
)

// check decides on a peer by its certificate. want is the id it must have, or
// empty; unattested tells whether it may come without evidence.
func (t *Transport) check(state tls.ConnectionState, want peer.ID, unattested bool, now time.Time) (p *Peer, err error) {
	// Parsers of peers' bytes run below: crypto/x509, libp2p, the appraiser.
	// A bug in one of them must cost the peer its connection, not us the process.
	defer func() {
		if r := recover(); r != nil {
			p, err = nil, fmt.Errorf("%w: %v", ErrPanic, r)
		}
	}()

	if len(state.PeerCertificates) != 1 {
		return nil, fmt.Errorf("%w: %d certificates", ErrCertificate, len(state.PeerCertificates))
	}
	certificate := state.PeerCertificates[0]
	if err := wellFormed(certificate, now); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrCertificate, err)
	}
	key, err := t.keyOf(certificate)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrIdentity, err)
	}
	id, err := peer.IDFromPublicKey(key)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrIdentity, err)
	}
	if id == t.local {
		return nil, ErrReflection
	}
	if want != "" && id != want {
		return nil, sec.ErrPeerIDMismatch{Expected: want, Actual: id}
	}
	epoch := t.options.epoch() // before: a change in between makes it old
	appraisal, err := t.appraise(certificate, id, key, unattested)
	if err != nil {
		return nil, err
	}
	return &Peer{ID: id, Appraisal: appraisal, epoch: epoch, key: key}, nil
}

// keyOf is the libp2p key that a certificate proves.
func (t *Transport) keyOf(c *x509.Certificate) (crypto.PubKey, error) {
	if !t.gateB {
		return upstreamKey(c)
	}
	return libp2ptls.PubKeyFromCertChain([]*x509.Certificate{c})
}

// boundTo is what evidence in a certificate must be bound to.
func (t *Transport) boundTo(c *x509.Certificate, key crypto.PubKey) ([64]byte, error) {
	if !t.gateB {
		return upstreamReportData(c)
	}
	libp2pKey, err := crypto.MarshalPublicKey(key)
	if err != nil {
		return [64]byte{}, err
	}
	return ReportData(libp2pKey, c.RawSubjectPublicKeyInfo), nil
}

func wellFormed(c *x509.Certificate, now time.Time) error {
	switch {
	case len(c.Raw) > maxCertificate:
		return fmt.Errorf("%d bytes", len(c.Raw))
	case c.PublicKeyAlgorithm != x509.Ed25519:
		return fmt.Errorf("%v key", c.PublicKeyAlgorithm)
	case c.NotAfter.Sub(c.NotBefore) > certificateLife:
		return fmt.Errorf("valid for %v", c.NotAfter.Sub(c.NotBefore))
	case now.Before(c.NotBefore) || now.After(c.NotAfter):
		return fmt.Errorf("valid %s to %s", c.NotBefore.Format(time.RFC3339), c.NotAfter.Format(time.RFC3339))
	}
	return c.CheckSignature(c.SignatureAlgorithm, c.RawTBSCertificate, c.Signature)
}

// appraise returns nil without an error for a peer that may come without
// evidence and does.
func (t *Transport) appraise(certificate *x509.Certificate, id peer.ID, key crypto.PubKey, unattested bool) (*attest.Appraisal, error) {
	var shown []attest.Evidence
	for _, e := range certificate.Extensions {
		if tee, ok := EvidenceIn(e); ok {
			shown = append(shown, attest.Evidence{TEE: tee, Report: e.Value})
		}
	}
	switch {
	case len(shown) == 0 && unattested:
		return nil, nil
	case len(shown) == 0:
		return nil, ErrNoEvidence
	case len(shown) > 1:
		return nil, fmt.Errorf("%w: evidence of %d TEEs", ErrCertificate, len(shown))
	case t.options.Appraise == nil:
		return nil, ErrNoAppraiser
	}
	bound, err := t.boundTo(certificate, key)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrIdentity, err)
	}
	appraisal, err := t.options.Appraise(Shown{Gate: GateA, Peer: id, Evidence: shown[0], ReportData: bound})
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrEvidence, err)
	}
	return &appraisal, nil
}
