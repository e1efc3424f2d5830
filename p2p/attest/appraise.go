package attest

import (
	"crypto/x509"
	"fmt"
	"time"
)

// Quoter obtains evidence about the machine this process runs in.
type Quoter interface {
	// Quote returns a quote whose REPORTDATA is reportData. It may take tens of
	// milliseconds and is safe for concurrent use.
	Quote(reportData [64]byte) ([]byte, error)
}

// Policy is what a node accepts. The zero Policy accepts nothing.
type Policy struct {
	// Roots are the root certificates a quote may lead to. Empty: none.
	Roots []*x509.Certificate
	// AllowSimulated admits roots other than the manufacturer's. A production
	// network never sets it.
	AllowSimulated bool
	// Image returns nil for an image that may play the peer's role. Nil denies.
	Image func(image [32]byte) error
	// Platform returns nil for a platform that may take part. Nil denies;
	// [AnyPlatform] allows all.
	Platform func(Platform) error
	// TTL bounds how long an appraisal may be relied on. Default 24 h.
	TTL time.Duration
}

const defaultTTL = 24 * time.Hour

// Appraisal is what was concluded from accepted evidence.
type Appraisal struct {
	TEE       string   // "tdx"
	Simulated bool     // by a software enclave: proves nothing about hardware
	Image     [32]byte // see [Registers.Image]
	Evidence  [32]byte // SHA-256 over the signed content and the platform's certificate
	Platform  Platform
	Expiry    time.Time // rely on it no longer than this
}

// Appraise takes a quote through the checklist. reportData is what the quote
// must be bound to; now is the time certificates are judged at. The error of a
// refusal wraps the sentinel of the step that refused, and what a policy hook
// returned.
func Appraise(quote []byte, reportData [64]byte, p Policy, now time.Time) (Appraisal, error) {
	c := &candidate{raw: quote, reportData: reportData, policy: p, now: now}
	for _, s := range checklist {
		if err := s.check(c); err != nil {
			return Appraisal{}, fmt.Errorf("%w: %w", s.refusal, err)
		}
	}
	return c.appraisal(), nil
}

func (c *candidate) appraisal() Appraisal {
	ttl := c.policy.TTL
	if ttl <= 0 {
		ttl = defaultTTL
	}
	expiry := c.now.Add(ttl)
	for _, certificate := range []*x509.Certificate{c.pck, c.ca, c.root} {
		if certificate.NotAfter.Before(expiry) {
			expiry = certificate.NotAfter
		}
	}
	return Appraisal{
		TEE:       "tdx",
		Simulated: !genuine(c.root),
		Image:     c.quote.body.registers().Image(),
		Evidence:  c.quote.evidence(),
		Platform:  c.platform,
		Expiry:    expiry,
	}
}
