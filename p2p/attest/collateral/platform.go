package collateral

import (
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"fmt"
	"time"

	"github.com/tussah-network/tussah/p2p/attest/tdx"
)

// platform is a family of TDX processors by who certified them: what a set of
// collateral is about.
type platform struct {
	fmspc [6]byte
	ca    tdx.CA
}

func (p platform) String() string { return fmt.Sprintf("tdx/%x/%s", p.fmspc, p.ca) }

// The documents of a set, in the order of [tdx.Verified.Parts].
const (
	tcbInfo = iota
	qeIdentity
	rootCRL
	pckCRL
	setSize
)

func (p platform) names() [setSize]Name {
	return [setSize]Name{TCBInfo(p.fmspc), QEIdentity(), RootCRL(), PCKCRL(p.ca)}
}

// set is the documents about a platform, verified or not.
type set [setSize]*document

func (s set) raw() tdx.Collateral {
	return tdx.Collateral{
		TCBInfo: s[tcbInfo].body, TCBInfoChain: s[tcbInfo].chain,
		QEIdentity: s[qeIdentity].body, QEIdentityChain: s[qeIdentity].chain,
		RootCRL: s[rootCRL].body,
		PCKCRL:  s[pckCRL].body, PCKCRLChain: s[pckCRL].chain,
	}
}

// documentsOf takes collateral apart.
func documentsOf(p platform, c tdx.Collateral, source string, fetched time.Time) set {
	bodies := [setSize][]byte{tcbInfo: c.TCBInfo, qeIdentity: c.QEIdentity, rootCRL: c.RootCRL, pckCRL: c.PCKCRL}
	chains := [setSize][]byte{tcbInfo: c.TCBInfoChain, qeIdentity: c.QEIdentityChain, pckCRL: c.PCKCRLChain}
	var s set
	for i, name := range p.names() {
		s[i] = &document{name: name, body: bodies[i], chain: chains[i], source: source, fetched: fetched.Truncate(time.Second)}
	}
	return s
}

// verify makes of a set what may be relied on. Its error wraps [ErrRefused] and
// what package tdx found.
func (s set) verify(p platform, roots []*x509.Certificate, now time.Time) (*tdx.Verified, error) {
	v, err := tdx.ParseCollateral(s.raw(), roots, now)
	if err != nil {
		return nil, fmt.Errorf("%w: %s: %w", ErrRefused, p, err)
	}
	if v.FMSPC() != p.fmspc || v.CA() != p.ca {
		return nil, fmt.Errorf("%w: %s: it is about FMSPC %x of the %s CA", ErrRefused, p, v.FMSPC(), v.CA())
	}
	return v, nil
}

// numbers are what a verified set is numbered by. Marks of different roots never
// meet: what a simulated root signed says nothing about real platforms.
func (s set) numbers(p platform, v *tdx.Verified) []mark {
	root := rootID(s[tcbInfo].chain)
	return []mark{
		{fmt.Sprintf("tdx/%s/tcb/%x", root, p.fmspc), uint64(v.TCBEvaluation())},
		{fmt.Sprintf("tdx/%s/qe", root), uint64(v.QEEvaluation())},
		{fmt.Sprintf("tdx/%s/rootcrl", root), v.RootCRLNumber()},
		{fmt.Sprintf("tdx/%s/pckcrl/%s", root, p.ca), v.PCKCRLNumber()},
	}
}

// dates are the marks for the dates of a verified set's revocation lists.
func (s set) dates(p platform, v *tdx.Verified) []mark {
	root, parts := rootID(s[tcbInfo].chain), v.Parts()
	return []mark{
		{fmt.Sprintf("tdx/%s/rootcrl/date", root), uint64(parts[rootCRL].Issued.Unix())},
		{fmt.Sprintf("tdx/%s/pckcrl/%s/date", root, p.ca), uint64(parts[pckCRL].Issued.Unix())},
	}
}

// rootID tells roots apart: the beginning of SHA-256 of the key of the last
// certificate in a verified chain.
func rootID(chain []byte) string {
	var root *x509.Certificate
	for block, rest := pem.Decode(chain); block != nil; block, rest = pem.Decode(rest) {
		if certificate, err := x509.ParseCertificate(block.Bytes); err == nil {
			root = certificate
		}
	}
	if root == nil {
		return "none"
	}
	digest := sha256.Sum256(root.RawSubjectPublicKeyInfo)
	return hex.EncodeToString(digest[:8])
}
