package tdx_test

import (
	"context"
	"crypto/x509"
	"time"

	"github.com/tussah-network/tussah/p2p/attest"
	"github.com/tussah-network/tussah/p2p/attest/tdx"
)

// rules are what a verifier goes by, and a policy.
type rules struct {
	Roots      []*x509.Certificate
	Collateral tdx.Source
	attest.Policy
}

// anything is a source that has the same answer to every question.
type anything struct{ *tdx.Verified }

func (a anything) Collateral([6]byte, tdx.CA) (*tdx.Verified, error) { return a.Verified, nil }

func appraise(quote []byte, data [64]byte, r rules, now time.Time) (attest.Appraisal, error) {
	v := tdx.Verifier{Roots: r.Roots, Collateral: r.Collateral}
	return v.Appraise(attest.Evidence{TEE: attest.TDX, Report: quote}, data, r.Policy, now)
}

func quoteOf(p attest.Provider, data [64]byte) ([]byte, error) {
	e, err := p.Evidence(context.Background(), data)
	return e.Report, err
}
