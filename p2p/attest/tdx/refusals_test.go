package tdx_test

import (
	"bytes"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"math/big"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/tussah-network/tussah/p2p/attest"
	"github.com/tussah-network/tussah/p2p/attest/sim"
	"github.com/tussah-network/tussah/p2p/attest/tdx"
)

// refusalCase is a quote, collateral or policy that one step refuses.
type refusalCase struct {
	name  string
	want  error
	quote []byte
	edit  func(p *rules)
	now   time.Time
}

// run appraises the case with a fresh verifier.
func (c refusalCase) run(l *lab) (attest.Appraisal, error) {
	p, now := l.policy, c.now
	if c.edit != nil {
		c.edit(&p)
	}
	if now.IsZero() {
		now = time.Now()
	}
	return appraise(c.quote, l.data, p, now)
}

// verified is collateral that lies as told, verified at a time.
func (l *lab) verified(t testing.TB, f sim.CollateralFaults, now time.Time) *tdx.Verified {
	t.Helper()
	c, err := l.ca.FaultyCollateral(f)
	if err != nil {
		t.Fatal(err)
	}
	v, err := tdx.ParseCollateral(c, l.policy.Roots, now)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// refusalCases has at least one case for every step of the checklist.
func refusalCases(t testing.TB, l *lab) []refusalCase {
	t.Helper()
	told := func(f sim.CollateralFaults) func(*rules) {
		v := l.verified(t, f, time.Now())
		return func(p *rules) { p.Collateral = anything{v} }
	}
	levels := func(edit func(*sim.TCBInfo)) func(*rules) { return told(sim.CollateralFaults{TCBInfo: edit}) }
	allowAll := func(then func(*rules)) func(*rules) {
		return func(p *rules) {
			then(p)
			p.TCB = func(attest.TCB, time.Time) error { return nil }
		}
	}
	good := l.quote(t, l.good)
	edit := func(f func(m *sim.Measurements)) []byte {
		m := l.version5()
		f(&m)
		return l.quote(t, m)
	}
	cert := func(f sim.Faults) []byte { return l.faulty(t, l.good, f) }
	// With a signed part of 632 bytes: size 4, signature 64, key 64, type and size 6, QE report 384, signature 64, auth size 2.
	const signature, qeReport = 632 + 4, 632 + 4 + 64 + 64 + 6
	flip := func(at int) []byte { return flipped(good, at) }

	pck, err := tdx.Inspect(good)
	if err != nil {
		t.Fatal(err)
	}
	serial, _ := new(big.Int).SetString(pck.Certificates[0].Serial, 16)
	revoke := func(serial *big.Int) func(*x509.RevocationList) {
		return func(r *x509.RevocationList) {
			r.RevokedCertificateEntries = []x509.RevocationListEntry{{SerialNumber: serial, RevocationTime: r.ThisUpdate}}
		}
	}
	future := l.verified(t, sim.CollateralFaults{TCBInfo: func(i *sim.TCBInfo) { i.IssueDate = time.Now().Add(time.Hour) }}, time.Now().Add(2*time.Hour))
	elsewhere := newLab(t)
	machine := func(f func(*tdx.Platform)) []byte { return cert(sim.Faults{Platform: f}) }

	return []refusalCase{
		{name: "nothing", want: attest.ErrSize},
		{name: "too long", want: attest.ErrSize, quote: make([]byte, attest.MaxReport+1)},
		{name: "short header", want: tdx.ErrKind, quote: good[:47]},
		{name: "version 3", want: tdx.ErrKind, quote: put(good, 0, 3)},
		{name: "key type", want: tdx.ErrKind, quote: put(good, 2, 3)},
		{name: "SGX", want: tdx.ErrKind, quote: put(good, 4, 0)},
		{name: "other vendor", want: tdx.ErrKind, quote: flip(12)},
		{name: "trailing byte", want: attest.ErrFormat, quote: append(slices.Clone(good), 0)},
		{name: "truncated", want: attest.ErrFormat, quote: good[:len(good)-1]},
		{name: "size 0xffffffff", want: attest.ErrFormat, quote: put(good, 632, 0xff, 0xff, 0xff, 0xff)},
		{name: "size 0", want: attest.ErrFormat, quote: put(good, 632, 0, 0, 0, 0)},
		{name: "auth size 0xffff", want: attest.ErrFormat, quote: put(good, qeReport+384+64, 0xff, 0xff)},
		{name: "certification type", want: attest.ErrFormat, quote: put(good, signature+128, 5)},
		{name: "PEM with text before", want: attest.ErrFormat, quote: bytes.Replace(good, []byte("-----BEGIN CERT"), []byte("x\n---BEGIN CERT"), 1)},
		{name: "version 5 body type", want: attest.ErrFormat, quote: put(l.quote(t, l.version5()), 48, 1)},
		{name: "certificate no DER", want: tdx.ErrCertificates, quote: editDER(t, good, 0, func(der []byte) { der[0] ^= 1 })},
		{name: "bound to another key", want: attest.ErrReportData, quote: flip(48 + 520)},
		{name: "simulation not allowed", want: attest.ErrSimulated, quote: good, edit: func(p *rules) { p.AllowSimulated = false }},
		{name: "simulation not loaded", want: attest.ErrSimulated, quote: good, edit: func(p *rules) { p.AllowSimulated, p.Roots = false, nil }},
		{name: "foreign root", want: attest.ErrRoot, quote: good, edit: func(p *rules) { p.Roots = newLab(t).policy.Roots }},
		{name: "no roots", want: attest.ErrRoot, quote: good, edit: func(p *rules) { p.Roots = nil }},
		{name: "root altered", want: attest.ErrRoot, quote: editDER(t, good, 2, flipLast)},
		{name: "PCK name", want: tdx.ErrCertificateProfile, quote: cert(sim.Faults{PCK: func(c *x509.Certificate) { c.Subject.CommonName = "x" }})},
		{name: "CA as leaf", want: tdx.ErrCertificateProfile, quote: cert(sim.Faults{PCK: func(c *x509.Certificate) { c.IsCA = true; c.MaxPathLen = -1 }})},
		{name: "CA may not sign", want: tdx.ErrCertificateProfile, quote: cert(sim.Faults{CA: func(c *x509.Certificate) { c.KeyUsage = x509.KeyUsageCRLSign }})},
		{name: "CA without path length", want: tdx.ErrCertificateProfile, quote: cert(sim.Faults{CA: func(c *x509.Certificate) { c.MaxPathLenZero = false }})},
		{name: "critical extension", want: tdx.ErrCertificateProfile, quote: cert(sim.Faults{PCK: func(c *x509.Certificate) {
			c.ExtraExtensions = append(c.ExtraExtensions, pkix.Extension{Id: []int{1, 2, 3}, Critical: true})
		}})},
		{name: "expired", want: tdx.ErrCertificateDates, quote: good, now: time.Now().AddDate(20, 0, 0)},
		{name: "not yet valid", want: tdx.ErrCertificateDates, quote: good, now: time.Now().AddDate(-1, 0, 0)},
		{name: "PCK expired", want: tdx.ErrCertificateDates, quote: cert(sim.Faults{PCK: func(c *x509.Certificate) { c.NotAfter = time.Now().Add(-time.Minute) }})},
		{name: "PCK not by this CA", want: tdx.ErrChain, quote: editDER(t, good, 0, flipLast)},
		{name: "CA not by this root", want: tdx.ErrChain, quote: editDER(t, good, 1, flipLast)},
		{name: "no SGX extension", want: tdx.ErrPCK, quote: cert(sim.Faults{PCK: func(c *x509.Certificate) { c.ExtraExtensions = nil }})},
		{name: "SGX extension truncated", want: tdx.ErrPCK, quote: cert(sim.Faults{PCK: func(c *x509.Certificate) {
			v := c.ExtraExtensions[0].Value
			c.ExtraExtensions[0].Value = v[:len(v)-1]
		}})},
		{name: "SGX extension field repeated", want: tdx.ErrPCK, quote: cert(sim.Faults{PCK: func(c *x509.Certificate) {
			// The PPID's last arc, 1, becomes that of the instance, 6.
			v := c.ExtraExtensions[0].Value
			i := bytes.Index(v, []byte{0x4d, 0x01, 0x0d, 0x01, 0x01})
			v[i+4] = 6
		}})},
		{name: "SGX extension field unknown", want: tdx.ErrPCK, quote: cert(sim.Faults{PCK: func(c *x509.Certificate) {
			v := c.ExtraExtensions[0].Value
			i := bytes.Index(v, []byte{0x4d, 0x01, 0x0d, 0x01, 0x01})
			v[i+4] = 9
		}})},
		{name: "QE report altered", want: tdx.ErrQESignature, quote: flip(qeReport)},
		{name: "QE signature altered", want: tdx.ErrQESignature, quote: flip(qeReport + 384)},
		{name: "enclave by another signer", want: tdx.ErrQEIdentity, quote: cert(sim.Faults{QEReport: func(r []byte) { r[128] ^= 1 }})},
		{name: "another enclave by Intel", want: tdx.ErrQEIdentity, quote: cert(sim.Faults{QEReport: func(r []byte) { r[256] = 1 }})},
		{name: "debug enclave", want: tdx.ErrQEIdentity, quote: cert(sim.Faults{QEReport: func(r []byte) { r[48] |= 2 }})},
		{name: "attestation key replaced", want: tdx.ErrQEBinding, quote: flip(signature + 64)},
		{name: "auth data altered", want: tdx.ErrQEBinding, quote: flip(qeReport + 384 + 64 + 2)},
		{name: "QE report data longer", want: tdx.ErrQEBinding, quote: cert(sim.Faults{QEReport: func(r []byte) { r[383] = 1 }})},
		{name: "header altered", want: tdx.ErrQuoteSignature, quote: flip(30)},
		{name: "measurement altered", want: tdx.ErrQuoteSignature, quote: flip(48 + 136)},
		{name: "signature altered", want: tdx.ErrQuoteSignature, quote: flip(signature)},
		{name: "debug", want: attest.ErrDebug, quote: edit(func(m *sim.Measurements) { m.Attributes |= 1 })},
		{name: "migratable", want: tdx.ErrAttributes, quote: edit(func(m *sim.Measurements) { m.Attributes |= 1 << 29 })},
		{name: "protection keys", want: tdx.ErrAttributes, quote: edit(func(m *sim.Measurements) { m.Attributes |= 1 << 30 })},
		{name: "reserved bit", want: tdx.ErrAttributes, quote: edit(func(m *sim.Measurements) { m.Attributes |= 1 << 5 })},
		{name: "SEPT_VE_DISABLE off", want: tdx.ErrAttributes, quote: edit(func(m *sim.Measurements) { m.Attributes = 0 })},
		{name: "service TD", want: tdx.ErrServiceTD, quote: edit(func(m *sim.Measurements) { m.TD15.ServiceTD[47] = 1 })},
		{name: "security version fell", want: tdx.ErrTCBOrder, quote: edit(func(m *sim.Measurements) { m.TD15.CurrentSVN[0] = 1 })},
		{name: "XFAM", want: tdx.ErrXFAM, quote: edit(func(m *sim.Measurements) { m.XFAM = 3 })},
		{name: "SEAM signer that collateral knows", want: tdx.ErrSEAM, quote: edit(func(m *sim.Measurements) { m.SignerSEAM[0] = 1 }),
			edit: told(sim.CollateralFaults{TCBInfo: func(i *sim.TCBInfo) { i.Modules[1].Signer = "01" + i.Modules[1].Signer[2:] }})},
		{name: "SEAM attributes that collateral allows", want: tdx.ErrSEAM, quote: edit(func(m *sim.Measurements) { m.AttributesSEAM = 1 }),
			edit: told(sim.CollateralFaults{TCBInfo: func(i *sim.TCBInfo) { i.Modules[1].AttributesMask = i.Modules[1].Attributes }})},
		{name: "other image", want: attest.ErrImage, quote: l.quote(t, sim.Measure("other"))},
		{name: "MRCONFIGID", want: tdx.ErrConfigID, quote: edit(func(m *sim.Measurements) { m.MRConfigID[0] = 1 })},
		{name: "no events policy", want: attest.ErrEvents, quote: good, edit: func(p *rules) { p.EventsLater = false }},
		{name: "no image policy", want: attest.ErrImage, quote: good, edit: func(p *rules) { p.Image = nil }},
		{name: "platform denied", want: attest.ErrPlatform, quote: good, edit: func(p *rules) {
			p.Platform = func(attest.PlatformID) error { return errHook }
		}},
		{name: "no platform policy", want: attest.ErrPlatform, quote: good, edit: func(p *rules) { p.Platform = nil }},

		{name: "no source of collateral", want: attest.ErrNoCollateral, quote: good, edit: func(p *rules) { p.Collateral = nil }},
		{name: "source without an answer", want: attest.ErrNoCollateral, quote: good, edit: func(p *rules) { p.Collateral = anything{} }},
		{name: "unknown family", want: attest.ErrNoCollateral, quote: machine(func(p *tdx.Platform) { p.FMSPC[0]++ })},
		{name: "collateral under another root", want: tdx.ErrCollateralIssuer, quote: good, edit: func(p *rules) {
			p.Roots, p.Collateral = append(p.Roots[:1:1], elsewhere.policy.Roots...), elsewhere.policy.Collateral
		}},
		{name: "revocation list of another CA", want: tdx.ErrCollateralIssuer, edit: told(sim.CollateralFaults{}),
			quote: cert(sim.Faults{CA: func(c *x509.Certificate) { c.Subject.CommonName = "Intel SGX PCK Processor CA" }})},
		{name: "collateral expired", want: tdx.ErrCollateralDates, quote: good, now: time.Now().AddDate(1, 0, 1)},
		{name: "collateral from the future", want: tdx.ErrCollateralDates, quote: good, edit: func(p *rules) { p.Collateral = future }},
		{name: "FMSPC", want: tdx.ErrCollateralPlatform, quote: machine(func(p *tdx.Platform) { p.FMSPC[5]++ }), edit: told(sim.CollateralFaults{})},
		{name: "PCEID", want: tdx.ErrCollateralPlatform, quote: machine(func(p *tdx.Platform) { p.PCEID[0]++ })},
		{name: "evaluation rolled back", want: tdx.ErrEvaluation, quote: good, edit: func(p *rules) { p.MinEvaluation = 19 }},
		{name: "evaluation of the QE rolled back", want: tdx.ErrEvaluation, quote: good, edit: func(p *rules) {
			told(sim.CollateralFaults{QEIdentity: func(q *sim.QEIdentity) { q.Evaluation = 17 }})(p)
			p.MinEvaluation = 18
		}},
		{name: "PCK revoked", want: attest.ErrRevoked, quote: good, edit: told(sim.CollateralFaults{PCKCRL: revoke(serial)})},
		{name: "PCK CA revoked", want: attest.ErrRevoked, edit: told(sim.CollateralFaults{RootCRL: revoke(big.NewInt(77))}),
			quote: cert(sim.Faults{CA: func(c *x509.Certificate) { c.SerialNumber = big.NewInt(77) }})},
		{name: "QE of another product", want: tdx.ErrQEMismatch, quote: good, edit: told(sim.CollateralFaults{QEIdentity: func(q *sim.QEIdentity) { q.Product = 3 }})},
		{name: "QE of another signer", want: tdx.ErrQEMismatch, quote: good, edit: told(sim.CollateralFaults{QEIdentity: func(q *sim.QEIdentity) { q.Signer = "00" + q.Signer[2:] }})},
		{name: "QE's MISCSELECT", want: tdx.ErrQEMismatch, quote: good, edit: told(sim.CollateralFaults{QEIdentity: func(q *sim.QEIdentity) { q.MiscSelect = "01000000" }})},
		{name: "QE's attributes", want: tdx.ErrQEMismatch, quote: cert(sim.Faults{QEReport: func(r []byte) { r[56] = 0xff }}),
			edit: told(sim.CollateralFaults{QEIdentity: func(q *sim.QEIdentity) { q.AttributesMask = "FBFFFFFFFFFFFFFFFF00000000000000" }})},
		{name: "SEAM signer", want: tdx.ErrModule, quote: edit(func(m *sim.Measurements) { m.SignerSEAM[0] = 1 })},
		{name: "SEAM attributes", want: tdx.ErrModule, quote: edit(func(m *sim.Measurements) { m.AttributesSEAM = 1 })},
		{name: "module version", want: tdx.ErrModule, quote: edit(func(m *sim.Measurements) { m.SVN[1], m.TD15.CurrentSVN[1] = 2, 2 })},
		{name: "no level of the platform", want: tdx.ErrNoLevel, quote: machine(func(p *tdx.Platform) { p.SVN[0] = 1 })},
		{name: "no level of PCE", want: tdx.ErrNoLevel, quote: machine(func(p *tdx.Platform) { p.PCESVN = 4 })},
		{name: "no level of TDX", want: tdx.ErrNoLevel, quote: edit(func(m *sim.Measurements) { m.SVN[2] = 1 })},
		{name: "no level of the module", want: tdx.ErrNoLevel, quote: edit(func(m *sim.Measurements) { m.SVN[0] = 3 })},
		{name: "no level of the QE", want: tdx.ErrNoLevel, quote: cert(sim.Faults{QEReport: func(r []byte) { r[258] = 1 }})},
		{name: "module of version 0 below the levels", want: tdx.ErrNoLevel, quote: edit(func(m *sim.Measurements) { m.SVN[0], m.SVN[1] = 4, 0 })},
		{name: "module out of date", want: tdx.ErrOutOfDate, quote: edit(func(m *sim.Measurements) { m.SVN[0] = 5 }), edit: allowAll(func(*rules) {})},
		{name: "QE out of date", want: tdx.ErrOutOfDate, quote: cert(sim.Faults{QEReport: func(r []byte) { r[258] = 3 }}), edit: allowAll(func(*rules) {})},
		{name: "platform out of date", want: tdx.ErrOutOfDate, quote: machine(func(p *tdx.Platform) { p.SVN[0] = 2 }), edit: allowAll(func(*rules) {})},
		{name: "TDX components out of date", want: tdx.ErrOutOfDate, quote: edit(func(m *sim.Measurements) { m.SVN[2] = 2 }), edit: allowAll(func(*rules) {})},
		{name: "platform revoked", want: tdx.ErrOutOfDate, quote: good, edit: allowAll(levels(func(i *sim.TCBInfo) { i.Levels[0].Status = "Revoked" }))},
		{name: "module revoked", want: tdx.ErrOutOfDate, quote: good, edit: allowAll(levels(func(i *sim.TCBInfo) { i.Modules[1].Levels[0].Status = "Revoked" }))},
		{name: "hardening needed", want: attest.ErrTCB, quote: good, edit: levels(func(i *sim.TCBInfo) { i.Levels[0].Status = "SWHardeningNeeded" })},
		{name: "configuration needed", want: attest.ErrTCB, quote: good, edit: levels(func(i *sim.TCBInfo) { i.Levels[0].Status = "ConfigurationNeeded" })},
		{name: "updates denied by the policy", want: attest.ErrTCB, quote: good, edit: func(p *rules) {
			p.TCB = func(attest.TCB, time.Time) error { return errHook }
		}},
	}
}

// TestRefusals provokes every step of the checklist, and fails if a step has no case.
func TestRefusals(t *testing.T) {
	l := newLab(t)
	provoked := map[error]bool{}
	for _, c := range refusalCases(t, l) {
		provoked[c.want] = true
		t.Run(c.name, func(t *testing.T) {
			a, err := c.run(l)
			if !errors.Is(err, c.want) {
				t.Fatalf("got %v, want %v", err, c.want)
			}
			for _, other := range tdx.Refusals() {
				if other != c.want && errors.Is(err, other) {
					t.Errorf("%v is also %v", err, other)
				}
			}
			if !reflect.DeepEqual(a, attest.Appraisal{}) {
				t.Errorf("a refusal returned %+v", a)
			}
		})
	}
	for _, refusal := range tdx.Refusals() {
		if !provoked[refusal] {
			t.Errorf("no case provokes: %v", refusal)
		}
	}
}
