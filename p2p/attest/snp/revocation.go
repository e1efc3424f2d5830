package snp

import (
	"bytes"
	"crypto/x509"
	"errors"
	"fmt"
	"math/big"
	"time"
)

// revocationList demands a list that is signed by the line's root and current.
// That an older one does not come back is for whoever keeps them to see to.
func (c *candidate) revocationList() error {
	if c.verifier.CRLs == nil {
		return errors.New("no revocation lists")
	}
	list, err := c.verifier.CRLs.CRL(c.line.String())
	switch {
	case err != nil:
		return fmt.Errorf("revocation list of %v: %w", c.line, err)
	case list == nil:
		return fmt.Errorf("no revocation list of %v", c.line)
	case !bytes.Equal(list.RawIssuer, c.root.ARK.RawSubject):
		return fmt.Errorf("revocation list is by %q", list.Issuer)
	case c.now.Before(list.ThisUpdate) || c.now.After(list.NextUpdate): // without a next update: always after
		return fmt.Errorf("revocation list is valid %s to %s", list.ThisUpdate.Format(time.RFC3339), list.NextUpdate.Format(time.RFC3339))
	}
	for _, x := range list.Extensions {
		if x.Critical {
			return fmt.Errorf("revocation list has a critical extension %v", x.Id)
		}
	}
	if err := list.CheckSignatureFrom(c.root.ARK); err != nil {
		return fmt.Errorf("revocation list: %w", err)
	}
	c.crl = list
	return nil
}

// CheckCRL tells whether bytes are AMD's revocation list of a product line. Its
// dates are for the checklist.
func CheckCRL(product string, der []byte) error {
	list, err := x509.ParseRevocationList(der)
	if err != nil {
		return fmt.Errorf("revocation list of %s: %w", product, err)
	}
	for _, root := range AMDRoots() {
		if line, _, ok := root.line(); ok && line.String() == product && root.Genuine() {
			return list.CheckSignatureFrom(root.ARK)
		}
	}
	return fmt.Errorf("revocation list of %q: no such product line", product)
}

// revoked looks for the ASK, which the root issued. A chip's certificate is
// withdrawn by raising the least firmware instead; AMD gives all of them serial
// number zero, so one could only be found here if it had another.
func (c *candidate) revoked() error {
	serials := map[string]*x509.Certificate{serial(c.root.ASK.SerialNumber): c.root.ASK}
	if c.chip.SerialNumber.Sign() != 0 {
		serials[serial(c.chip.SerialNumber)] = c.chip
	}
	for _, entry := range c.crl.RevokedCertificateEntries {
		if certificate, found := serials[serial(entry.SerialNumber)]; found {
			return fmt.Errorf("%s, at %s", certificate.Subject.CommonName, entry.RevocationTime.Format(time.RFC3339))
		}
	}
	return nil
}

func serial(n *big.Int) string { return n.Text(16) }
