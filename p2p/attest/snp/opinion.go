package snp

import (
	"bytes"
	"errors"
	"fmt"
	"time"

	"github.com/google/go-sev-guest/abi"
	"github.com/google/go-sev-guest/kds"
	"github.com/google/go-sev-guest/proto/sevsnp"
	"github.com/google/go-sev-guest/verify"
	"github.com/google/go-sev-guest/verify/trust"
)

// secondOpinion asks an independent verifier whether the evidence is genuine: a
// mistake in one of both does not let a forgery in. It comes after all checks of
// our own, so it sees well-formed, signed bytes only. It reads certificates of
// Genoa's layout; Turin's have another, and there ours stands alone.
func (c *candidate) secondOpinion() error {
	if c.line == Turin {
		return nil
	}
	return confirm(c.report, c.chipDER, c.root, c.now)
}

// confirm must not panic, whatever the library does, and gives it no way to fetch.
func confirm(r report, chip []byte, root Root, now time.Time) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v", p)
		}
	}()
	parsed, err := abi.ReportToProto(r)
	if err != nil {
		return err
	}
	if again, err := abi.ReportToAbiBytes(parsed); err != nil || !bytes.Equal(again, r) {
		return fmt.Errorf("report does not encode to itself: %v", err)
	}
	line, vlek, _ := root.line()
	certificates := &trust.ProductCerts{Ark: root.ARK}
	chain := &sevsnp.CertificateChain{}
	if vlek {
		certificates.Asvk, chain.VlekCert = root.ASK, chip
	} else {
		certificates.Ask, chain.VcekCert = root.ASK, chip
	}
	// The library picks the root by a name of its own for the report's CPUID,
	// which it does not have for all models of a line.
	name := line.String()
	if parsed.GetCpuid1EaxFms() != 0 {
		name = kds.ProductLineFromFms(parsed.GetCpuid1EaxFms())
	}
	return verify.SnpAttestation(&sevsnp.Attestation{Report: parsed, CertificateChain: chain}, &verify.Options{
		DisableCertFetching: true,
		Getter:              noGetter{},
		Now:                 now,
		TrustedRoots: map[string][]*trust.AMDRootCerts{
			name: {{ProductLine: line.String(), ProductCerts: certificates}},
		},
	})
}

// noGetter fetches nothing.
type noGetter struct{}

func (noGetter) Get(string) ([]byte, error) {
	return nil, errors.New("verification fetches nothing")
}
