package ratls

import (
	"crypto/ed25519"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"fmt"
	"log/slog"
	"math/big"
	"sync"
	"time"

	"github.com/libp2p/go-libp2p/core/crypto"
	libp2ptls "github.com/libp2p/go-libp2p/p2p/security/tls"

	"github.com/tussah-network/tussah/p2p/attest"
)

// oidEvidence is the extension with the quote, as in the Cocoon network. It is
// not critical, so that other verifiers of libp2p certificates can ignore it.
var oidEvidence = asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 12345, 1}

// identity issues our certificates. The first is made at the first handshake:
// libp2p may construct a transport that it never uses, and a quote is costly.
type identity struct {
	key    crypto.PrivKey
	quoter attest.Quoter
	log    *slog.Logger

	mu struct {
		sync.Mutex
		certificate *tls.Certificate
		renew       time.Time // when to issue the next
	}
}

// certificate returns a certificate that is valid now, and issues one if the
// last has reached half its life. If that fails, the last serves until it expires.
func (i *identity) certificate(now time.Time) (*tls.Certificate, error) {
	i.mu.Lock()
	defer i.mu.Unlock()
	current := i.mu.certificate
	if current != nil && now.Before(i.mu.renew) {
		return current, nil
	}
	fresh, err := i.issue(now)
	switch {
	case err == nil:
		i.mu.certificate, i.mu.renew = fresh, now.Add(renewAfter)
		return fresh, nil
	case current != nil && now.Before(current.Leaf.NotAfter):
		i.mu.renew = now.Add(renewRetry)
		i.log.Warn("certificate not renewed", "valid_until", current.Leaf.NotAfter, "err", err)
		return current, nil
	}
	return nil, err
}

func (i *identity) issue(now time.Time) (*tls.Certificate, error) {
	public, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("generate TLS key: %w", err)
	}
	binding, err := libp2ptls.GenerateSignedExtension(i.key, public)
	if err != nil {
		return nil, fmt.Errorf("bind TLS key to libp2p key: %w", err)
	}
	extensions := []pkix.Extension{binding}
	if i.quoter != nil {
		evidence, err := i.evidence(public)
		if err != nil {
			return nil, err
		}
		extensions = append(extensions, evidence)
	}
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 127))
	if err != nil {
		return nil, fmt.Errorf("choose serial number: %w", err)
	}
	notBefore := now.Add(-backdate)
	template := &x509.Certificate{
		SerialNumber:    serial,
		Subject:         pkix.Name{SerialNumber: serial.String()},
		NotBefore:       notBefore,
		NotAfter:        notBefore.Add(certificateLife),
		ExtraExtensions: extensions,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, public, private)
	if err != nil {
		return nil, fmt.Errorf("issue certificate: %w", err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, fmt.Errorf("issue certificate: %w", err)
	}
	return &tls.Certificate{Certificate: [][]byte{der}, PrivateKey: private, Leaf: leaf}, nil
}

// evidence obtains a quote over both our keys.
func (i *identity) evidence(public ed25519.PublicKey) (pkix.Extension, error) {
	key, err := crypto.MarshalPublicKey(i.key.GetPublic())
	if err != nil {
		return pkix.Extension{}, fmt.Errorf("encode libp2p key: %w", err)
	}
	spki, err := x509.MarshalPKIXPublicKey(public)
	if err != nil {
		return pkix.Extension{}, fmt.Errorf("encode TLS key: %w", err)
	}
	quote, err := i.quoter.Quote(ReportData(key, spki))
	if err != nil {
		return pkix.Extension{}, fmt.Errorf("%w: %w", ErrQuoter, err)
	}
	if quote, err = attest.Canonical(quote); err != nil {
		return pkix.Extension{}, fmt.Errorf("%w: %w", ErrQuoter, err)
	}
	return pkix.Extension{Id: oidEvidence, Value: quote}, nil
}
