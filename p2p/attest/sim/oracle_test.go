package sim_test

import (
	"crypto/x509"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-tdx-guest/abi"
	"github.com/google/go-tdx-guest/verify"

	"github.com/tussah-network/tussah/p2p/attest/sim"
)

// offline answers an independent verifier's requests from an authority's own
// service, without a network. Each is asked once.
type offline struct {
	service http.Handler
	answers map[string]*httptest.ResponseRecorder
}

func (o offline) Get(url string) (map[string][]string, []byte, error) {
	w := o.answers[url]
	if w == nil {
		w = httptest.NewRecorder()
		o.service.ServeHTTP(w, httptest.NewRequest(http.MethodGet, url, nil))
		o.answers[url] = w
	}
	if w.Code != http.StatusOK {
		return nil, nil, fmt.Errorf("%s: status %d", url, w.Code)
	}
	return w.Header(), w.Body.Bytes(), nil
}

// oracle is an independent implementation of all checks of quotes of version 4
// and of their collateral. It is not made for hostile input, hence the recover.
func oracle(quote []byte, root *x509.Certificate, service offline) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("oracle panicked: %v", r)
		}
	}()
	parsed, err := abi.QuoteToProto(quote)
	if err != nil {
		return err
	}
	roots := x509.NewCertPool()
	roots.AddCert(root)
	return verify.TdxQuote(parsed, &verify.Options{
		TrustedRoots: roots, Now: time.Now(),
		GetCollateral: true, CheckRevocations: true, Getter: service,
	})
}

// serve is an authority's service, edited, with hex as the oracle writes it.
func serve(ca *sim.CA, f sim.CollateralFaults) offline {
	edit := f.TCBInfo
	f.TCBInfo = func(i *sim.TCBInfo) {
		if edit != nil {
			edit(i)
		}
		i.FMSPC = strings.ToLower(i.FMSPC)
	}
	return offline{ca.Handler(sim.HandlerOptions{Collateral: f}), map[string]*httptest.ResponseRecorder{}}
}

func TestQuotesAreRealQuotes(t *testing.T) {
	ca, data := newCA(t), [64]byte{9}
	quote, err := quoteOf(ca.Platform("a").VM(sim.Measure("x")), data)
	if err != nil {
		t.Fatal(err)
	}
	service := serve(ca, sim.CollateralFaults{})
	if err := oracle(quote, ca.Root(), service); err != nil {
		t.Errorf("independent verifier refuses: %v", err)
	}
	if err := accepts(ca.Verifier(), quote, data); err != nil {
		t.Errorf("our verifier refuses: %v", err)
	}
	other := newCA(t)
	if oracle(quote, other.Root(), service) == nil || accepts(other.Verifier(), quote, data) == nil {
		t.Error("a verifier accepts a foreign root")
	}
}

// What the independent verifier refuses, ours must refuse too.
func TestDifferential(t *testing.T) {
	ca, data := newCA(t), [64]byte{9}
	quote, err := quoteOf(ca.Platform("a").VM(sim.Measure("x")), data)
	if err != nil {
		t.Fatal(err)
	}
	service, ours := serve(ca, sim.CollateralFaults{}), ca.Verifier()
	for n := 0; n < len(quote); n += 7 {
		damaged := append([]byte(nil), quote...)
		damaged[n] ^= 0x10
		theirs := oracle(damaged, ca.Root(), service)
		if theirs != nil && accepts(ours, damaged, data) == nil {
			t.Errorf("byte %d: only the independent verifier refuses: %v", n, theirs)
		}
	}
}
