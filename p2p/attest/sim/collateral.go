package sim

import (
	"crypto/x509"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"math/big"
	"time"

	"github.com/tussah-network/tussah/p2p/attest/tdx"
)

// CollateralFaults makes collateral that lies, for tests of verifiers: each hook
// edits what it is given before it is signed, with a good signature. What is not
// signed, like what encloses a document or which chain comes with it, a test
// edits in the collateral itself.
type CollateralFaults struct {
	TCBInfo        func(*TCBInfo)
	QEIdentity     func(*QEIdentity)
	TCBInfoJSON    func([]byte) []byte        // the bytes that are signed
	QEIdentityJSON func([]byte) []byte        // likewise
	Signer         func(*x509.Certificate)    // template of the signer of both
	PlatformCA     func(*x509.Certificate)    // template of the issuer of the PCK CRL
	RootCRL        func(*x509.RevocationList) // template
	PCKCRL         func(*x509.RevocationList) // template
}

// Collateral is what the manufacturer would say now about the authority's
// platforms: they are up to date, and nothing is revoked.
func (ca *CA) Collateral() (tdx.Collateral, error) { return ca.FaultyCollateral(CollateralFaults{}) }

// FaultyCollateral is collateral that lies as told.
func (ca *CA) FaultyCollateral(faults CollateralFaults) (c tdx.Collateral, err error) {
	signer, err := ca.signer(faults.Signer)
	if err != nil {
		return tdx.Collateral{}, err
	}
	platforms, err := ca.platformCA(faults.PlatformCA)
	if err != nil {
		return tdx.Collateral{}, err
	}
	// An hour ago, so that clocks may differ.
	issued := time.Now().Add(-time.Hour)

	info, identity := newTCBInfo(issued), newQEIdentity(issued)
	if faults.TCBInfo != nil {
		faults.TCBInfo(info)
	}
	if faults.QEIdentity != nil {
		faults.QEIdentity(identity)
	}
	for _, t := range []*time.Time{&info.IssueDate, &info.NextUpdate, &identity.IssueDate, &identity.NextUpdate} {
		*t = t.UTC().Truncate(time.Second) // as they are written
	}
	c.TCBInfoChain = chain(signer, ca.root)
	c.QEIdentityChain = chain(signer, ca.root)
	c.PCKCRLChain = chain(platforms, ca.root)
	if c.TCBInfo, err = signDocument("tcbInfo", info, faults.TCBInfoJSON, signer); err != nil {
		return tdx.Collateral{}, err
	}
	if c.QEIdentity, err = signDocument("enclaveIdentity", identity, faults.QEIdentityJSON, signer); err != nil {
		return tdx.Collateral{}, err
	}
	if c.RootCRL, err = revocationList(issued, faults.RootCRL, ca.root); err != nil {
		return tdx.Collateral{}, err
	}
	if c.PCKCRL, err = revocationList(issued, faults.PCKCRL, platforms); err != nil {
		return tdx.Collateral{}, err
	}
	return c, nil
}

// chain is certificates as the manufacturer serves them: leaf first, PEM.
func chain(of ...authority) (pemChain []byte) {
	for _, a := range of {
		pemChain = append(pemChain, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: a.certificate.Raw})...)
	}
	return pemChain
}

// signDocument puts a document into the form it is served in: under its name,
// beside the signature over exactly its bytes.
func signDocument(name string, document any, edit func([]byte) []byte, by authority) ([]byte, error) {
	body, err := json.Marshal(document)
	if err != nil {
		return nil, fmt.Errorf("encode %s: %w", name, err)
	}
	if edit != nil {
		body = edit(body)
	}
	signature, err := sign(by.key, body)
	if err != nil {
		return nil, err
	}
	return fmt.Appendf(nil, `{%q:%s,"signature":"%s"}`, name, body, hex.EncodeToString(signature)), nil
}

// revocationList revokes nothing, unless edited. Its number is the time of its
// making, so it never falls.
func revocationList(issued time.Time, edit func(*x509.RevocationList), by authority) ([]byte, error) {
	template := &x509.RevocationList{
		SignatureAlgorithm: x509.ECDSAWithSHA256,
		Number:             big.NewInt(issued.Unix()),
		ThisUpdate:         issued,
		NextUpdate:         issued.Add(collateralValidity),
	}
	if edit != nil {
		edit(template)
	}
	der, err := x509.CreateRevocationList(nil, template, by.certificate, by.key)
	if err != nil {
		return nil, fmt.Errorf("sign revocation list of %s: %w", by.certificate.Subject.CommonName, err)
	}
	return der, nil
}
