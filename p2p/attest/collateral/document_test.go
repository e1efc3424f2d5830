package collateral

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"math/big"
	"net/http"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"golang.org/x/crypto/ocsp"

	"github.com/tussah-network/tussah/p2p/attest"
)

// amd serves a revocation list of a number, from an authority of its own.
type amd struct {
	number atomic.Int64
	ca     *x509.Certificate
	key    *ecdsa.PrivateKey
}

func newAMD() *amd {
	a := &amd{key: must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))}
	a.ca = &x509.Certificate{SerialNumber: big.NewInt(1), SubjectKeyId: []byte{1}, IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCRLSign}
	a.ca = must(x509.ParseCertificate(must(x509.CreateCertificate(rand.Reader, a.ca, a.ca, a.key.Public(), a.key))))
	return a
}

func (a *amd) ServeHTTP(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "application/pkix-crl")
	w.Write(must(x509.CreateRevocationList(rand.Reader, &x509.RevocationList{
		Number: big.NewInt(a.number.Load()), ThisUpdate: time.Now(), NextUpdate: time.Now().Add(100 * time.Hour),
	}, a.ca, a.key)))
}

func (a *amd) check(body []byte) error {
	list, err := x509.ParseRevocationList(body)
	if err != nil {
		return err
	}
	return list.CheckSignatureFrom(a.ca)
}

func TestDocumentsOthersVerify(t *testing.T) {
	in(t, func(t *testing.T, u *upstream, fs *vfs.MemFS) {
		a, n := newAMD(), must(AMDCRL("Genoa"))
		a.number.Store(5)
		u.handler = a
		l := newLab(t, u, fs, nil)
		stop := l.run()
		if _, err := l.Document(n, a.check); !errors.Is(err, attest.ErrNoCollateral) {
			t.Fatalf("before it was fetched: %v", err)
		}
		synctest.Wait()
		body, err := l.Document(n, a.check)
		if err != nil {
			t.Fatal(err)
		}
		if got := l.Status().Documents; len(got) != 1 || got[0].Number != 5 || got[0].Name != "amdcrl/Genoa" {
			t.Errorf("status: %+v", got)
		}
		// An older list is refused, the good one stays.
		a.number.Store(4)
		time.Sleep(25 * time.Hour)
		synctest.Wait()
		if got := l.Status().Subjects[0]; got.Failures == 0 || !got.Served {
			t.Errorf("an older list: %+v", got)
		}
		if again, err := l.Document(n, a.check); err != nil || !bytes.Equal(again, body) {
			t.Errorf("the good list is gone: %v", err)
		}
		stop()

		// After a restart it is checked again, not fetched again.
		requests := u.asked()
		l = newLab(t, u, fs, nil)
		defer l.run()()
		l.Document(n, a.check)
		synctest.Wait()
		if again, err := l.Document(n, a.check); err != nil || !bytes.Equal(again, body) || u.asked() != requests {
			t.Errorf("after a restart: %v, %d requests more", err, u.asked()-requests)
		}
	})
}

func TestRefusedDocumentIsNotWritten(t *testing.T) {
	in(t, func(t *testing.T, u *upstream, fs *vfs.MemFS) {
		a, n, no := newAMD(), must(AMDCRL("Genoa")), errors.New("not this one")
		u.handler = a
		l := newLab(t, u, fs, nil)
		defer l.run()()
		if err := l.WantDocument(n, func([]byte) error { return no }); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		l.Service.mu.Lock()
		err := l.Service.mu.wishes[subject{name: n}].err
		l.Service.mu.Unlock()
		if !errors.Is(err, no) || !errors.Is(err, ErrRefused) {
			t.Errorf("got %v", err)
		}
		if got := documentFiles(t, fs); len(got) != 0 {
			t.Errorf("written: %v", got)
		}
	})
}

// What documents say about themselves, by kind. None makes us panic.
func TestFacts(t *testing.T) {
	a := newAMD()
	from, to := second(time.Now()), second(time.Now().Add(time.Hour))
	certify := func(until time.Time) []byte {
		template := &x509.Certificate{SerialNumber: big.NewInt(2), NotBefore: from, NotAfter: until}
		return must(x509.CreateCertificate(rand.Reader, template, a.ca, a.key.Public(), a.key))
	}
	inPEM := func(der ...[]byte) (text []byte) {
		for _, d := range der {
			text = append(text, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: d})...)
		}
		return text
	}
	answer := must(ocsp.CreateResponse(a.ca, a.ca, ocsp.Response{SerialNumber: big.NewInt(2), ThisUpdate: from, NextUpdate: to}, a.key))
	vcek := must(VCEK("Genoa", make([]byte, 64), SNPVersion{}))
	for name, c := range map[string]struct {
		name    Name
		body    []byte
		expires time.Time
		bad     bool
	}{
		"certificate":       {name: vcek, body: certify(to), expires: to},
		"first to end":      {name: must(AMDChain("Genoa")), body: inPEM(certify(to.Add(time.Hour)), certify(to)), expires: to},
		"answer":            {name: must(OCSP([]byte{0x30, 0})), body: answer, expires: to},
		"manifest":          {name: must(RIM("NV_X")), body: []byte("<x/>")},
		"not a certificate": {name: vcek, body: []byte("x"), bad: true},
		"empty PEM":         {name: vcek, body: []byte("-----BEGIN"), bad: true},
		"not a list":        {name: must(AMDCRL("Genoa")), body: []byte("x"), bad: true},
		"not an answer":     {name: must(OCSP([]byte{0x30, 0})), body: []byte("x"), bad: true},
	} {
		f, err := factsOf(c.name, c.body)
		if (err != nil) != c.bad || !f.expires.Equal(c.expires) {
			t.Errorf("%s: expires %v, %v", name, f.expires, err)
		}
	}
}
