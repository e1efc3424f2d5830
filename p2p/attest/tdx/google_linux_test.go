package tdx_test

import (
	"bytes"
	"errors"
	"net/url"
	"testing"
	"time"

	guest "github.com/google/go-tdx-guest/testing"
	"github.com/google/go-tdx-guest/testing/testdata"

	"github.com/tussah-network/tussah/p2p/attest"
	"github.com/tussah-network/tussah/p2p/attest/tdx"
)

// A real quote and the answers about its platform that come with the library
// that obtains quotes. The platform is older than every level; the VM has
// protection keys and features that no known image has.
func TestQuoteOfTheLibrary(t *testing.T) {
	chain := func(header map[string][]string) []byte {
		for _, values := range header {
			text, err := url.QueryUnescape(values[0])
			if err != nil {
				t.Fatal(err)
			}
			return []byte(text)
		}
		t.Fatal("no chain")
		return nil
	}
	now := time.Date(2023, 7, 1, 0, 0, 0, 0, time.UTC)
	quote := canonical(t, testdata.RawQuote)
	p := production(t, quote)
	collateral, err := tdx.ParseCollateral(tdx.Collateral{
		TCBInfo:         bytes.TrimSpace(testdata.TcbInfoBody),
		TCBInfoChain:    chain(guest.TcbInfoHeader),
		QEIdentity:      bytes.TrimSpace(testdata.QeIdentityBody),
		QEIdentityChain: chain(guest.QeIdentityHeader),
		RootCRL:         testdata.RootCrlBody,
		PCKCRL:          testdata.PckCrlBody,
		PCKCRLChain:     chain(guest.PckCrlHeader),
	}, p.Roots, now)
	if err != nil {
		t.Fatal(err)
	}
	p.Collateral = collateral
	if _, err := appraise(quote, boundTo(quote), p, now); !errors.Is(err, tdx.ErrNoLevel) {
		t.Errorf("got %v, want %v", err, tdx.ErrNoLevel)
	}
	v := tdx.Verifier{Roots: p.Roots, Collateral: collateral}
	for _, r := range v.Explain(attest.Evidence{TEE: attest.TDX, Report: quote}, boundTo(quote), p.Policy, now) {
		want := r.Refusal == tdx.ErrNoLevel || r.Refusal == tdx.ErrAttributes || r.Refusal == tdx.ErrXFAM
		if !r.Skipped && (r.Err != nil) != want {
			t.Errorf("%s: %v", r.Name, r.Err)
		}
	}
}
