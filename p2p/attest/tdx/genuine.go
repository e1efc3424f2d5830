package tdx

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/sha256"
	"crypto/subtle"
	"crypto/x509"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/tussah-network/tussah/p2p/attest"
)

func (c *candidate) certificates() (err error) {
	for i, to := range []**x509.Certificate{&c.pck, &c.ca, &c.root} {
		if *to, err = x509.ParseCertificate(c.quote.chain[i]); err != nil {
			return fmt.Errorf("certificate %d: %w", i+1, err)
		}
	}
	return nil
}

// simulated refuses a root that is not the manufacturer's: one that was loaded,
// by its key; one that was not, by the name package sim gives itself. (An
// unknown root without that name is refused by the next step.)
func (c *candidate) simulated() error {
	if c.policy.AllowSimulated || genuine(c.root) {
		return nil
	}
	if c.verifier.trusts(c.root) || slices.Contains(c.root.Subject.Organization, attest.SimulatedOrganisation) {
		return fmt.Errorf("root %q", c.root.Subject)
	}
	return nil
}

func (c *candidate) trustedRoot() error {
	if !c.verifier.trusts(c.root) {
		return fmt.Errorf("root %q", c.root.Subject)
	}
	return nil
}

func (c *candidate) dates() error {
	for _, certificate := range []*x509.Certificate{c.pck, c.ca, c.root} {
		if c.now.Before(certificate.NotBefore) || c.now.After(certificate.NotAfter) {
			return fmt.Errorf("%s: valid %s to %s", certificate.Subject.CommonName,
				certificate.NotBefore.Format(time.RFC3339), certificate.NotAfter.Format(time.RFC3339))
		}
	}
	return nil
}

func (c *candidate) chain() error {
	if err := c.ca.CheckSignatureFrom(c.root); err != nil {
		return fmt.Errorf("PCK CA: %w", err)
	}
	if err := c.pck.CheckSignatureFrom(c.ca); err != nil {
		return fmt.Errorf("PCK: %w", err)
	}
	return nil
}

func (c *candidate) pckExtension() (err error) {
	c.platform, err = parsePlatform(c.pck)
	return err
}

func (c *candidate) qeSignature() error {
	// profile has established the key's type.
	return verify(c.pck.PublicKey.(*ecdsa.PublicKey), c.quote.qe, c.quote.qeSig)
}

// The platform's key signs reports of any enclave the host may start, so the
// chain is worth nothing unless the enclave is Intel's TD quoting enclave. Its
// signer and product are constants; which of its versions are current is
// collateral.
var qeSigner = [32]byte{
	0xdc, 0x9e, 0x2a, 0x7c, 0x6f, 0x94, 0x8f, 0x17, 0x47, 0x4e, 0x34, 0xa7, 0xfc, 0x43, 0xed, 0x03,
	0x0f, 0x7c, 0x15, 0x63, 0xf1, 0xba, 0xbd, 0xdf, 0x63, 0x40, 0xc8, 0x2e, 0x0e, 0x54, 0xa8, 0xc5,
}

const (
	qeProduct   = 2    // TD quoting enclave
	qeFlags     = 0x11 // INIT and PROVISION_KEY; in particular not DEBUG
	qeFlagsMask = ^uint64(0x04)
)

func (c *candidate) qeIdentity() error {
	qe := c.quote.qe
	switch {
	case [32]byte(qe.signer()) != qeSigner:
		return fmt.Errorf("signer %x", qe.signer())
	case qe.product() != qeProduct:
		return fmt.Errorf("product %d", qe.product())
	case qe.flags()&qeFlagsMask != qeFlags || qe.miscSelect() != 0:
		return fmt.Errorf("attributes %#x, miscselect %#x", qe.flags(), qe.miscSelect())
	}
	return nil
}

func (c *candidate) qeBinding() error {
	h := sha256.New()
	h.Write(c.quote.key)
	h.Write(c.quote.auth)
	want := append(h.Sum(nil), make([]byte, 32)...)
	if subtle.ConstantTimeCompare(c.quote.qe.data(), want) != 1 {
		return errors.New("report data of the quoting enclave differs")
	}
	return nil
}

func (c *candidate) quoteSignature() error {
	key, err := ecdsa.ParseUncompressedPublicKey(elliptic.P256(), append([]byte{4}, c.quote.key...))
	if err != nil {
		return err
	}
	return verify(key, c.quote.signed, c.quote.signature)
}
