package tdx_test

import (
	"bytes"
	"context"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
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
		Roots:      []*x509.Certificate{ca.Root()},
		Collateral: ca.Verifier().Collateral,
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
