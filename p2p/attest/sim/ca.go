package sim

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"math/big"
	"time"

	"github.com/tussah-network/tussah/p2p/attest"
	"github.com/tussah-network/tussah/p2p/attest/tdx"
)

// validity of the root, counted from one hour before its creation.
const validity = 7 * 365 * 24 * time.Hour

// Where the certificates say that revocation lists are. Nothing fetches them
// from there; the paths are the real ones, which [CA.Handler] serves.
const (
	rootCRLURL = "https://simulated.invalid" + rootCRLPath
	pckCRLURL  = "https://simulated.invalid" + pckCRLPath + "?ca=platform&encoding=der"
)

// CA is a certificate authority for simulated platforms: a root and, below it,
// the CA that certifies platforms and the signer of collateral. It is safe for
// concurrent use.
//
// Keys and certificates of the two follow from the root's key. So a folder keeps
// the root only, and all processes that load it sign with the same keys: a
// revocation list of one fits the platforms of another.
type CA struct {
	root       authority
	issued     tdx.Collateral // with the authority
	collateral *tdx.Verified  // the same, verified
}

// authority is a certificate with its key.
type authority struct {
	certificate *x509.Certificate
	key         *ecdsa.PrivateKey
}

// NewCA makes an authority with fresh keys, and its collateral. It lives in
// memory until [CA.Save].
func NewCA() (*CA, error) {
	key, err := newKey()
	if err != nil {
		return nil, err
	}
	start := time.Now().Add(-time.Hour)
	root, err := issue(&x509.Certificate{
		Subject:               name("Intel SGX Root CA"),
		NotBefore:             start,
		NotAfter:              start.Add(validity),
		KeyUsage:              x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
		BasicConstraintsValid: true,
		IsCA:                  true,
		MaxPathLen:            1,
		CRLDistributionPoints: []string{rootCRLURL},
	}, key, authority{})
	if err != nil {
		return nil, err
	}
	ca := &CA{root: root}
	issued, err := ca.Collateral()
	if err != nil {
		return nil, err
	}
	if err := ca.hold(issued); err != nil {
		return nil, err
	}
	return ca, nil
}

// hold makes collateral what [CA.Verifier] goes by.
func (ca *CA) hold(issued tdx.Collateral) error {
	verified, err := tdx.ParseCollateral(issued, []*x509.Certificate{ca.Root()}, time.Now())
	if err != nil {
		return fmt.Errorf("verify own collateral: %w", err)
	}
	ca.issued, ca.collateral = issued, verified
	return nil
}

// platformCA certifies the CA of platforms, with its template edited if asked.
func (ca *CA) platformCA(edit func(*x509.Certificate)) (authority, error) {
	return ca.subordinate("platform CA", &x509.Certificate{
		Subject:        name("Intel SGX PCK Platform CA"),
		KeyUsage:       x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
		IsCA:           true,
		MaxPathLenZero: true,
	}, edit)
}

// signer certifies the signer of collateral, with its template edited if asked.
func (ca *CA) signer(edit func(*x509.Certificate)) (authority, error) {
	return ca.subordinate("TCB signer", &x509.Certificate{
		Subject:  name("Intel SGX TCB Signing"),
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageContentCommitment,
	}, edit)
}

// subordinate certifies what stands directly below the root, as long as the root
// is valid, with a key that follows from the root's.
func (ca *CA) subordinate(role string, template *x509.Certificate, edit func(*x509.Certificate)) (authority, error) {
	template.NotBefore, template.NotAfter = ca.root.certificate.NotBefore, ca.root.certificate.NotAfter
	template.BasicConstraintsValid = true
	template.CRLDistributionPoints = []string{rootCRLURL}
	if edit != nil {
		edit(template)
	}
	secret, err := ca.root.key.Bytes()
	if err != nil {
		return authority{}, fmt.Errorf("derive key of %s: %w", role, err)
	}
	scalar, err := hkdf.Key(sha256.New, secret, nil, "tussah/sim/ca/v1 "+role, 32)
	if err != nil {
		return authority{}, fmt.Errorf("derive key of %s: %w", role, err)
	}
	// Refuses one scalar in 2³².
	key, err := ecdsa.ParseRawPrivateKey(elliptic.P256(), scalar)
	if err != nil {
		return authority{}, fmt.Errorf("derive key of %s: %w", role, err)
	}
	return issue(template, key, ca.root)
}

// Root is the certificate verifiers must load to accept this authority's platforms.
func (ca *CA) Root() *x509.Certificate { return ca.root.certificate }

// Verifier believes this authority's platforms, where the policy allows
// simulation. It has the collateral that was made or loaded with the authority.
func (ca *CA) Verifier() *tdx.Verifier {
	return &tdx.Verifier{Roots: []*x509.Certificate{ca.Root()}, Collateral: ca.collateral}
}

// name has the common name that a place in the chain demands, and says in the
// organisation what it really is.
func name(common string) pkix.Name {
	return pkix.Name{CommonName: common, Organization: []string{attest.SimulatedOrganisation}}
}

func newKey() (*ecdsa.PrivateKey, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("generate key: %w", err)
	}
	return key, nil
}

// issue certifies a key, signed by the issuer, or by itself if the issuer is
// zero. Key ids, and the serial number unless set, are filled in. The same input
// makes the same certificate.
func issue(template *x509.Certificate, key *ecdsa.PrivateKey, issuer authority) (authority, error) {
	if issuer.certificate == nil {
		issuer = authority{certificate: template, key: key}
	}
	point, err := key.PublicKey.Bytes()
	if err != nil {
		return authority{}, fmt.Errorf("encode key: %w", err)
	}
	id := sha256.Sum256(point)
	template.SubjectKeyId = id[:20]
	if template.SerialNumber == nil {
		template.SerialNumber = new(big.Int).SetBytes(id[16:]) // unique as the key is
	}
	template.SignatureAlgorithm = x509.ECDSAWithSHA256
	der, err := x509.CreateCertificate(nil, template, issuer.certificate, key.Public(), issuer.key)
	if err != nil {
		return authority{}, fmt.Errorf("certify %s: %w", template.Subject.CommonName, err)
	}
	certificate, err := x509.ParseCertificate(der)
	if err != nil {
		return authority{}, fmt.Errorf("certify %s: %w", template.Subject.CommonName, err)
	}
	return authority{certificate: certificate, key: key}, nil
}
