package snp

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/sha512"
	"crypto/x509"
	"errors"
	"fmt"
	"math/big"
	"slices"
	"time"

	"github.com/tussah-network/tussah/p2p/attest"
)

// simulated refuses a root that is not the manufacturer's: one that was loaded,
// by its key; one that was not, by the name package snpsim gives it. (Another
// unknown root is refused by the next step.) From here on no root is looked at
// that the policy does not allow.
func (c *candidate) simulated() error {
	named := false
	for _, r := range c.verifier.Roots {
		if _, _, ok := r.line(); !ok || !bytes.Equal(r.ASK.RawSubject, c.chip.RawIssuer) {
			continue
		}
		named = true
		if c.policy.AllowSimulated || r.Genuine() {
			c.roots = append(c.roots, r)
		}
	}
	if !c.policy.AllowSimulated && len(c.roots) == 0 && (named || saysSimulated(c.chip)) {
		return fmt.Errorf("issuer %q", c.chip.Issuer)
	}
	return nil
}

func saysSimulated(chip *x509.Certificate) bool {
	for _, attribute := range chip.Issuer.Names {
		if attribute.Value == attest.SimulatedOrganisation {
			return true
		}
	}
	return false
}

func (c *candidate) knownRoot() error {
	if len(c.roots) == 0 {
		return fmt.Errorf("issuer %q", c.chip.Issuer)
	}
	return nil
}

// profile checks all that crypto/x509 would leave to names and to us: the
// certificate is what a chip's is. (ASK and ARK are our own.)
func (c *candidate) profile() error {
	name := "SEV-VCEK"
	if c.report.signingKey() == signerKeyVLEK {
		name = "SEV-VLEK"
	}
	key, isECDSA := c.chip.PublicKey.(*ecdsa.PublicKey)
	switch {
	case c.chip.Subject.CommonName != name:
		return fmt.Errorf("name %q instead of %q", c.chip.Subject.CommonName, name)
	case c.chip.Version != 3 || c.chip.IsCA || len(c.chip.UnhandledCriticalExtensions) != 0:
		return errors.New("not a leaf certificate of version 3, or with an unknown critical extension")
	case !isECDSA || key.Curve != elliptic.P384():
		return errors.New("key is not P-384")
	case c.chip.SignatureAlgorithm != x509.SHA384WithRSAPSS:
		return fmt.Errorf("signed with %v", c.chip.SignatureAlgorithm)
	}
	return nil
}

// chain finds the root whose key signed the chip's certificate. Several may have
// one name: simulated authorities do.
func (c *candidate) chain() error {
	for _, r := range c.roots {
		line, vlek, _ := r.line()
		if vlek != (c.report.signingKey() == signerKeyVLEK) || c.chip.CheckSignatureFrom(r.ASK) != nil {
			continue
		}
		if err := r.ARK.CheckSignatureFrom(r.ARK); err != nil {
			return fmt.Errorf("%s: %w", r.ARK.Subject.CommonName, err)
		}
		if !bytes.Equal(r.ASK.RawIssuer, r.ARK.RawSubject) {
			return fmt.Errorf("%s is not by %s", r.ASK.Subject.CommonName, r.ARK.Subject.CommonName)
		}
		if err := r.ASK.CheckSignatureFrom(r.ARK); err != nil {
			return fmt.Errorf("%s: %w", r.ASK.Subject.CommonName, err)
		}
		c.root, c.line = r, line
		return nil
	}
	return fmt.Errorf("no key of %q signed it", c.chip.Issuer.CommonName)
}

func (c *candidate) dates() error {
	for _, certificate := range []*x509.Certificate{c.chip, c.root.ASK, c.root.ARK} {
		if c.now.Before(certificate.NotBefore) || c.now.After(certificate.NotAfter) {
			return fmt.Errorf("%s: valid %s to %s", certificate.Subject.CommonName,
				certificate.NotBefore.Format(time.RFC3339), certificate.NotAfter.Format(time.RFC3339))
		}
	}
	return nil
}

func (c *candidate) extensions() (err error) {
	c.certified, err = parseCertified(c.chip)
	if err == nil && (c.certified.chipID == nil) != (c.report.signingKey() == signerKeyVLEK) {
		err = errors.New("a chip's certificate names a chip, a provider's a provider")
	}
	return err
}

// oneProduct holds the three places that name the product against each other:
// none alone decides how the others are read.
func (c *candidate) oneProduct() error {
	if c.certified.product != c.line {
		return fmt.Errorf("certificate of %v under the root of %v", c.certified.product, c.line)
	}
	family, model, stated := c.report.cpuid()
	if !stated {
		return nil
	}
	if p, ok := productOfCPUID(family, model); !ok || p != c.line {
		return fmt.Errorf("report of family %#x, model %#x under the root of %v", family, model, c.line)
	}
	return nil
}

func (c *candidate) reportSignature() error {
	// profile has established the key's type.
	key := c.chip.PublicKey.(*ecdsa.PublicKey)
	digest := sha512.Sum384(c.report.signed())
	if !ecdsa.Verify(key, digest[:], scalar(c.report.signatureR()), scalar(c.report.signatureS())) {
		return errors.New("bad signature")
	}
	return nil
}

// scalar reads a little-endian number.
func scalar(b []byte) *big.Int {
	b = slices.Clone(b)
	slices.Reverse(b)
	return new(big.Int).SetBytes(b)
}

func (c *candidate) chipID() error {
	id, certified := c.report.chipID(), c.certified.chipID
	switch {
	case c.report.signer()&signerMaskChip != 0 || allZero(id):
		return errors.New("CHIP_ID is masked or zero")
	case certified != nil && !(bytes.Equal(id[:len(certified)], certified) && allZero(id[len(certified):])):
		return errors.New("CHIP_ID is not the certified one")
	}
	return nil
}

func (c *candidate) reportedTCB() error {
	for _, l := range []struct {
		to   *TCB
		from uint64
	}{
		{&c.levels.current, c.report.currentTCB()}, {&c.levels.committed, c.report.committedTCB()},
		{&c.levels.reported, c.report.reportedTCB()}, {&c.levels.launch, c.report.launchTCB()},
	} {
		var err error
		if *l.to, err = parseTCB(c.line, l.from); err != nil {
			return err
		}
	}
	if c.levels.reported != c.certified.tcb {
		return fmt.Errorf("reported %v, certified %v", c.levels.reported, c.certified.tcb)
	}
	return nil
}
