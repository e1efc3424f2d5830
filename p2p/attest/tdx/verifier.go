package tdx

import (
	"crypto/sha256"
	"crypto/x509"
	"time"

	"github.com/tussah-network/tussah/p2p/attest"
)

var _ attest.Verifier = (*Verifier)(nil)

// Verifier appraises TDX quotes. The zero Verifier trusts Intel's
// root, which it knows by its key, and no other.
type Verifier struct {
	// Roots are other root certificates that a quote may lead to: simulated ones.
	Roots []*x509.Certificate
	// Collateral is what the manufacturer says about platforms. nil has none, so
	// nothing passes.
	Collateral Source

	known platforms
}

// TEE implements [attest.Verifier].
func (v *Verifier) TEE() attest.TEE { return attest.TDX }

// Identify implements [attest.Verifier].
func (v *Verifier) Identify(e attest.Evidence, reportData [64]byte) ([32]byte, error) {
	c := &candidate{verifier: v, evidence: e, reportData: reportData}
	if err := c.run(checklist[:formSteps]); err != nil {
		return [32]byte{}, err
	}
	return c.quote.evidence(), nil
}

// Inputs implements [attest.Verifier].
func (v *Verifier) Inputs() [32]byte {
	h := sha256.New()
	for _, r := range v.Roots {
		if r != nil {
			h.Write(r.Raw)
		}
	}
	if v.Collateral != nil {
		id := v.Collateral.ID()
		h.Write(id[:])
	}
	return [32]byte(h.Sum(nil))
}

// Appraise implements [attest.Verifier].
func (v *Verifier) Appraise(e attest.Evidence, reportData [64]byte, p attest.Policy, now time.Time) (attest.Appraisal, error) {
	c := &candidate{verifier: v, evidence: e, reportData: reportData, policy: p, now: now}
	if err := c.run(checklist[:formSteps]); err != nil {
		return attest.Appraisal{}, err
	}
	key := v.certificationKey(c.quote)
	v.known.recall(key, c)
	if err := c.run(checklist[formSteps:genuineSteps]); err != nil {
		return attest.Appraisal{}, err
	}
	v.known.remember(key, c)
	if err := c.run(checklist[genuineSteps:]); err != nil {
		return attest.Appraisal{}, err
	}
	return c.appraisal(), nil
}

func (v *Verifier) trusts(root *x509.Certificate) bool { return trusted(root, v.Roots) }

func (c *candidate) appraisal() attest.Appraisal {
	ttl := c.policy.TTL
	if ttl <= 0 {
		ttl = attest.DefaultTTL
	}
	expiry := c.now.Add(ttl)
	for _, certificate := range []*x509.Certificate{c.pck, c.ca, c.root} {
		if certificate.NotAfter.Before(expiry) {
			expiry = certificate.NotAfter
		}
	}
	// Within the skew an appraisal would otherwise end before it is made.
	if end := c.collateral.Expires().Add(clockSkew); end.Before(expiry) {
		expiry = end
	}
	return attest.Appraisal{
		TEE:       attest.TDX,
		Simulated: !genuine(c.root),
		Image:     c.quote.body.image(),
		Upstream:  c.quote.body.registers().Upstream(),
		Evidence:  c.quote.evidence(),
		Platform:  c.platform.ID(),
		TCB:       c.tcb,
		Events:    c.evidence.Events,
		Epoch:     c.policy.Epoch,
		Issued:    c.now,
		Expiry:    expiry,
	}
}
