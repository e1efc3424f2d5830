package gpu

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/x509"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// KeyID names a certificate's key: SHA-384 of its SubjectPublicKeyInfo.
type KeyID [48]byte

// KeyIDOf returns the id of a certificate's key.
func KeyIDOf(c *x509.Certificate) KeyID { return sha512.Sum384(c.RawSubjectPublicKeyInfo) }

func (id KeyID) String() string { return hex.EncodeToString(id[:]) }

// The manufacturer's roots, by key. A root is known by nothing else: not by its
// name, and not by being last in what a peer sends.
var (
	// DeviceRoot is "NVIDIA Device Identity CA" of 2021-11-05. Source: the chains
	// that real devices deliver and verifier_device_root.pem in NVIDIA/nvtrust.
	DeviceRoot = mustKeyID("e108f61de3fce5261151f8a0eb562a920639ef1b0fcebba785ee52f54420e4248be3400366d45c2880bdf13044325393")
	// RIMRoot is "NVIDIA CoRIM signing Root CA" of 2023-03-16. Source:
	// verifier_RIM_root.pem in NVIDIA/nvtrust.
	RIMRoot = mustKeyID("62d5dc52611222694c689eba235331cf73cd69308ea763720a4987eede99657c176e94274169a8063af5b11f8eba7990")
)

func mustKeyID(s string) KeyID {
	b, err := hex.DecodeString(s)
	if err != nil || len(b) != len(KeyID{}) {
		panic("gpu: internal error: malformed key id " + s)
	}
	return KeyID(b)
}

// SimulatedOrganisation is how roots of simulated devices call themselves.
const SimulatedOrganisation = "Simulated GPU, no hardware"

// minCertificates are a leaf, its device and a root.
const minCertificates = 3

// chain is certificates, leaf first, root last.
type chain []*x509.Certificate

func (c chain) leaf() *x509.Certificate { return c[0] }
func (c chain) root() *x509.Certificate { return c[len(c)-1] }

func parseChain(der [][]byte) (chain, error) {
	if len(der) < minCertificates || len(der) > maxCertificates {
		return nil, fmt.Errorf("%d certificates", len(der))
	}
	all := make(chain, len(der))
	for i, b := range der {
		if len(b) > maxCertificate {
			return nil, fmt.Errorf("certificate %d has %d bytes", i, len(b))
		}
		var err error
		if all[i], err = x509.ParseCertificate(b); err != nil {
			return nil, fmt.Errorf("certificate %d: %w", i, err)
		}
	}
	return all, nil
}

func (c chain) key() *ecdsa.PublicKey { return c.leaf().PublicKey.(*ecdsa.PublicKey) }

// profile checks what each certificate may do. After it [chain.key] holds.
func (c chain) profile() error {
	for i, cert := range c {
		key, ok := cert.PublicKey.(*ecdsa.PublicKey)
		switch {
		case !ok || key.Curve != elliptic.P384():
			return fmt.Errorf("certificate %d: not a P-384 key", i)
		case cert.SignatureAlgorithm != x509.ECDSAWithSHA384:
			return fmt.Errorf("certificate %d: signed with %s", i, cert.SignatureAlgorithm)
		case cert.Version != 3:
			return fmt.Errorf("certificate %d: version %d", i, cert.Version)
		case len(cert.UnhandledCriticalExtensions) > 0:
			return fmt.Errorf("certificate %d: critical extension %s", i, cert.UnhandledCriticalExtensions[0])
		case i == 0 && (cert.IsCA || cert.KeyUsage != x509.KeyUsageDigitalSignature):
			return errors.New("leaf may do more than sign")
		case i > 0 && (!cert.BasicConstraintsValid || !cert.IsCA || cert.KeyUsage&x509.KeyUsageCertSign == 0):
			return fmt.Errorf("certificate %d is no CA", i)
		case i > 0 && cert.MaxPathLen >= 0 && i-1 > cert.MaxPathLen:
			return fmt.Errorf("certificate %d has %d CAs below it, %d allowed", i, i-1, cert.MaxPathLen)
		}
	}
	return nil
}

func (c chain) dates(now time.Time) error {
	for i, cert := range c {
		if now.Before(cert.NotBefore) || now.After(cert.NotAfter) {
			return fmt.Errorf("certificate %d is valid from %s to %s", i, cert.NotBefore.Format(time.DateOnly), cert.NotAfter.Format(time.DateOnly))
		}
	}
	return nil
}

// links checks that each certificate was issued by the next, the root by itself.
func (c chain) links() error {
	for i, cert := range c {
		issuer := c[min(i+1, len(c)-1)]
		if !bytes.Equal(cert.RawIssuer, issuer.RawSubject) {
			return fmt.Errorf("certificate %d names another issuer", i)
		}
		if err := cert.CheckSignatureFrom(issuer); err != nil {
			return fmt.Errorf("certificate %d: %w", i, err)
		}
	}
	return nil
}

// simulated tells whether a root calls itself simulated.
func simulated(root *x509.Certificate) bool {
	return slices.Contains(root.Subject.Organization, SimulatedOrganisation)
}

// deviceID identifies a GPU across driver and firmware updates: SHA-256 of the
// signed part of its device identity certificate, which is the leaf's issuer.
// The signature is left out because anybody can give an ECDSA signature a second
// form, and with it one device two ids.
func (c chain) deviceID() [32]byte { return sha256.Sum256(c[1].RawTBSCertificate) }

// model is the chip's name, such as GH100: the first word of both names that the
// manufacturer gave to device and firmware.
func (c chain) model() (string, error) {
	model, _, _ := strings.Cut(c[1].Subject.CommonName, " ")
	if other, _, _ := strings.Cut(c[0].Subject.CommonName, " "); model == "" || model != other {
		return "", fmt.Errorf("device %q, firmware %q", c[1].Subject.CommonName, c[0].Subject.CommonName)
	}
	return model, nil
}

// CertificateID is how a list of revocations names a certificate: SHA-256 of its
// issuer's name (length, DER) and serial number.
func CertificateID(c *x509.Certificate) [32]byte {
	h := sha256.New()
	h.Write(binary.BigEndian.AppendUint32(nil, uint32(len(c.RawIssuer))))
	h.Write(c.RawIssuer)
	h.Write(c.SerialNumber.Bytes())
	return [32]byte(h.Sum(nil))
}
