package tdx

import (
	"crypto/sha256"
	"crypto/x509"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/tussah-network/tussah/p2p/attest"
)

var _ attest.Verifier = (*Verifier)(nil)

// Verifier appraises TDX quotes. The zero Verifier trusts no root.
type Verifier struct {
	// Roots are the root certificates a quote may lead to.
	Roots []*x509.Certificate
	// Collateral is what the manufacturer says about platforms. nil has none.
	Collateral Source
}

// TEE implements [attest.Verifier].
func (v *Verifier) TEE() attest.TEE { return attest.TDX }

// Identify implements [attest.Verifier].
func (v *Verifier) Identify(e attest.Evidence, reportData [64]byte) ([32]byte, error) {
	c := &candidate{verifier: v, evidence: e, reportData: reportData}
	for _, s := range checklist[:formSteps] {
		if err := s.check(c); err != nil {
			return [32]byte{}, fmt.Errorf("%w: %w", s.refusal, err)
		}
	}
	return c.quote.evidence(), nil
}

// Inputs implements [attest.Verifier].
func (v *Verifier) Inputs() [32]byte {
	h := sha256.New()
	for _, r := range v.Roots {
		h.Write(r.Raw)
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
	for _, s := range checklist {
		if err := s.check(c); err != nil {
			return attest.Appraisal{}, fmt.Errorf("%w: %w", s.refusal, err)
		}
	}
	return c.appraisal(), nil
}

// trusts tells whether root is, byte for byte, one of ours.
func (v *Verifier) trusts(root *x509.Certificate) bool {
	return slices.ContainsFunc(v.Roots, func(r *x509.Certificate) bool { return r != nil && r.Equal(root) })
}

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
	return attest.Appraisal{
		TEE:       attest.TDX,
		Simulated: !genuine(c.root),
		Image:     c.quote.body.image(),
		Upstream:  c.quote.body.registers().Upstream(),
		Evidence:  c.quote.evidence(),
		Platform:  c.platform.ID(),
		Events:    c.evidence.Events,
		Epoch:     c.policy.Epoch,
		Issued:    c.now,
		Expiry:    expiry,
	}
}

// events replays what the VM says it measured into RTMR3, and has the policy
// judge it.
func (c *candidate) events() error {
	if c.policy.EventsLater {
		return nil
	}
	register, err := Replay(c.evidence.Events)
	if err != nil {
		return err
	}
	if got := c.quote.body.registers().RTMR[3]; got != register {
		return fmt.Errorf("RTMR3 is %x, its events give %x", got, register)
	}
	if c.policy.Events == nil {
		return errors.New("policy allows no events")
	}
	return c.policy.Events(c.evidence.Events)
}
