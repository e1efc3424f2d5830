package tdx_test

import (
	"bytes"
	"context"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/tussah-network/tussah/p2p/attest"
	"github.com/tussah-network/tussah/p2p/attest/sim"
	"github.com/tussah-network/tussah/p2p/attest/tdx"
)

var errHook = errors.New("hook says no")

// lab is an authority, a machine and a policy that accepts what runs on it.
type lab struct {
	ca     *sim.CA
	good   sim.Measurements
	data   [64]byte
	policy rules
}

func newLab(t testing.TB) *lab {
	t.Helper()
	ca, err := sim.NewCA()
	if err != nil {
		t.Fatal(err)
	}
	l := &lab{ca: ca, good: sim.Measure("good"), data: [64]byte{1, 2, 3}}
	l.policy = rules{
		Roots: []*x509.Certificate{ca.Root()},
		Policy: attest.Policy{
			AllowSimulated: true,
			EventsLater:    true,
			Image: func(image [32]byte) error {
				if image != l.good.Image() {
					return errHook
				}
				return nil
			},
			Platform: attest.AnyPlatform,
		}}
	return l
}

func (l *lab) quote(t testing.TB, m sim.Measurements) []byte {
	t.Helper()
	return l.faulty(t, m, sim.Faults{})
}

func (l *lab) faulty(t testing.TB, m sim.Measurements, f sim.Faults) []byte {
	t.Helper()
	q, err := quoteOf(l.ca.FaultyPlatform("machine", f).VM(m), l.data)
	if err != nil {
		t.Fatal(err)
	}
	return q
}

func (l *lab) version5() sim.Measurements {
	m := l.good
	m.TD15 = &sim.TD15{CurrentSVN: m.SVN}
	return m
}

func TestAppraise(t *testing.T) {
	l := newLab(t)
	now := time.Now()
	for name, m := range map[string]sim.Measurements{"version 4": l.good, "version 5": l.version5()} {
		t.Run(name, func(t *testing.T) {
			a, err := appraise(l.quote(t, m), l.data, l.policy, now)
			if err != nil {
				t.Fatal(err)
			}
			if a.TEE != attest.TDX || !a.Simulated || a.Image != l.good.Image() || a.Evidence == [32]byte{} {
				t.Errorf("appraisal %+v", a)
			}
			p, err := tdx.PlatformOf(l.quote(t, m))
			if err != nil || p.FMSPC != [6]byte{0x90, 0xc0, 0x6f} || p.SVN[0] != 3 || p.PCESVN != 11 || p.PPID == [16]byte{} || p.ID() != a.Platform {
				t.Errorf("platform %+v, %v; appraised as %x", p, err, a.Platform)
			}
			if got, want := a.Expiry, now.Add(24*time.Hour); !got.Equal(want) {
				t.Errorf("expiry %v, want %v", got, want)
			}
		})
	}
}

