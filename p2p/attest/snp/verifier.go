package snp

import (
	"cmp"
	"crypto/sha256"
	"crypto/x509"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/tussah-network/tussah/p2p/attest"
)

var _ attest.Verifier = (*Verifier)(nil)

// Verifier appraises SEV-SNP reports. The zero Verifier trusts no root and
// accepts nothing.
type Verifier struct {
	// Roots are what a chip's certificate may lead to: [AMDRoots] on hardware.
	Roots []Root
	// CRLs are the manufacturer's revocation lists. nil: nothing is accepted.
	CRLs CRLs
	// Rules are what is accepted of this TEE, beside the policy.
	Rules Rules
}

// CRLs gives the current revocation list of a product line, by its name. It
// answers from memory: verification fetches nothing.
type CRLs interface {
	CRL(product string) (*x509.RevocationList, error)
}

// TEE implements [attest.Verifier].
func (v *Verifier) TEE() attest.TEE { return attest.SNP }

// Identify implements [attest.Verifier].
func (v *Verifier) Identify(e attest.Evidence, reportData [64]byte) ([32]byte, error) {
	c := &candidate{verifier: v, evidence: e, reportData: reportData}
	if err := c.run(checklist[:formSteps]); err != nil {
		return [32]byte{}, err
	}
	return c.identity(), nil
}

// Appraise implements [attest.Verifier].
func (v *Verifier) Appraise(e attest.Evidence, reportData [64]byte, p attest.Policy, now time.Time) (attest.Appraisal, error) {
	c := &candidate{verifier: v, evidence: e, reportData: reportData, policy: p, now: now}
	if err := c.run(checklist); err != nil {
		return attest.Appraisal{}, err
	}
	return c.appraisal(), nil
}

// Inputs implements [attest.Verifier].
func (v *Verifier) Inputs() [32]byte {
	h := sha256.New()
	for _, r := range v.Roots {
		if _, _, ok := r.line(); ok {
			h.Write(r.ARK.Raw)
			h.Write(r.ASK.Raw)
		}
	}
	for _, p := range slices.SortedFunc(maps.Keys(v.Rules.Products), cmp.Compare[Product]) {
		fmt.Fprintf(h, "\x00%d %v ", p, v.Rules.Products[p])
		if v.CRLs == nil {
			continue
		}
		if list, err := v.CRLs.CRL(p.String()); err == nil && list != nil {
			h.Write(list.Raw)
		}
	}
	r := v.Rules
	fmt.Fprintf(h, "\x00%v %d %d %d %t", r.ABI, r.Demand, r.Forbid, r.Platform, r.VLEK)
	return [32]byte(h.Sum(nil))
}

// identity identifies what was signed, and the certificate that says by whom.
// The signature itself can be altered without the key and stay valid, so it must
// not make a new identity.
func (c *candidate) identity() [32]byte {
	h := sha256.New()
	h.Write(c.report.signed())
	h.Write(c.chip.Raw)
	return [32]byte(h.Sum(nil))
}

func (c *candidate) appraisal() attest.Appraisal {
	ttl := c.policy.TTL
	if ttl <= 0 {
		ttl = attest.DefaultTTL
	}
	expiry := c.now.Add(ttl)
	for _, end := range []time.Time{c.chip.NotAfter, c.root.ASK.NotAfter, c.root.ARK.NotAfter, c.crl.NextUpdate} {
		if end.Before(expiry) {
			expiry = end
		}
	}
	return attest.Appraisal{
		TEE:       attest.SNP,
		Simulated: !c.root.Genuine(),
		Image:     c.report.launch().Image(),
		Evidence:  c.identity(),
		Platform:  PlatformID([64]byte(c.report.chipID())),
		TCB:       c.tcb,
		Events:    c.evidence.Events,
		Epoch:     c.policy.Epoch,
		Issued:    c.now,
		Expiry:    expiry,
	}
}

// PlatformID is how policies and registries name a chip.
func PlatformID(chipID [64]byte) attest.PlatformID { return sha256.Sum256(chipID[:]) }
