package tdx_test

import (
	"context"
	"crypto/x509"
	"time"

	"github.com/tussah-network/tussah/p2p/attest"
	"github.com/tussah-network/tussah/p2p/attest/tdx"
)

// rules are a verifier's roots and a policy.
type rules struct {
	Roots []*x509.Certificate
	attest.Policy
}

func appraise(quote []byte, data [64]byte, r rules, now time.Time) (attest.Appraisal, error) {
	v := tdx.Verifier{Roots: r.Roots}
	return v.Appraise(attest.Evidence{TEE: attest.TDX, Report: quote}, data, r.Policy, now)
}

func quoteOf(p attest.Provider, data [64]byte) ([]byte, error) {
	e, err := p.Evidence(context.Background(), data)
	return e.Report, err
}
