package tdx

import (
	"crypto/sha256"
	"crypto/x509"
	"encoding/binary"
	"fmt"
	"time"

	"github.com/tussah-network/tussah/p2p/attest"
)

// CA is which of the manufacturer's two CAs certified a platform. They have a
// revocation list each.
type CA uint8

// The CAs of platform certificates.
const (
	PlatformCA  CA = 1 // platforms that registered
	ProcessorCA CA = 2 // platforms of one processor that did not
)

func (c CA) String() string {
	switch c {
	case PlatformCA:
		return "platform"
	case ProcessorCA:
		return "processor"
	}
	return fmt.Sprintf("ca_%d", uint8(c))
}

// Collateral is what the manufacturer says about one family of platforms, as
// served. Nothing of it is believed before [ParseCollateral].
type Collateral struct {
	TCBInfo         []byte // answer body: {"tcbInfo":{…},"signature":"…"}
	TCBInfoChain    []byte // PEM, from the answer's header: TCB signer, root
	QEIdentity      []byte // answer body: {"enclaveIdentity":{…},"signature":"…"}
	QEIdentityChain []byte // PEM, likewise
	RootCRL         []byte // DER
	PCKCRL          []byte // DER
	PCKCRLChain     []byte // PEM, from the answer's header: PCK CA, root
}

// id covers every byte of the collateral.
func (c Collateral) id() [32]byte {
	h := sha256.New()
	h.Write([]byte("tussah/collateral/tdx/v1"))
	for _, part := range [][]byte{c.TCBInfo, c.TCBInfoChain, c.QEIdentity, c.QEIdentityChain, c.RootCRL, c.PCKCRL, c.PCKCRLChain} {
		h.Write(binary.BigEndian.AppendUint32(nil, uint32(len(part))))
		h.Write(part)
	}
	return [32]byte(h.Sum(nil))
}

// Source has collateral at hand. It never fetches: it is asked while a peer waits.
type Source interface {
	// Collateral is what is known about a family of platforms that were certified
	// by this CA. The error wraps [attest.ErrNoCollateral].
	Collateral(fmspc [6]byte, ca CA) (*Verified, error)
	// ID identifies all that Collateral answers: it changes whenever an answer does.
	ID() [32]byte
}

var _ Source = (*Verified)(nil)

// Verified is collateral that was verified; it cannot be altered. It is also a
// [Source] of itself and nothing else.
type Verified struct {
	id      [32]byte
	root    *x509.Certificate
	ca      *x509.Certificate // that certifies platforms, and signed pckCRL
	kind    CA
	tcb     tcbInfo
	qe      enclaveIdentity
	rootCRL revocations
	pckCRL  revocations
	parts   []Part
}

// Part is one of the things that collateral is made of, each with dates of its own.
type Part struct {
	Name            string
	Number          uint64 // of the evaluation, or of the revocation list; 0 for a certificate
	Issued, Expires time.Time
}

// ParseCollateral verifies collateral: strict form, signers that lead to one of
// roots, signatures over exactly the bytes that are then read, complete
// revocation lists, dates, and that no signer is revoked.
//
// Errors: [ErrCollateralForm], [ErrCollateralSigner], [ErrCollateralSignature],
// [ErrCollateralCRL], [ErrCollateralDates], [attest.ErrRevoked].
func ParseCollateral(c Collateral, roots []*x509.Certificate, now time.Time) (*Verified, error) {
	v := &Verified{id: c.id()}
	s, err := parseSigners(c, roots)
	if err != nil {
		return nil, err
	}
	v.root, v.ca, v.kind = s.root, s.ca, caOf(s.ca)

	body, err := signedBody(c.TCBInfo, "tcbInfo", s.tcb)
	if err != nil {
		return nil, fmt.Errorf("TCB info: %w", err)
	}
	if v.tcb, err = parseTCBInfo(body); err != nil {
		return nil, fmt.Errorf("%w: TCB info: %w", ErrCollateralForm, err)
	}
	if body, err = signedBody(c.QEIdentity, "enclaveIdentity", s.qe); err != nil {
		return nil, fmt.Errorf("QE identity: %w", err)
	}
	if v.qe, err = parseQEIdentity(body); err != nil {
		return nil, fmt.Errorf("%w: QE identity: %w", ErrCollateralForm, err)
	}
	if v.rootCRL, err = parseCRL(c.RootCRL, s.root); err != nil {
		return nil, fmt.Errorf("%w: of the root: %w", ErrCollateralCRL, err)
	}
	if v.pckCRL, err = parseCRL(c.PCKCRL, s.ca); err != nil {
		return nil, fmt.Errorf("%w: of the PCK CA: %w", ErrCollateralCRL, err)
	}
	v.parts = []Part{
		{"TCB info", uint64(v.tcb.evaluation), v.tcb.issued, v.tcb.next},
		{"QE identity", uint64(v.qe.evaluation), v.qe.issued, v.qe.next},
		{"root CRL", v.rootCRL.number, v.rootCRL.issued, v.rootCRL.next},
		{"PCK CRL", v.pckCRL.number, v.pckCRL.issued, v.pckCRL.next},
	}
	for _, signer := range s.all() {
		if v.rootCRL.revokes(signer) {
			return nil, fmt.Errorf("%w: %s", attest.ErrRevoked, signer.Subject.CommonName)
		}
		v.parts = append(v.parts, Part{signer.Subject.CommonName, 0, signer.NotBefore, signer.NotAfter})
	}
	if err := v.current(now); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrCollateralDates, err)
	}
	return v, nil
}

