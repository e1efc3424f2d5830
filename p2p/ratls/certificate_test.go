package ratls_test

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"errors"
	"math/big"
	"slices"
	"testing"
	"time"

	libp2pcrypto "github.com/libp2p/go-libp2p/core/crypto"
	libp2ptls "github.com/libp2p/go-libp2p/p2p/security/tls"

	"github.com/tussah-network/tussah/p2p/attest"
	"github.com/tussah-network/tussah/p2p/ratls"
)

// forge makes a peer's certificate that is good but for the edit.
func (w *world) forge(t testing.TB, now time.Time, edit func(*x509.Certificate)) *x509.Certificate {
	t.Helper()
	public, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	key, _, err := libp2pcrypto.GenerateEd25519Key(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1),
		NotBefore:    now.Add(-time.Hour),
		NotAfter:     now.Add(time.Hour),
		ExtraExtensions: []pkix.Extension{
			bind(t, key, public),
			w.evidence(t, key, public),
		},
	}
	edit(template)
	return sign(t, template, public, private)
}

func sign(t testing.TB, template *x509.Certificate, public, private any) *x509.Certificate {
	t.Helper()
	der, err := x509.CreateCertificate(rand.Reader, template, template, public, private)
	if err != nil {
		t.Fatal(err)
	}
	c, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func bind(t testing.TB, key libp2pcrypto.PrivKey, public any) pkix.Extension {
	t.Helper()
	e, err := libp2ptls.GenerateSignedExtension(key, public)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func (w *world) evidence(t testing.TB, key libp2pcrypto.PrivKey, public any) pkix.Extension {
	t.Helper()
	libp2pKey, err := libp2pcrypto.MarshalPublicKey(key.GetPublic())
	if err != nil {
		t.Fatal(err)
	}
	spki, err := x509.MarshalPKIXPublicKey(public)
	if err != nil {
		t.Fatal(err)
	}
	return pkix.Extension{Id: ratls.OIDEvidence(attest.TDX), Value: report(t, w.ca.Platform("forger").VM(w.image), ratls.ReportData(libp2pKey, spki))}
}

func TestCertificateRefusals(t *testing.T) {
	w := newWorld(t)
	now := time.Now()
	node := transport(t, w.attested("node"))
	forge := func(edit func(*x509.Certificate)) []*x509.Certificate {
		return []*x509.Certificate{w.forge(t, now, edit)}
	}
	good := forge(func(*x509.Certificate) {})

	ecKey, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	key, _, err := libp2pcrypto.GenerateEd25519Key(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	p256 := sign(t, &x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: now.Add(-time.Hour), NotAfter: now.Add(time.Hour),
		ExtraExtensions: []pkix.Extension{bind(t, key, ecKey.Public()), w.evidence(t, key, ecKey.Public())},
	}, ecKey.Public(), ecKey)

	tampered := slices.Clone(good[0].Raw)
	tampered[len(tampered)-1] ^= 1
	badSignature, err := x509.ParseCertificate(tampered)
	if err != nil {
		t.Fatal(err)
	}

	for _, c := range []struct {
		name  string
		want  error // nil: accepted
		chain []*x509.Certificate
	}{
		{"good", nil, good},
		{"none", ratls.ErrCertificate, nil},
		{"two", ratls.ErrCertificate, append(slices.Clone(good), good...)},
		{"P-256", ratls.ErrCertificate, []*x509.Certificate{p256}},
		{"valid too long", ratls.ErrCertificate, forge(func(c *x509.Certificate) { c.NotAfter = c.NotBefore.Add(ratls.CertificateLife + time.Second) })},
		{"expired", ratls.ErrCertificate, forge(func(c *x509.Certificate) { c.NotAfter = now.Add(-time.Minute) })},
		{"from the future", ratls.ErrCertificate, forge(func(c *x509.Certificate) { c.NotBefore = now.Add(time.Minute) })},
		{"too large", ratls.ErrCertificate, forge(func(c *x509.Certificate) {
			c.ExtraExtensions = append(c.ExtraExtensions, pkix.Extension{Id: asn1.ObjectIdentifier{1, 2, 3}, Value: make([]byte, 20<<10)})
		})},
		{"bad self-signature", ratls.ErrCertificate, []*x509.Certificate{badSignature}},
		{"no libp2p key", ratls.ErrIdentity, forge(func(c *x509.Certificate) { c.ExtraExtensions = c.ExtraExtensions[1:] })},
		{"libp2p key of another", ratls.ErrIdentity, forge(func(c *x509.Certificate) { c.ExtraExtensions[0] = bind(t, key, ecKey.Public()) })},
		{"critical extension", ratls.ErrIdentity, forge(func(c *x509.Certificate) { c.ExtraExtensions[1].Critical = true })},
		{"no evidence", ratls.ErrNoEvidence, forge(func(c *x509.Certificate) { c.ExtraExtensions = c.ExtraExtensions[:1] })},
		{"evidence of two TEEs", ratls.ErrCertificate, forge(func(c *x509.Certificate) {
			c.ExtraExtensions = append(c.ExtraExtensions, pkix.Extension{Id: ratls.OIDEvidence(attest.SNP), Value: []byte{1}})
		})},
		{"empty evidence", attest.ErrSize, forge(func(c *x509.Certificate) { c.ExtraExtensions[1].Value = []byte{} })},
		{"evidence of another", attest.ErrReportData, forge(func(c *x509.Certificate) { c.ExtraExtensions[1] = w.evidence(t, key, ecKey.Public()) })},
		{"evidence truncated", attest.ErrFormat, forge(func(c *x509.Certificate) { c.ExtraExtensions[1].Value = c.ExtraExtensions[1].Value[:1000] })},
	} {
		t.Run(c.name, func(t *testing.T) {
			p, err := node.Check(tls.ConnectionState{PeerCertificates: c.chain}, now)
			if !errors.Is(err, c.want) {
				t.Fatalf("got %v, want %v", err, c.want)
			}
			if (p == nil) != (err != nil) {
				t.Errorf("peer %+v with error %v", p, err)
			}
		})
	}
}

func TestCertificateIsRenewed(t *testing.T) {
	w := newWorld(t)
	o := w.attested("node")
	inner, quotes, broken := o.Provider, 0, false
	o.Provider = reportFunc(func(d [64]byte) ([]byte, error) {
		quotes++
		if broken {
			return nil, errors.New("device busy")
		}
		return report(t, inner, d), nil
	})
	node := transport(t, o)
	if quotes != 0 {
		t.Fatal("a quote was made before it was needed")
	}
	start := time.Now()
	at := func(age time.Duration) *tls.Certificate {
		t.Helper()
		c, err := node.Certificate(start.Add(age))
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	first := at(0)
	if at(ratls.RenewAfter-1) != first || quotes != 1 {
		t.Errorf("renewed too early, %d quotes", quotes)
	}
	if life := first.Leaf.NotAfter.Sub(first.Leaf.NotBefore); life > ratls.CertificateLife {
		t.Errorf("valid for %v", life)
	}
	second := at(ratls.RenewAfter)
	if second == first || quotes != 2 {
		t.Errorf("not renewed at half its life, %d quotes", quotes)
	}

	// While quoting fails, the last certificate serves, and attempts are spaced.
	broken = true
	if at(2*ratls.RenewAfter) != second || at(2*ratls.RenewAfter+ratls.RenewRetry-1) != second || quotes != 3 {
		t.Errorf("%d quotes while the device is broken", quotes)
	}
	if at(2*ratls.RenewAfter+ratls.RenewRetry) != second || quotes != 4 {
		t.Errorf("no new attempt, %d quotes", quotes)
	}
	if _, err := node.Certificate(start.Add(4 * ratls.RenewAfter)); !errors.Is(err, ratls.ErrNoOwnEvidence) {
		t.Errorf("an expired certificate still serves: %v", err)
	}
	broken = false
	if at(4*ratls.RenewAfter) == second {
		t.Error("not renewed after the device recovered")
	}
}

func FuzzCertificate(f *testing.F) {
	w := newWorld(f)
	now := time.Now()
	// Appraisal has its own fuzz test. Without it, all processes judge a seed alike.
	node := transport(f, ratls.Options{Appraise: func(ratls.Shown) (attest.Appraisal, error) {
		return attest.Appraisal{TEE: attest.TDX}, nil
	}})
	f.Add(w.forge(f, now, func(*x509.Certificate) {}).Raw)
	f.Add(w.forge(f, now, func(c *x509.Certificate) { c.ExtraExtensions = c.ExtraExtensions[:1] }).Raw)
	f.Fuzz(func(t *testing.T, der []byte) {
		c, err := x509.ParseCertificate(der)
		if err != nil {
			return
		}
		p, err := node.Check(tls.ConnectionState{PeerCertificates: []*x509.Certificate{c}}, now)
		if errors.Is(err, ratls.ErrPanic) {
			t.Error(err)
		}
		if err == nil && p.Appraisal == nil {
			t.Error("accepted without evidence")
		}
	})
}
