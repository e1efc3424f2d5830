package main

import (
	"crypto/x509"
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/tussah-network/tussah/p2p/attest"
	"github.com/tussah-network/tussah/p2p/attest/snp"
	"github.com/tussah-network/tussah/p2p/ratls"
)

// The layout of an SEV-SNP report, as far as it is shown.
const snpReportSize = 1184

// inspectSNP takes a bare report, or one with its chip's certificate behind it as
// evidence has it.
func inspectSNP(raw []byte) (description, error) {
	if len(raw) < snpReportSize || len(raw) > attest.MaxReport {
		return description{}, errNotThis
	}
	le := binary.LittleEndian
	version, algorithm := le.Uint32(raw), le.Uint32(raw[0x34:])
	if version < 2 || version > 5 || algorithm != 1 {
		return description{}, errNotThis
	}
	d := description{Kind: fmt.Sprintf("SEV-SNP report, version %d", version)}
	s := &d.Says
	policy := snp.GuestPolicy(le.Uint64(raw[0x08:]))
	launch := snp.Launch{Measurement: [48]byte(raw[0x90:]), Policy: policy, IDKey: [48]byte(raw[0xe0:]), AuthorKey: [48]byte(raw[0x110:]),
		FamilyID: [16]byte(raw[0x10:]), ImageID: [16]byte(raw[0x20:]), GuestSVN: le.Uint32(raw[0x04:])}
	s.add("image", "%x", launch.Image())
	s.add("measurement", "%x", launch.Measurement)
	s.add("report data", "%x", raw[0x50:0x90])
	s.add("host data", "%x", raw[0xc0:0xe0])
	s.add("debug", "%s", yesNo(policy&snp.PolicyDebug != 0, "yes: the host can read this VM's memory", "no"))
	s.add("migration", "%s", yesNo(policy&snp.PolicyMigration != 0, "yes: an agent may move this VM", "no"))
	s.add("hyperthreads", "%s", yesNo(policy&snp.PolicySMT != 0, "allowed", "not allowed"))
	s.add("launch policy", "%#x", uint64(policy))
	s.add("privilege level", "VMPL %d", le.Uint32(raw[0x30:]))
	s.add("firmware now", "%016x", le.Uint64(raw[0x38:]))
	s.add("firmware certified", "%016x", le.Uint64(raw[0x180:]))
	s.add("chip", "%x", raw[0x1a0:0x1e0])
	s.add("platform", "%x", snp.PlatformID([64]byte(raw[0x1a0:])))
	rest := raw[snpReportSize:]
	if len(rest) == 0 {
		s.add("certificate", "none: as evidence it lacks the chip's certificate")
		return d, nil
	}
	if len(rest) < 4 || int64(binary.BigEndian.Uint32(rest)) != int64(len(rest)-4) {
		return description{}, fmt.Errorf("%s: what follows the report is not one certificate", d.Kind)
	}
	part, err := inspectCertificate(rest[4:])
	if err != nil {
		return description{}, fmt.Errorf("%s: the chip's certificate cannot be read", d.Kind)
	}
	d.Parts = append(d.Parts, part)
	return d, nil
}

func inspectPEM(text []byte) (description, error) {
	ders := certificatesIn(text)
	if len(ders) == 0 {
		return description{}, errors.New("PEM without a certificate")
	}
	if len(ders) == 1 {
		return inspectCertificate(ders[0])
	}
	d := description{Kind: fmt.Sprintf("%d certificates", len(ders))}
	for i, der := range ders {
		part, err := inspectCertificate(der)
		if err != nil {
			return description{}, fmt.Errorf("certificate %d cannot be read", i+1)
		}
		d.Parts = append(d.Parts, part)
	}
	return d, nil
}

func inspectCertificate(der []byte) (description, error) {
	c, err := x509.ParseCertificate(der)
	if err != nil {
		return description{}, errNotThis
	}
	d := description{Kind: "certificate"}
	d.Says.add("subject", "%s", c.Subject)
	d.Says.add("issuer", "%s", c.Issuer)
	d.Says.add("serial", "%x", c.SerialNumber)
	d.Says.add("valid", "%s", span(c.NotBefore, c.NotAfter))
	d.Says.add("key", "%s", c.PublicKeyAlgorithm)
	for _, e := range c.Extensions {
		tee, ok := ratls.EvidenceIn(e)
		if !ok {
			continue
		}
		part, err := inspect(e.Value)
		if err != nil {
			part = description{Kind: "evidence that cannot be read"}
			part.Says.add("why", "%v", err)
		}
		part.Says.add("found in", "the certificate, as evidence of a %s machine", tee)
		d.Parts = append(d.Parts, part)
	}
	return d, nil
}
