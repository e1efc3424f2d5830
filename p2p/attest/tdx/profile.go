package tdx

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/x509"
	"errors"
	"fmt"
)

// profile checks all that crypto/x509 would leave to names and to us: each
// certificate is what its place in the chain demands.
func (c *candidate) profile() error {
	if err := profileOf(c.pck, pckName); err != nil {
		return err
	}
	if err := caProfile(c.ca); err != nil {
		return err
	}
	if err := profileOf(c.root, rootName); err != nil {
		return err
	}
	switch {
	case c.pck.IsCA || c.pck.KeyUsage&x509.KeyUsageDigitalSignature == 0:
		return errors.New("PCK certificate is not a leaf for signatures")
	case !bytes.Equal(c.pck.RawIssuer, c.ca.RawSubject) || !bytes.Equal(c.ca.RawIssuer, c.root.RawSubject):
		return errors.New("issuer names do not form a chain")
	}
	return nil
}

// caProfile is what a CA of platform certificates must be.
func caProfile(ca *x509.Certificate) error {
	name := platformCAName
	if caOf(ca) == ProcessorCA {
		name = processorCAName
	}
	if err := profileOf(ca, name); err != nil {
		return err
	}
	if !ca.IsCA || !ca.MaxPathLenZero || ca.KeyUsage&x509.KeyUsageCertSign == 0 {
		return errors.New("PCK CA may not issue leaves, or may issue more")
	}
	return nil
}

// caOf is which CA a certificate with the profile of one is of.
func caOf(ca *x509.Certificate) CA {
	if ca.Subject.CommonName == processorCAName {
		return ProcessorCA
	}
	return PlatformCA
}

func profileOf(certificate *x509.Certificate, name string) error {
	key, isECDSA := certificate.PublicKey.(*ecdsa.PublicKey)
	switch {
	case certificate.Subject.CommonName != name:
		return fmt.Errorf("name %q instead of %q", certificate.Subject.CommonName, name)
	case certificate.Version != 3 || !certificate.BasicConstraintsValid:
		return fmt.Errorf("%s: no basic constraints", name)
	case !isECDSA || key.Curve != elliptic.P256() || certificate.SignatureAlgorithm != x509.ECDSAWithSHA256:
		return fmt.Errorf("%s: not P-256 with SHA-256", name)
	case len(certificate.UnhandledCriticalExtensions) != 0:
		return fmt.Errorf("%s: unknown critical extension", name)
	}
	return nil
}
