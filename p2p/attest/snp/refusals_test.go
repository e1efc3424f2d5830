package snp_test

import (
	"crypto/elliptic"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"math/big"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/tussah-network/tussah/p2p/attest"
	"github.com/tussah-network/tussah/p2p/attest/snp"
	"github.com/tussah-network/tussah/p2p/attest/snp/snpsim"
)

// TestRefusals provokes every step of the checklist, and fails if a step has no case.
func TestRefusals(t *testing.T) {
	l := newLab(t, snp.Genoa)
	milan, turin := newLab(t, snp.Milan), newLab(t, snp.Turin)
	good := l.evidence(t, l.good, snpsim.Faults{}).Report
	report := func(at int, b ...byte) []byte {
		return l.evidence(t, l.good, snpsim.Faults{Report: func(r []byte) { copy(r[at:], b) }}).Report
	}
	launch := func(edit func(*snpsim.Launch)) []byte {
		m := l.good
		edit(&m)
		return l.evidence(t, m, snpsim.Faults{}).Report
	}
	chip := func(edit func(*x509.Certificate)) []byte {
		return l.evidence(t, l.good, snpsim.Faults{Chip: edit}).Report
	}
	extension := func(id []int, value ...byte) []byte { // replaced, or dropped without a value
		return chip(func(c *x509.Certificate) {
			i := slices.IndexFunc(c.ExtraExtensions, func(e pkix.Extension) bool { return e.Id.Equal(id) })
			if c.ExtraExtensions[i].Value = value; value == nil {
				c.ExtraExtensions = slices.Delete(c.ExtraExtensions, i, i+1)
			}
		})
	}
	bit := func(p snp.GuestPolicy) []byte { return launch(func(m *snpsim.Launch) { m.Policy |= p }) }
	type rules struct {
		*snp.Verifier
		attest.Policy
	}
	crl := func(edit func(*x509.RevocationList)) func(*rules) {
		return func(r *rules) { r.CRLs = l.crl(t, edit) }
	}
	const certificate = 1184 + 4

	cases := []struct {
		name   string
		want   error
		report []byte
		edit   func(*rules)
		lab    *lab
		now    time.Time
	}{
		{name: "nothing", want: attest.ErrSize},
		{name: "too long", want: attest.ErrSize, report: make([]byte, attest.MaxReport+1)},
		{name: "truncated", want: attest.ErrFormat, report: good[:len(good)-1]},
		{name: "trailing byte", want: attest.ErrFormat, report: append(slices.Clone(good), 0)},
		{name: "no certificate", want: attest.ErrFormat, report: good[:1184]},
		{name: "empty certificate", want: attest.ErrFormat, report: append(slices.Clone(good[:1184]), 0, 0, 0, 0)},
		{name: "length 0xffffffff", want: attest.ErrFormat, report: put(good, 1184, 0xff, 0xff, 0xff, 0xff)},
		{name: "version 1", want: snp.ErrKind, report: put(good, 0, 1)},
		{name: "version 6", want: snp.ErrKind, report: put(good, 0, 6)},
		{name: "algorithm", want: snp.ErrKind, report: put(good, 0x34, 2)},
		{name: "reserved after signer info", want: attest.ErrFormat, report: put(good, 0x4f, 1)},
		{name: "reserved before CHIP_ID", want: attest.ErrFormat, report: put(good, 0x18b, 1)},
		{name: "reserved at the end", want: attest.ErrFormat, report: put(good, 0x29f, 1)},
		{name: "signature's padding", want: attest.ErrFormat, report: put(good, 0x2a0+48, 1)},
		{name: "after the signature", want: attest.ErrFormat, report: put(good, 1183, 1)},
		{name: "policy bit 17", want: attest.ErrFormat, report: put(good, 0x0a, 0)},
		{name: "policy bit 26", want: attest.ErrFormat, report: put(good, 0x0b, 4)},
		{name: "signer info bit 5", want: attest.ErrFormat, report: put(good, 0x48, 0x20)},
		{name: "signed by none", want: attest.ErrFormat, report: put(good, 0x48, 7<<2)},
		{name: "CPUID in version 2", want: attest.ErrFormat, report: put(good, 0, 2)},
		{name: "mitigations in version 4", want: attest.ErrFormat, report: put(put(good, 0, 4), 0x1f8, 1)},
		{name: "certificate no DER", want: snp.ErrCertificate, report: put(good, certificate, 0)},
		{name: "bound to another key", want: attest.ErrReportData, report: put(good, 0x50, 0xff)},
		{name: "simulation not allowed", want: attest.ErrSimulated, report: good, edit: func(r *rules) { r.AllowSimulated = false }},
		{name: "simulation not loaded", want: attest.ErrSimulated, report: good, edit: func(r *rules) { r.AllowSimulated, r.Roots = false, snp.AMDRoots() }},
		{name: "no roots", want: attest.ErrRoot, report: good, edit: func(r *rules) { r.Roots = nil }},
		{name: "other roots", want: attest.ErrRoot, report: good, edit: func(r *rules) { r.Roots = snp.AMDRoots() }},
		{name: "chip's name", want: snp.ErrCertificateProfile, report: chip(func(c *x509.Certificate) { c.Subject.CommonName = "x" })},
		{name: "CA as leaf", want: snp.ErrCertificateProfile, report: chip(func(c *x509.Certificate) { c.IsCA, c.BasicConstraintsValid = true, true })},
		{name: "curve", want: snp.ErrCertificateProfile, report: l.evidence(t, l.good, snpsim.Faults{Curve: elliptic.P256()}).Report},
		{name: "signature algorithm", want: snp.ErrCertificateProfile, report: chip(func(c *x509.Certificate) { c.SignatureAlgorithm = x509.SHA384WithRSA })},
		{name: "critical extension", want: snp.ErrCertificateProfile, report: chip(func(c *x509.Certificate) {
			c.ExtraExtensions = append(c.ExtraExtensions, pkix.Extension{Id: []int{1, 2, 3}, Critical: true})
		})},
		{name: "VLEK name, VCEK report", want: snp.ErrCertificateProfile, report: l.evidence(t, l.good, snpsim.Faults{VLEK: true, Report: func(r []byte) { r[0x48] = 0 }}).Report},
		{name: "chip certificate altered", want: snp.ErrChain, report: flipped(good, len(good)-1, 0)},
		{name: "ASK of another root", want: snp.ErrChain, report: good, edit: func(r *rules) {
			r.Roots = []snp.Root{{ASK: r.Roots[0].ASK, ARK: fresh(t).Roots()[0].ARK}}
		}},
		{name: "same names, other keys", want: snp.ErrChain, report: good, edit: func(r *rules) { r.Roots = fresh(t).Roots() }},
		{name: "chip expired", want: snp.ErrCertificateDates, report: chip(func(c *x509.Certificate) { c.NotAfter = time.Now().Add(-time.Minute) })},
		{name: "all expired", want: snp.ErrCertificateDates, report: good, now: time.Now().AddDate(20, 0, 0)},
		{name: "not yet valid", want: snp.ErrCertificateDates, report: good, now: time.Now().AddDate(-1, 0, 0)},
		{name: "no product name", want: snp.ErrExtensions, report: extension(snpsim.OID(2))},
		{name: "unknown product name", want: snp.ErrExtensions, report: extension(snpsim.OID(2), 0x16, 4, 'R', 'o', 'm', 'e')},
		{name: "no chip id", want: snp.ErrExtensions, report: extension(snpsim.OID(4))},
		{name: "short chip id", want: snp.ErrExtensions, report: extension(snpsim.OID(4), 1, 2, 3)},
		{name: "no level", want: snp.ErrExtensions, report: extension(snpsim.OID(3, 3))},
		{name: "level 256", want: snp.ErrExtensions, report: extension(snpsim.OID(3, 3), 2, 2, 1, 0)},
		{name: "reserved level", want: snp.ErrExtensions, report: extension(snpsim.OID(3, 5), 2, 1, 1)},
		{name: "version 1 for Genoa", want: snp.ErrExtensions, report: extension(snpsim.OID(1), 2, 1, 1)},
		{name: "foreign extension", want: snp.ErrExtensions, report: chip(func(c *x509.Certificate) {
			c.ExtraExtensions = append(c.ExtraExtensions, pkix.Extension{Id: []int{1, 3, 6, 1, 4, 1, 3705, 1, 1}})
		})},
		{name: "chip id and provider", want: snp.ErrExtensions, report: chip(func(c *x509.Certificate) {
			c.ExtraExtensions = append(c.ExtraExtensions, pkix.Extension{Id: snpsim.OID(5), Value: []byte{0x16, 1, 'x'}})
		})},
		{name: "certified as Milan", want: snp.ErrProductMismatch, report: extension(snpsim.OID(2), 0x16, 5, 'M', 'i', 'l', 'a', 'n')},
		{name: "CPUID of Milan", want: snp.ErrProductMismatch, report: report(0x188, 0x19, 0x01)},
		{name: "CPUID of Turin", want: snp.ErrProductMismatch, report: report(0x188, 0x1a, 0x02)},
		{name: "CPUID unknown", want: snp.ErrProductMismatch, report: report(0x188, 0x17, 0x31)},
		{name: "measurement altered", want: snp.ErrReportSignature, report: flipped(good, 0x90, 0)},
		{name: "signature altered", want: snp.ErrReportSignature, report: flipped(good, 0x2a0, 0)},
		{name: "signature zero", want: snp.ErrReportSignature, report: put(good, 0x2a0, make([]byte, 144)...)},
		{name: "chip masked", want: snp.ErrChip, report: report(0x48, 2)},
		{name: "chip zero", want: snp.ErrChip, report: report(0x1a0, make([]byte, 64)...)},
		{name: "another chip", want: snp.ErrChip, report: report(0x1a0, 0xaa, 0xbb)},
		{name: "another chip (Turin)", want: snp.ErrChip, lab: turin, report: turin.evidence(t, turin.good, snpsim.Faults{Report: func(r []byte) { r[0x1a0+8] = 1 }}).Report},
		{name: "reported is not certified", want: snp.ErrReportedTCB, report: report(0x180, 8)},
		{name: "reserved level in report", want: snp.ErrReportedTCB, report: report(0x1f2, 1)},
		// A stepping that only the second verifier wants to know, and only where the report states no CPUID.
		{name: "unheard-of stepping", want: snp.ErrSecondOpinion, report: l.evidence(t, version(l.good, 2), snpsim.Faults{Chip: func(c *x509.Certificate) {
			c.ExtraExtensions[1].Value = append([]byte{0x16, 8}, "Genoa-B9"...)
		}}).Report},
		{name: "debug", want: attest.ErrDebug, report: bit(snp.PolicyDebug)},
		{name: "debug (Turin)", want: attest.ErrDebug, lab: turin, report: turin.evidence(t, turin.good, snpsim.Faults{Report: func(r []byte) { r[0x0a] |= 8 }}).Report},
		{name: "migratable", want: snp.ErrMigration, report: bit(snp.PolicyMigration)},
		{name: "migration agent", want: snp.ErrMigration, report: report(0x160, 1, 2, 3)},
		{name: "Milan", want: snp.ErrMilan, lab: milan, report: milan.evidence(t, milan.good, snpsim.Faults{}).Report},
		{name: "Milan, version 2", want: snp.ErrMilan, lab: milan, report: milan.evidence(t, version(milan.good, 2), snpsim.Faults{}).Report},
		{name: "Milan without a list", want: snp.ErrMilan, lab: milan, report: milan.evidence(t, milan.good, snpsim.Faults{}).Report, edit: func(r *rules) { r.CRLs = nil }},
		{name: "product not listed", want: snp.ErrProduct, report: good, edit: func(r *rules) { delete(r.Rules.Products, snp.Genoa) }},
		{name: "zero rules", want: snp.ErrProduct, report: good, edit: func(r *rules) { r.Rules = snp.Rules{} }},
		{name: "provider's key", want: snp.ErrVLEK, report: l.evidence(t, l.good, snpsim.Faults{VLEK: true}).Report},
		{name: "no lists", want: attest.ErrNoCollateral, report: good, edit: func(r *rules) { r.CRLs = nil }},
		{name: "no list", want: attest.ErrNoCollateral, report: good, edit: func(r *rules) { r.CRLs = crls{} }},
		{name: "list fails", want: attest.ErrNoCollateral, report: good, edit: func(r *rules) { r.CRLs = crls{err: errHook} }},
		{name: "list of the future", want: attest.ErrNoCollateral, report: good, edit: crl(func(c *x509.RevocationList) { c.ThisUpdate = time.Now().Add(time.Hour) })},
		{name: "list expired", want: attest.ErrNoCollateral, report: good, edit: crl(func(c *x509.RevocationList) { c.NextUpdate = time.Now().Add(-time.Minute) })},
		{name: "list with a critical extension", want: attest.ErrNoCollateral, report: good, edit: crl(func(c *x509.RevocationList) {
			c.ExtraExtensions = []pkix.Extension{{Id: []int{2, 5, 29, 28}, Critical: true, Value: []byte{0x30, 0}}}
		})},
		{name: "list of another root", want: attest.ErrNoCollateral, report: good, edit: func(r *rules) { r.CRLs = turin.crl(t, nil) }},
		{name: "list by another key", want: attest.ErrNoCollateral, report: good, edit: func(r *rules) {
			list, err := fresh(t).FaultyCRL(nil)
			r.CRLs = crls{list, err}
		}},
		{name: "ASK revoked", want: attest.ErrRevoked, report: good, edit: crl(func(c *x509.RevocationList) {
			c.RevokedCertificateEntries = []x509.RevocationListEntry{{SerialNumber: l.ca.Roots()[0].ASK.SerialNumber, RevocationTime: time.Now()}}
		})},
		{name: "chip revoked", want: attest.ErrRevoked, report: chip(func(c *x509.Certificate) { c.SerialNumber = big.NewInt(77) }), edit: crl(func(c *x509.RevocationList) {
			c.RevokedCertificateEntries = []x509.RevocationListEntry{{SerialNumber: big.NewInt(77), RevocationTime: time.Now()}}
		})},
		{name: "more sockets", want: snp.ErrGuestPolicy, report: launch(func(m *snpsim.Launch) { m.Policy &^= snp.PolicySingleSocket })},
		{name: "hyperthreads", want: snp.ErrGuestPolicy, report: bit(snp.PolicySMT), edit: func(r *rules) { r.Rules.Forbid = snp.PolicySMT }},
		{name: "ABI", want: snp.ErrGuestPolicy, report: launch(func(m *snpsim.Launch) { m.Policy-- })},
		{name: "VMPL", want: snp.ErrVMPL, report: report(0x30, 1)},
		{name: "the host asked", want: snp.ErrVMPL, report: report(0x30, 0xff, 0xff, 0xff, 0xff)},
		{name: "no TSME", want: snp.ErrPlatformInfo, report: report(0x40, 0x24)},
		{name: "no ciphertext hiding", want: snp.ErrPlatformInfo, report: good, edit: func(r *rules) { r.Rules.Platform |= snp.PlatformCiphertextHiding }},
		{name: "unknown platform bit", want: snp.ErrPlatformInfo, report: report(0x41, 1)},
		{name: "provisional level", want: snp.ErrProvisional, report: report(0x1e0, 8)},
		{name: "provisional version", want: snp.ErrProvisional, report: report(0x1ec, 20)},
		{name: "older than at launch", want: snp.ErrTCBOrder, report: report(0x1f0, 10)},
		{name: "author key without flag", want: snp.ErrIDBlock, report: report(0x110, 1)},
		{name: "flag without author key", want: snp.ErrIDBlock, report: report(0x48, 1)},
		{name: "id block without key", want: snp.ErrIDBlock, report: launch(func(m *snpsim.Launch) { m.GuestSVN = 1 })},
		{name: "firmware below the minimum", want: attest.ErrTCB, report: good, edit: func(r *rules) { r.Rules.Products[snp.Genoa] = snp.TCB{SNP: 24} }},
		{name: "launched by older firmware", want: attest.ErrTCB, report: report(0x1f0, 8)},
		{name: "TCB hook", want: attest.ErrTCB, report: good, edit: func(r *rules) { r.TCB = func(attest.TCB, time.Time) error { return errHook } }},
		{name: "other image", want: attest.ErrImage, report: l.evidence(t, snpsim.Measure("other"), snpsim.Faults{}).Report},
		{name: "other policy, same measurement", want: attest.ErrImage, report: bit(snp.PolicyCXL)},
		{name: "no image policy", want: attest.ErrImage, report: good, edit: func(r *rules) { r.Image = nil }},
		{name: "no events policy", want: attest.ErrEvents, report: good, edit: func(r *rules) { r.EventsLater = false }},
		{name: "platform denied", want: attest.ErrPlatform, report: good, edit: func(r *rules) { r.Platform = func(attest.PlatformID) error { return errHook } }},
		{name: "no platform policy", want: attest.ErrPlatform, report: good, edit: func(r *rules) { r.Platform = nil }},
	}

	provoked := map[error]bool{}
	for _, c := range cases {
		provoked[c.want] = true
		t.Run(c.name, func(t *testing.T) {
			here := l
			if c.lab != nil {
				here = c.lab
			}
			r := rules{here.ca.Verifier(), here.policy}
			if c.edit != nil {
				c.edit(&r)
			}
			if c.now.IsZero() {
				c.now = time.Now()
			}
			a, err := r.Appraise(attest.Evidence{TEE: attest.SNP, Report: c.report}, here.data, r.Policy, c.now)
			if !errors.Is(err, c.want) {
				t.Fatalf("got %v, want %v", err, c.want)
			}
			for _, other := range snp.Refusals() {
				if other != c.want && errors.Is(err, other) {
					t.Errorf("%v is also %v", err, other)
				}
			}
			if !reflect.DeepEqual(a, attest.Appraisal{}) {
				t.Errorf("a refusal returned %+v", a)
			}
		})
	}
	for _, refusal := range snp.Refusals() {
		if !provoked[refusal] {
			t.Errorf("no case provokes: %v", refusal)
		}
	}
}

func version(l snpsim.Launch, v uint32) snpsim.Launch {
	l.Version = v
	return l
}

// fresh is an authority with the names of another and keys of its own.
func fresh(t *testing.T) *snpsim.CA {
	t.Helper()
	ca, err := other()
	if err != nil {
		t.Fatal(err)
	}
	return ca
}
