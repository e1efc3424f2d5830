package sim

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"math/big"
	"os"
	"path/filepath"
	"runtime"
	"time"

	"github.com/tussah-network/tussah/p2p/attest"
	"github.com/tussah-network/tussah/p2p/attest/tdx"
)

const (
	rootFile = "root.pem" // certificate: public, for verifiers
	keyFile  = "ca.key"   // the root's private key

	// validity of all certificates, counted from one hour before creation.
	validity = 7 * 365 * 24 * time.Hour
)

// Errors of the authority's folder.
var (
	ErrKeyMode  = errors.New("sim: key file is readable by others; set its mode to 0600")
	ErrBadStore = errors.New("sim: folder does not hold a certificate authority")
)

// CA is a certificate authority for simulated platforms: a root and, below it,
// the CA that certifies platforms.
type CA struct {
	root         authority
	intermediate authority
}

// authority is a certificate with its key.
type authority struct {
	certificate *x509.Certificate
	key         *ecdsa.PrivateKey
}

// NewCA makes an authority with fresh keys. It lives in memory until [CA.Save].
func NewCA() (*CA, error) {
	template := &x509.Certificate{
		Subject:               name("Intel SGX Root CA"),
		KeyUsage:              x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
		BasicConstraintsValid: true,
		IsCA:                  true,
		MaxPathLen:            1,
	}
	root, err := issue(template, authority{})
	if err != nil {
		return nil, err
	}
	return newCA(root)
}

// newCA certifies a platform CA with a fresh key. It is not kept: any number of
// them may live under one root.
func newCA(root authority) (*CA, error) {
	intermediate, err := issue(intermediateTemplate(), root)
	if err != nil {
		return nil, err
	}
	return &CA{root: root, intermediate: intermediate}, nil
}

func intermediateTemplate() *x509.Certificate {
	return &x509.Certificate{
		Subject:               name("Intel SGX PCK Platform CA"),
		KeyUsage:              x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
		BasicConstraintsValid: true,
		IsCA:                  true,
		MaxPathLenZero:        true,
		CRLDistributionPoints: []string{"https://simulated.invalid/root.crl"},
	}
}

// Root is the certificate verifiers must load to accept this authority's platforms.
func (ca *CA) Root() *x509.Certificate { return ca.root.certificate }

// Verifier believes this authority's platforms, where the policy allows simulation.
func (ca *CA) Verifier() *tdx.Verifier {
	return &tdx.Verifier{Roots: []*x509.Certificate{ca.Root()}}
}

// Save writes the root certificate and its key into a folder, which it creates.
// It overwrites nothing: an existing authority is an error (fs.ErrExist).
func (ca *CA) Save(dir string) error {
	key, err := x509.MarshalPKCS8PrivateKey(ca.root.key)
	if err != nil {
		return fmt.Errorf("encode CA key: %w", err)
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("create CA folder: %w", err)
	}
	if err := writeNew(filepath.Join(dir, keyFile), 0o600, "PRIVATE KEY", key); err != nil {
		return err
	}
	return writeNew(filepath.Join(dir, rootFile), 0o644, "CERTIFICATE", ca.root.certificate.Raw)
}

// LoadCA reads what [CA.Save] wrote. It refuses a key that others can read.
func LoadCA(dir string) (*CA, error) {
	certificate, err := LoadRoot(dir)
	if err != nil {
		return nil, err
	}
	path := filepath.Join(dir, keyFile)
	info, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("load CA key: %w", err)
	}
	if runtime.GOOS != "windows" && info.Mode().Perm()&0o077 != 0 {
		return nil, fmt.Errorf("%w: %s has %v", ErrKeyMode, path, info.Mode().Perm())
	}
	der, err := readPEM(path, "PRIVATE KEY")
	if err != nil {
		return nil, err
	}
	parsed, err := x509.ParsePKCS8PrivateKey(der)
	if err != nil {
		return nil, fmt.Errorf("%w: %s: %w", ErrBadStore, path, err)
	}
	key, ok := parsed.(*ecdsa.PrivateKey)
	if !ok || !key.PublicKey.Equal(certificate.PublicKey) {
		return nil, fmt.Errorf("%w: %s is not the key of %s", ErrBadStore, keyFile, rootFile)
	}
	return newCA(authority{certificate: certificate, key: key})
}

// LoadVerifier is [CA.Verifier] for a folder that [CA.Save] wrote. It needs no
// access to the key.
func LoadVerifier(dir string) (*tdx.Verifier, error) {
	root, err := LoadRoot(dir)
	if err != nil {
		return nil, err
	}
	return &tdx.Verifier{Roots: []*x509.Certificate{root}}, nil
}

// LoadRoot reads the root certificate from a folder that [CA.Save] wrote. It
// needs no access to the key.
func LoadRoot(dir string) (*x509.Certificate, error) {
	path := filepath.Join(dir, rootFile)
	der, err := readPEM(path, "CERTIFICATE")
	if err != nil {
		return nil, err
	}
	certificate, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, fmt.Errorf("%w: %s: %w", ErrBadStore, path, err)
	}
	return certificate, nil
}

func writeNew(path string, mode fs.FileMode, kind string, der []byte) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
	if err != nil {
		return fmt.Errorf("save CA: %w", err)
	}
	err = pem.Encode(f, &pem.Block{Type: kind, Bytes: der})
	if err == nil {
		err = f.Sync()
	}
	if err := errors.Join(err, f.Close()); err != nil {
		return fmt.Errorf("save CA: write %s: %w", path, err)
	}
	return nil
}

func readPEM(path, kind string) ([]byte, error) {
	raw, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("load CA: %w", err)
	}
	block, _ := pem.Decode(raw)
	if block == nil || block.Type != kind {
		return nil, fmt.Errorf("%w: %s holds no %s", ErrBadStore, path, kind)
	}
	return block.Bytes, nil
}

// name has the common name that a place in the chain demands, and says in the
// organisation what it really is.
func name(common string) pkix.Name {
	return pkix.Name{CommonName: common, Organization: []string{attest.SimulatedOrganisation}}
}

// issue makes a key and a certificate for it, signed by the issuer, or by itself
// if the issuer is zero. Serial number, dates (unless set) and key ids are filled in.
func issue(template *x509.Certificate, issuer authority) (authority, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return authority{}, fmt.Errorf("generate key: %w", err)
	}
	if issuer.certificate == nil {
		issuer = authority{certificate: template, key: key}
	}
	point, err := key.PublicKey.Bytes()
	if err != nil {
		return authority{}, fmt.Errorf("encode key: %w", err)
	}
	id := sha256.Sum256(point)
	template.SubjectKeyId = id[:20]
	template.SerialNumber = new(big.Int).SetBytes(id[16:]) // unique as the key is
	template.SignatureAlgorithm = x509.ECDSAWithSHA256
	if template.NotBefore.IsZero() {
		template.NotBefore = time.Now().Add(-time.Hour)
	}
	if template.NotAfter.IsZero() {
		template.NotAfter = template.NotBefore.Add(validity)
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
