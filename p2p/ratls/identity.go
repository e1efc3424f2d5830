package ratls

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha512"
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

// arcEvidence and a number are the extension with a machine's evidence: 1 for a
// TDX quote, as in the Cocoon network, 100 and the number of the TEE for others.
// It is not critical, so that other verifiers of libp2p certificates can ignore it.
var arcEvidence = asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 12345}

const (
	arcTDX   = 1
	arcOther = 100
)

func oidEvidence(tee attest.TEE) asn1.ObjectIdentifier {
	last := arcTDX
	if tee != attest.TDX {
		last = arcOther + int(tee)
	}
	return append(append(asn1.ObjectIdentifier(nil), arcEvidence...), last)
}

// EvidenceIn tells whether an extension is a machine's evidence, and of what kind.
func EvidenceIn(e pkix.Extension) (attest.TEE, bool) {
	n := len(arcEvidence)
	if len(e.Id) != n+1 || !e.Id[:n].Equal(arcEvidence) {
		return 0, false
	}
	switch last := e.Id[n]; {
	case last == arcTDX:
		return attest.TDX, true
	case last > arcOther && last <= arcOther+0xff:
		return attest.TEE(last - arcOther), true
	}
	return 0, false
}

// identity issues our certificates. The first is made at the first handshake:
// libp2p may construct a transport that it never uses, and a quote is costly.
type identity struct {
	key      crypto.PrivKey
	provider attest.Provider
	upstream bool // certificates as in upstream.go
	log      *slog.Logger

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
	private, extensions, err := i.tlsKey()
	if err != nil {
		return nil, err
	}
	public := private.Public().(ed25519.PublicKey)
	if i.provider != nil {
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

// tlsKey is the key of a certificate and what binds it to the libp2p key.
func (i *identity) tlsKey() (ed25519.PrivateKey, []pkix.Extension, error) {
	if i.upstream {
		private, err := upstreamPrivate(i.key)
		return private, nil, err
	}
	public, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return nil, nil, fmt.Errorf("generate TLS key: %w", err)
	}
	binding, err := libp2ptls.GenerateSignedExtension(i.key, public)
	if err != nil {
		return nil, nil, fmt.Errorf("bind TLS key to libp2p key: %w", err)
	}
	return private, []pkix.Extension{binding}, nil
}

// evidence obtains evidence over both our keys.
func (i *identity) evidence(public ed25519.PublicKey) (pkix.Extension, error) {
	key, err := crypto.MarshalPublicKey(i.key.GetPublic())
	if err != nil {
		return pkix.Extension{}, fmt.Errorf("encode libp2p key: %w", err)
	}
	spki, err := x509.MarshalPKIXPublicKey(public)
	if err != nil {
		return pkix.Extension{}, fmt.Errorf("encode TLS key: %w", err)
	}
	ctx, stop := context.WithTimeout(context.Background(), quoteTimeout)
	defer stop()
	bound := ReportData(key, spki)
	if i.upstream {
		bound = sha512.Sum512(public)
	}
	evidence, err := i.provider.Evidence(ctx, bound)
	if err != nil {
		return pkix.Extension{}, fmt.Errorf("%w: %w", ErrNoOwnEvidence, err)
	}
	return pkix.Extension{Id: oidEvidence(evidence.TEE), Critical: i.upstream, Value: evidence.Report}, nil
}
