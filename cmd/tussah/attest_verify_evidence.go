package main

import (
	"bytes"
	"crypto/x509"
	"errors"

	"github.com/tussah-network/tussah/p2p/attest"
	"github.com/tussah-network/tussah/p2p/attest/tdx"
	"github.com/tussah-network/tussah/p2p/ratls"
)

// evidenceOf finds the evidence in a file.
func evidenceOf(raw []byte) (e attest.Evidence, notes []string, err error) {
	// A quote holds certificates in PEM, too, but does not begin with them.
	if text := bytes.TrimSpace(raw); bytes.HasPrefix(text, []byte("-----BEGIN")) {
		ders := certificatesIn(text)
		if len(ders) == 0 {
			return e, nil, errors.New("PEM without a certificate")
		}
		raw = ders[0]
	} else {
		raw = unhex(raw)
	}
	tee := attest.TEE(0)
	if c, err := x509.ParseCertificate(raw); err == nil {
		for _, extension := range c.Extensions {
			if in, ok := ratls.EvidenceIn(extension); ok {
				tee, raw = in, extension.Value
			}
		}
		if tee == 0 {
			return e, nil, errors.New("the certificate has no evidence in it")
		}
		return attest.Evidence{TEE: tee, Report: raw}, []string{"the evidence is in a certificate, which was not looked at"}, nil
	}
	if _, err := inspectSNP(raw); err == nil {
		return attest.Evidence{TEE: attest.SNP, Report: raw}, nil, nil
	}
	canonical, err := tdx.Canonical(raw)
	switch {
	case errors.Is(err, tdx.ErrKind), errors.Is(err, attest.ErrSize):
		return e, nil, hint(errors.New("neither a TDX quote nor SEV-SNP evidence"),
			"tussah attest inspect says what the file is; evidence of GPUs is judged by a node, beside the machine's")
	case err == nil && !bytes.Equal(canonical, raw):
		return attest.Evidence{TEE: attest.TDX, Report: canonical}, []string{"the quote was padded, as hardware makes it, and was brought into its canonical form first"}, nil
	}
	return attest.Evidence{TEE: attest.TDX, Report: raw}, nil, nil
}

// ownReportData is what evidence says it is bound to; zero where it does not say.
func ownReportData(e attest.Evidence) (data [64]byte) {
	if e.TEE == attest.SNP && len(e.Report) >= snpReportSize {
		return [64]byte(e.Report[0x50:])
	}
	if r, err := tdx.Inspect(e.Report); err == nil {
		return r.ReportData
	}
	return data
}