// clockSkew is how far collateral's dates and our clock may disagree.
const clockSkew = 10 * time.Minute

// current tells whether all parts are in force.
func (v *Verified) current(now time.Time) error {
	for _, p := range v.parts {
		switch {
		case !p.Issued.Before(p.Expires):
			return fmt.Errorf("%s: expires %s before it is issued", p.Name, p.Expires.Format(time.RFC3339))
		case now.Add(clockSkew).Before(p.Issued):
			return fmt.Errorf("%s: issued %s, in the future", p.Name, p.Issued.Format(time.RFC3339))
		case now.Add(-clockSkew).After(p.Expires):
			return fmt.Errorf("%s: expired %s", p.Name, p.Expires.Format(time.RFC3339))
		}
	}
	return nil
}

// Collateral implements [Source].
func (v *Verified) Collateral(fmspc [6]byte, ca CA) (*Verified, error) {
	if v == nil || fmspc != v.tcb.fmspc || ca != v.kind {
		return nil, fmt.Errorf("%w: FMSPC %x of the %s CA", attest.ErrNoCollateral, fmspc, ca)
	}
	return v, nil
}

// ID is a hash of all that was verified.
func (v *Verified) ID() [32]byte { return v.id }

// FMSPC is the family of platforms that this is about, PCEID the kind of their
// certifying enclave, CA by whom they are certified.
func (v *Verified) FMSPC() [6]byte { return v.tcb.fmspc }

// PCEID is the kind of certifying enclave that this is about.
func (v *Verified) PCEID() [2]byte { return v.tcb.pceid }

// CA is who certified the platforms that this is about.
func (v *Verified) CA() CA { return v.kind }

// TCBEvaluation is the number of the evaluation that the TCB info is of.
func (v *Verified) TCBEvaluation() uint32 { return v.tcb.evaluation }

// QEEvaluation is the number of the evaluation that the QE identity is of.
func (v *Verified) QEEvaluation() uint32 { return v.qe.evaluation }

// RootCRLNumber is the number of the root's revocation list.
func (v *Verified) RootCRLNumber() uint64 { return v.rootCRL.number }

// PCKCRLNumber is the number of the PCK CA's revocation list.
func (v *Verified) PCKCRLNumber() uint64 { return v.pckCRL.number }

// Parts are TCB info, QE identity, root CRL, PCK CRL in this order, then the
// certificates that they lead to.
func (v *Verified) Parts() []Part { return append([]Part(nil), v.parts...) }

// Issued is when the last part came into force.
func (v *Verified) Issued() (t time.Time) {
	for _, p := range v.parts {
		if p.Issued.After(t) {
			t = p.Issued
		}
	}
	return t
}

// Expires is when the first part must have been replaced.
func (v *Verified) Expires() time.Time {
	t := v.parts[0].Expires
	for _, p := range v.parts[1:] {
		if p.Expires.Before(t) {
			t = p.Expires
		}
	}
	return t
}
