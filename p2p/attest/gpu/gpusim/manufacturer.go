package gpusim

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"math/big"
	"sync"
	"time"

	"github.com/tussah-network/tussah/p2p/attest/gpu"
)

// Place is a certificate's place in the manufacturer's trees.
type Place int

// The places, from the roots down.
const (
	DeviceRoot Place = iota
	IdentityCA
	ProvisionerCA
	DeviceIdentity
	Firmware // the leaf that signs reports
	RIMRoot
	RIMCA
	RIMSigner
)

// Options change what a manufacturer makes.
type Options struct {
	// Edit changes a certificate before it is signed.
	Edit func(Place, *x509.Certificate)
	// Now is the time around which certificates are valid. Default: the present.
	Now time.Time
}

// Manufacturer makes GPUs and the documents about them. It is safe for
// concurrent use.
type Manufacturer struct {
	options Options
	ids     [3]authority // root, identity, provisioner
	rims    [3]authority // root, CA, signer

	mu struct {
		sync.Mutex
		documents map[string][]byte
	}
}

// authority is a certificate with its key.
type authority struct {
	certificate *x509.Certificate
	key         *ecdsa.PrivateKey
}

// NewManufacturer makes a manufacturer with fresh keys.
func NewManufacturer(o Options) (*Manufacturer, error) {
	if o.Now.IsZero() {
		o.Now = time.Now()
	}
	m := &Manufacturer{options: o}
	m.mu.documents = map[string][]byte{}
	var err error
	issuer := authority{}
	for i, place := range []Place{DeviceRoot, IdentityCA, ProvisionerCA} {
		name := []string{"Device Identity CA", "GH100 Identity", "GH100 Provisioner ICA 1"}[i]
		if m.ids[i], err = m.issue(place, name, issuer); err != nil {
			return nil, err
		}
		issuer = m.ids[i]
	}
	issuer = authority{}
	for i, place := range []Place{RIMRoot, RIMCA, RIMSigner} {
		name := []string{"CoRIM signing Root CA", "Reference Value GH100 CA", "RIM Signer"}[i]
		if m.rims[i], err = m.issue(place, name, issuer); err != nil {
			return nil, err
		}
		issuer = m.rims[i]
	}
	return m, nil
}

// Roots are the keys that a policy must name to admit what is made here.
func (m *Manufacturer) Roots() []gpu.KeyID {
	return []gpu.KeyID{gpu.KeyIDOf(m.ids[0].certificate), gpu.KeyIDOf(m.rims[0].certificate)}
}

// Certificates are those of the signer of documents, signer first, root last.
func (m *Manufacturer) Certificates() []*x509.Certificate {
	return []*x509.Certificate{m.rims[2].certificate, m.rims[1].certificate, m.rims[0].certificate}
}

// issue certifies a fresh key. An empty issuer makes a root.
func (m *Manufacturer) issue(place Place, commonName string, issuer authority, extensions ...pkix.Extension) (authority, error) {
	key, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	if err != nil {
		return authority{}, err
	}
	return m.certify(place, commonName, issuer, key, extensions...)
}

func (m *Manufacturer) certify(place Place, commonName string, issuer authority, key *ecdsa.PrivateKey, extensions ...pkix.Extension) (authority, error) {
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 120))
	if err != nil {
		return authority{}, err
	}
	t := &x509.Certificate{
		SerialNumber:       serial,
		Subject:            pkix.Name{CommonName: commonName, Organization: []string{gpu.SimulatedOrganisation}},
		NotBefore:          m.options.Now.Add(-24 * time.Hour),
		NotAfter:           m.options.Now.Add(365 * 24 * time.Hour),
		SignatureAlgorithm: x509.ECDSAWithSHA384,
		ExtraExtensions:    extensions,
	}
	if place == Firmware || place == RIMSigner {
		t.KeyUsage = x509.KeyUsageDigitalSignature
	} else {
		t.KeyUsage = x509.KeyUsageCertSign
		t.IsCA, t.BasicConstraintsValid, t.MaxPathLen = true, true, -1
	}
	if m.options.Edit != nil {
		m.options.Edit(place, t)
	}
	if issuer.key == nil {
		issuer = authority{t, key}
	}
	der, err := x509.CreateCertificate(rand.Reader, t, issuer.certificate, &key.PublicKey, issuer.key)
	if err != nil {
		return authority{}, fmt.Errorf("gpusim: certificate %q: %w", commonName, err)
	}
	c, err := x509.ParseCertificate(der)
	return authority{c, key}, err
}
