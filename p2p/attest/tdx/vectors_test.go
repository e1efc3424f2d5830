package tdx_test

import (
	"crypto/x509"
	"encoding/binary"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/tussah-network/tussah/p2p/attest"
	"github.com/tussah-network/tussah/p2p/attest/tdx"
)

// The vectors are quotes of real hardware, kept outside the repository.

// vector reads a real quote as hardware made it.
func vector(t testing.TB, name string) []byte {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join("..", "..", "..", "..", "shared", "vectors", "tdx", name))
	if errors.Is(err, os.ErrNotExist) {
		t.Skipf("SKIPPED: real quote %s is not on this machine; genuine evidence was not tested", name)
	}
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

func canonical(t testing.TB, raw []byte) []byte {
	t.Helper()
	quote, err := tdx.Canonical(raw)
	if err != nil {
		t.Fatal(err)
	}
	return quote
}

// boundTo is a quote's own REPORTDATA.
func boundTo(quote []byte) [64]byte {
	at := 48 + 520
	if binary.LittleEndian.Uint16(quote) == 5 {
		at += 6
	}
	return [64]byte(quote[at : at+64])
}

// production loads no root: Intel's is known by its key, which the quote must have.
func production(t *testing.T, quote []byte) rules {
	t.Helper()
	intelRoot(t, quote)
	return rules{
		Policy: attest.Policy{
			EventsLater: true,
			Image:       func([32]byte) error { return nil },
			Platform:    attest.AnyPlatform,
		}}
}

