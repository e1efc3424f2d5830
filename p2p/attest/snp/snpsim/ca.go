package snpsim

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"math/big"
	"time"

	"github.com/tussah-network/tussah/p2p/attest"
	"github.com/tussah-network/tussah/p2p/attest/snp"
)

// validity of all certificates, counted from one hour before creation.
const validity = 7 * 365 * 24 * time.Hour

// CA is an authority for simulated chips of one product line. It is safe for
// concurrent use.
type CA struct {
	product        snp.Product
	ark, ask, asvk authority
	crl            *x509.RevocationList
}

// authority is a certificate with its key.
type authority struct {
	certificate *x509.Certificate
	key         crypto.Signer
}

// NewCA makes an authority with fresh keys. It lives in memory only.
func NewCA(product snp.Product) (*CA, error) {
	ca := &CA{product: product}
	template := caTemplate("ARK-"+product.String(), "vcek", product)
	template.KeyUsage |= x509.KeyUsageCRLSign
	for _, step := range []struct {
		to       *authority
		template *x509.Certificate
	}{
		{&ca.ark, template},
		{&ca.ask, caTemplate("SEV-"+product.String(), "vcek", product)},
		{&ca.asvk, caTemplate("SEV-VLEK-"+product.String(), "vlek", product)},
	} {
		key, err := rsa.GenerateKey(rand.Reader, 2048)
		if err != nil {
			return nil, fmt.Errorf("generate key: %w", err)
		}
		if *step.to, err = issue(step.template, key, ca.ark); err != nil {
			return nil, err
		}
	}
	var err error
	ca.crl, err = ca.FaultyCRL(nil)
	return ca, err
}

func caTemplate(common, kind string, product snp.Product) *x509.Certificate {
	return &x509.Certificate{
		Subject:               name(common),
		KeyUsage:              x509.KeyUsageCertSign,
		BasicConstraintsValid: true,
		IsCA:                  true,
		CRLDistributionPoints: []string{"https://simulated.invalid/" + kind + "/v1/" + product.String() + "/crl"},
	}
}

// Roots are what verifiers must load to accept this authority's chips.
func (ca *CA) Roots() []snp.Root {
	return []snp.Root{{ARK: ca.ark.certificate, ASK: ca.ask.certificate}, {ARK: ca.ark.certificate, ASK: ca.asvk.certificate}}
}

// CRL implements [snp.CRLs]: an empty list, valid for a year.
func (ca *CA) CRL(product string) (*x509.RevocationList, error) {
	if product != ca.product.String() {
		return nil, fmt.Errorf("authority is for %v, not %s", ca.product, product)
	}
	return ca.crl, nil
}

// FaultyCRL signs a list that edit has changed.
func (ca *CA) FaultyCRL(edit func(*x509.RevocationList)) (*x509.RevocationList, error) {
	template := &x509.RevocationList{
		Number:             big.NewInt(1),
		ThisUpdate:         time.Now().Add(-time.Hour),
		NextUpdate:         time.Now().Add(365 * 24 * time.Hour),
		SignatureAlgorithm: x509.SHA384WithRSAPSS,
	}
	if edit != nil {
		edit(template)
	}
	der, err := x509.CreateRevocationList(rand.Reader, template, ca.ark.certificate, ca.ark.key)
	if err != nil {
		return nil, fmt.Errorf("sign revocation list: %w", err)
	}
	return x509.ParseRevocationList(der)
}

// Verifier believes this authority's chips, where the policy allows simulation,
// with rules that [Measure] satisfies.
func (ca *CA) Verifier() *snp.Verifier {
	return &snp.Verifier{
		Roots: ca.Roots(),
		CRLs:  ca,
		Rules: snp.Rules{
			Products: map[snp.Product]snp.TCB{ca.product: firmware(ca.product)},
			ABI:      snp.ABI{Major: 1, Minor: 51},
			Demand:   snp.PolicySingleSocket,
			Platform: snp.PlatformTSME | snp.PlatformAliasCheck,
		},
	}
}

// name is the manufacturer's, which verifiers compare field by field, and says
// in a field they leave alone what it really is.
func name(common string) pkix.Name {
	return pkix.Name{
		OrganizationalUnit: []string{"Engineering"},
		Country:            []string{"US"},
		Locality:           []string{"Santa Clara"},
		Province:           []string{"CA"},
		Organization:       []string{"Advanced Micro Devices"},
		CommonName:         common,
		SerialNumber:       attest.SimulatedOrganisation,
	}
}

// issue makes a certificate for a key, signed by the issuer, or by itself if the
// issuer is zero. Dates, serial number and key id are filled in where unset.
func issue(template *x509.Certificate, key crypto.Signer, issuer authority) (authority, error) {
	if issuer.certificate == nil {
		issuer = authority{certificate: template, key: key}
	}
	public, err := x509.MarshalPKIXPublicKey(key.Public())
	if err != nil {
		return authority{}, fmt.Errorf("encode key: %w", err)
	}
	id := sha256.Sum256(public)
	if template.SerialNumber == nil {
		template.SerialNumber = new(big.Int).SetBytes(id[16:]) // unique as the key is
	}
	if template.IsCA {
		template.SubjectKeyId = id[:20]
	}
	if template.NotBefore.IsZero() {
		template.NotBefore = time.Now().Add(-time.Hour)
	}
	if template.NotAfter.IsZero() {
		template.NotAfter = template.NotBefore.Add(validity)
	}
	if template.SignatureAlgorithm == 0 {
		template.SignatureAlgorithm = x509.SHA384WithRSAPSS
	}
	der, err := x509.CreateCertificate(rand.Reader, template, issuer.certificate, key.Public(), issuer.key)
	if err != nil {
		return authority{}, fmt.Errorf("certify %s: %w", template.Subject.CommonName, err)
	}
	certificate, err := x509.ParseCertificate(der)
	if err != nil {
		return authority{}, fmt.Errorf("certify %s: %w", template.Subject.CommonName, err)
	}
	return authority{certificate: certificate, key: key}, nil
}