func TestExpiryIsTheEarliest(t *testing.T) {
	l := newLab(t)
	soon := time.Now().Add(time.Hour).Truncate(time.Second)
	q := l.faulty(t, l.good, sim.Faults{PCK: func(c *x509.Certificate) { c.NotAfter = soon }})
	a, err := appraise(q, l.data, l.policy, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	if !a.Expiry.Equal(soon) {
		t.Errorf("expiry %v, want the certificate's %v", a.Expiry, soon)
	}
}

// TestRefusals provokes every step of the checklist, and fails if a step has no case.
func TestRefusals(t *testing.T) {
	l := newLab(t)
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

	cases := []struct {
		name  string
		want  error
		quote []byte
		edit  func(p *rules)
		now   time.Time
	}{
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
		{name: "SEAM signer", want: tdx.ErrSEAM, quote: edit(func(m *sim.Measurements) { m.SignerSEAM[0] = 1 })},
		{name: "SEAM attributes", want: tdx.ErrSEAM, quote: edit(func(m *sim.Measurements) { m.AttributesSEAM = 1 })},
		{name: "other image", want: attest.ErrImage, quote: l.quote(t, sim.Measure("other"))},
		{name: "MRCONFIGID", want: tdx.ErrConfigID, quote: edit(func(m *sim.Measurements) { m.MRConfigID[0] = 1 })},
		{name: "no events policy", want: attest.ErrEvents, quote: good, edit: func(p *rules) { p.EventsLater = false }},
		{name: "no image policy", want: attest.ErrImage, quote: good, edit: func(p *rules) { p.Image = nil }},
		{name: "platform denied", want: attest.ErrPlatform, quote: good, edit: func(p *rules) {
			p.Platform = func(attest.PlatformID) error { return errHook }
		}},
		{name: "no platform policy", want: attest.ErrPlatform, quote: good, edit: func(p *rules) { p.Platform = nil }},
	}

	provoked := map[error]bool{}
	for _, c := range cases {
		provoked[c.want] = true
		t.Run(c.name, func(t *testing.T) {
			p, now := l.policy, c.now
			if c.edit != nil {
				c.edit(&p)
			}
			if now.IsZero() {
				now = time.Now()
			}
			a, err := appraise(c.quote, l.data, p, now)
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

func TestHookErrorsAreWrapped(t *testing.T) {
	l := newLab(t)
	_, err := appraise(l.quote(t, sim.Measure("other")), l.data, l.policy, time.Now())
	if !errors.Is(err, errHook) {
		t.Errorf("got %v, want it to wrap the policy's own error", err)
	}
}

func TestZeroPolicyDenies(t *testing.T) {
	l := newLab(t)
	if _, err := appraise(l.quote(t, l.good), l.data, rules{}, time.Now()); err == nil {
		t.Fatal("zero policy accepted a quote")
	}
}

func TestDamage(t *testing.T) {
	l := newLab(t)
	l.policy.Image = func([32]byte) error { return nil }
	for name, m := range map[string]sim.Measurements{"version 4": l.good, "version 5": l.version5()} {
		t.Run(name, func(t *testing.T) { refusesDamage(t, l.quote(t, m), l.data, l.policy, time.Now()) })
	}
}

// refusesDamage tries every truncation of a good quote, and a flip in every
// third byte: none may pass or panic.
func refusesDamage(t *testing.T, quote []byte, data [64]byte, p rules, now time.Time) {
	t.Helper()
	if _, err := appraise(quote, data, p, now); err != nil {
		t.Fatalf("the undamaged quote is refused: %v", err)
	}
	for n := range quote {
		if _, err := appraise(quote[:n], data, p, now); err == nil {
			t.Fatalf("accepted the first %d bytes", n)
		}
	}
	for n := 0; n < len(quote); n += 3 {
		damaged := slices.Clone(quote)
		damaged[n] ^= 1 << (n % 8)
		if _, err := appraise(damaged, data, p, now); err == nil {
			t.Fatalf("accepted a flip in byte %d", n)
		}
	}
}

func TestEvidenceIgnoresSignatures(t *testing.T) {
	l := newLab(t)
	vm := l.ca.Platform("machine").VM(l.good)
	var ids [2][32]byte
	var quotes [2][]byte
	for i := range ids {
		var err error
		if quotes[i], err = quoteOf(vm, l.data); err != nil {
			t.Fatal(err)
		}
		a, err := appraise(quotes[i], l.data, l.policy, time.Now())
		if err != nil {
			t.Fatal(err)
		}
		ids[i] = a.Evidence
	}
	if bytes.Equal(quotes[0], quotes[1]) {
		t.Fatal("two signatures are equal: the test shows nothing")
	}
	if ids[0] != ids[1] {
		t.Error("the same report signed twice has two ids")
	}
}

func TestCanonical(t *testing.T) {
	l := newLab(t)
	good := l.quote(t, l.good)
	got, err := tdx.Canonical(append(slices.Clone(good), make([]byte, 70)...))
	if err != nil || !bytes.Equal(got, good) {
		t.Errorf("padding was not dropped: %v", err)
	}
	for want, raw := range map[error][]byte{
		attest.ErrSize:   nil,
		tdx.ErrKind:      []byte("hello"),
		attest.ErrFormat: good[:len(good)-100],
	} {
		if _, err := tdx.Canonical(raw); !errors.Is(err, want) {
			t.Errorf("got %v, want %v", err, want)
		}
	}
}

func TestUpstreamGolden(t *testing.T) {
	// All registers zero: SHA-256 of 448 zero bytes.
	const want = "5c55c8f4db4010ba9203d83536d0609856af8c847ac039e37e7dde8fbd574b61"
	if got := new(tdx.Registers).Upstream(); hex.EncodeToString(got[:]) != want {
		t.Errorf("got %x, want %s", got, want)
	}
}

// flipped changes the lowest bit of one byte.
func flipped(quote []byte, at int) []byte { return put(quote, at, quote[at]^1) }

func put(quote []byte, at int, b ...byte) []byte {
	quote = slices.Clone(quote)
	copy(quote[at:], b)
	return quote
}

// flipLast alters the signature of a certificate.
func flipLast(der []byte) { der[len(der)-1] ^= 1 }

// editDER alters one of the three certificates in place.
func editDER(t testing.TB, quote []byte, which int, edit func(der []byte)) []byte {
	t.Helper()
	start := bytes.Index(quote, []byte("-----BEGIN"))
	if start < 0 {
		t.Fatal("quote has no certificates")
	}
	out, rest := slices.Clone(quote[:start]), quote[start:]
	for i := 0; len(rest) > 0; i++ {
		block, tail := pem.Decode(rest)
		if block == nil {
			t.Fatal("bad PEM")
		}
		if i == which {
			edit(block.Bytes)
		}
		out, rest = append(out, pem.EncodeToMemory(block)...), tail
	}
	return out
}

func BenchmarkAppraise(b *testing.B) {
	l := newLab(b)
	quote := l.quote(b, l.good)
	now := time.Now()
	b.ReportAllocs()
	for b.Loop() {
		if _, err := appraise(quote, l.data, l.policy, now); err != nil {
			b.Fatal(err)
		}
	}
}

func ExampleVerifier() {
	// A worker's VM, simulated; on hardware the provider asks the kernel.
	ca, err := sim.NewCA()
	if err != nil {
		fmt.Println(err)
		return
	}
	image := sim.Measure("worker 1.0")
	var key [64]byte // what the quote is bound to: a hash over the worker's TLS key
	evidence, err := ca.Platform("rack 7").VM(image).Evidence(context.Background(), key)
	if err != nil {
		fmt.Println(err)
		return
	}

	// The other side.
	verifier := ca.Verifier()
	policy := attest.Policy{
		Platform:    attest.AnyPlatform,
		EventsLater: true, // a certificate carries none
		Image: func(got [32]byte) error {
			if got != image.Image() {
				return errors.New("not in the registry")
			}
			return nil
		},
	}
	_, err = verifier.Appraise(evidence, key, policy, time.Now())
	fmt.Println("production:", errors.Is(err, attest.ErrSimulated))

	policy.AllowSimulated = true
	appraisal, err := verifier.Appraise(evidence, key, policy, time.Now())
	fmt.Println("sandbox:", appraisal.TEE, appraisal.Simulated, err)
	// Output:
	// production: true
	// sandbox: tdx true <nil>
}