func intelRoot(t testing.TB, quote []byte) *x509.Certificate {
	t.Helper()
	rest := quote[slices.Index(quote[1000:], '-')+1000:]
	var last *pem.Block
	for block, tail := pem.Decode(rest); block != nil; block, tail = pem.Decode(tail) {
		last = block
	}
	root, err := x509.ParseCertificate(last.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	id, ok := tdx.RootKeyID(root)
	if got := hex.EncodeToString(id[:]); !ok || got != tdx.IntelRootKeyID {
		t.Fatalf("root key id %s, want %s", got, tdx.IntelRootKeyID)
	}
	return root
}

func TestRealQuotes(t *testing.T) {
	const own, other = "tdx_quote_collateral.json", "tdx_quote_outdated_collateral.json"
	for _, c := range []struct {
		name, file, collateral string
		now                    time.Time
		least                  uint32
		want                   error // nil: accepted
	}{
		{name: "up to date", file: "tdx_quote", collateral: own, now: july2025},
		{name: "before its collateral", file: "tdx_quote", collateral: own, now: july2025.AddDate(0, 0, -20), want: tdx.ErrCollateralDates},
		{name: "after its collateral", file: "tdx_quote", collateral: own, now: july2025.AddDate(0, 0, 20), want: tdx.ErrCollateralDates},
		{name: "collateral of another family", file: "tdx_quote", collateral: other, now: march2026, want: tdx.ErrCollateralPlatform},
		{name: "evaluation too old", file: "tdx_quote", collateral: own, now: july2025, least: 18, want: tdx.ErrEvaluation},
		{name: "no collateral", file: "tdx_quote", now: july2025, want: attest.ErrNoCollateral},
		{name: "version 5, no level fits", file: "tdx_quote_outdated", collateral: other, now: march2026, want: tdx.ErrNoLevel},
		{name: "debug", file: "debug_td_v4.dat", now: march2026, want: attest.ErrNoCollateral},
		{name: "service TD", file: "service_td_v5.dat", now: march2026, want: attest.ErrNoCollateral},
	} {
		t.Run(c.name, func(t *testing.T) {
			quote := canonical(t, vector(t, c.file))
			p := production(t, quote)
			p.MinEvaluation = c.least
			if c.collateral != "" {
				p.Collateral = anything{realVerified(t, c.collateral, p.Roots)}
			}
			a, err := appraise(quote, boundTo(quote), p, c.now)
			if !errors.Is(err, c.want) {
				t.Fatalf("got %v, want %v", err, c.want)
			}
			if err == nil && (a.Simulated || a.Platform == attest.PlatformID{} || a.TCB.Status != attest.UpToDate || len(a.TCB.Advisories) != 0 || a.TCB.Evaluation != 17) {
				t.Errorf("appraisal %+v", a)
			}
		})
	}
}

// What is wrong with these VMs shows beside what is missing: collateral of their
// platforms is not at hand, their signatures are good.
func TestRealQuotesExplained(t *testing.T) {
	for file, want := range map[string]error{"debug_td_v4.dat": attest.ErrDebug, "service_td_v5.dat": tdx.ErrServiceTD} {
		quote := canonical(t, vector(t, file))
		p := production(t, quote)
		v := tdx.Verifier{Roots: p.Roots}
		var refused []error
		for _, r := range v.Explain(attest.Evidence{TEE: attest.TDX, Report: quote}, boundTo(quote), p.Policy, march2026) {
			if r.Err != nil {
				refused = append(refused, r.Refusal)
			}
		}
		if len(refused) < 2 || refused[0] != error(attest.ErrNoCollateral) || !slices.Contains(refused, want) {
			t.Errorf("%s: refused by %v, want first %v, later %v", file, refused, attest.ErrNoCollateral, want)
		}
	}
}

// realVerified is real collateral, verified at a time inside its dates.
func realVerified(t testing.TB, name string, roots []*x509.Certificate) *tdx.Verified {
	t.Helper()
	for _, now := range []time.Time{july2025, march2026} {
		if v, err := tdx.ParseCollateral(realCollateral(t, name), roots, now); err == nil {
			return v
		}
	}
	t.Fatalf("%s is never in force", name)
	return nil
}

func TestRealQuotePlatform(t *testing.T) {
	quote := canonical(t, vector(t, "tdx_quote"))
	p := production(t, quote)
	p.Collateral = realVerified(t, "tdx_quote_collateral.json", p.Roots)
	a, err := appraise(quote, boundTo(quote), p, july2025)
	if err != nil {
		t.Fatal(err)
	}
	want := tdx.Platform{
		PPID:     [16]byte{0x81, 0x1d, 0xca, 0x2a, 0x26, 0xb9, 0x52, 0xe8, 0x5b, 0xb6, 0x44, 0x8b, 0x09, 0x7b, 0xa4, 0xfd},
		Instance: [16]byte{0x07, 0x82, 0x84, 0x74, 0x60, 0x3e, 0x70, 0x19, 0xdc, 0x93, 0x07, 0x75, 0xff, 0xe8, 0xcd, 0xd2},
		FMSPC:    [6]byte{0xb0, 0xc0, 0x6f},
		SVN:      [16]byte{3, 3, 2, 2, 4, 1, 0, 5},
		PCESVN:   11,
	}
	if got, err := tdx.PlatformOf(quote); err != nil || got != want || a.Platform != want.ID() {
		t.Errorf("got  %+v, %v\nwant %+v", got, err, want)
	}
}

func TestRealQuoteMustBeCanonical(t *testing.T) {
	raw := vector(t, "tdx_quote")
	_, err := appraise(raw, boundTo(raw), production(t, raw), july2025)
	if !errors.Is(err, attest.ErrFormat) {
		t.Errorf("got %v, want %v", err, attest.ErrFormat)
	}
}

func TestRealQuoteDamage(t *testing.T) {
	quote := canonical(t, vector(t, "tdx_quote"))
	p := production(t, quote)
	p.Collateral = realVerified(t, "tdx_quote_collateral.json", p.Roots)
	refusesDamage(t, quote, boundTo(quote), p, july2025)
}

// A simulated root may be loaded beside Intel's: each keeps its own standing.
func TestRealAndSimulatedRootsTogether(t *testing.T) {
	quote := canonical(t, vector(t, "tdx_quote"))
	l := newLab(t)
	p := production(t, quote)
	p.Collateral = realVerified(t, "tdx_quote_collateral.json", p.Roots)
	p.Roots = append(p.Roots, l.ca.Root())

	if _, err := appraise(l.quote(t, l.good), l.data, p, time.Now()); !errors.Is(err, attest.ErrSimulated) {
		t.Errorf("simulated: got %v, want %v", err, attest.ErrSimulated)
	}
	if a, err := appraise(quote, boundTo(quote), p, july2025); err != nil || a.Simulated {
		t.Errorf("genuine: %v, simulated %v", err, a.Simulated)
	}
}
