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

// The vectors are quotes of real hardware, kept outside the repository. At this
// time all their certificates are valid.
var vectorTime = time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)

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

// production trusts the root that a real quote carries, after checking that it is Intel's.
func production(t *testing.T, quote []byte) rules {
	t.Helper()
	return rules{
		Roots: []*x509.Certificate{intelRoot(t, quote)},
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
	for _, c := range []struct {
		file string
		want error // nil: accepted as genuine
	}{
		{"tdx_quote", nil},
		{"tdx_quote_outdated", nil}, // version 5; its TCB level is for collateral to judge
		{"debug_td_v4.dat", attest.ErrDebug},
		{"service_td_v5.dat", tdx.ErrServiceTD},
	} {
		t.Run(c.file, func(t *testing.T) {
			quote := canonical(t, vector(t, c.file))
			a, err := appraise(quote, boundTo(quote), production(t, quote), vectorTime)
			if !errors.Is(err, c.want) {
				t.Fatalf("got %v, want %v", err, c.want)
			}
			if err == nil && (a.Simulated || a.Platform == attest.PlatformID{}) {
				t.Errorf("appraisal %+v", a)
			}
		})
	}
}

func TestRealQuotePlatform(t *testing.T) {
	quote := canonical(t, vector(t, "tdx_quote"))
	a, err := appraise(quote, boundTo(quote), production(t, quote), vectorTime)
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
	_, err := appraise(raw, boundTo(raw), production(t, raw), vectorTime)
	if !errors.Is(err, attest.ErrFormat) {
		t.Errorf("got %v, want %v", err, attest.ErrFormat)
	}
}

func TestRealQuoteDamage(t *testing.T) {
	for _, file := range []string{"tdx_quote", "tdx_quote_outdated"} {
		t.Run(file, func(t *testing.T) {
			quote := canonical(t, vector(t, file))
			refusesDamage(t, quote, boundTo(quote), production(t, quote), vectorTime)
		})
	}
}

// A simulated root may be loaded beside Intel's: each keeps its own standing.
func TestRealAndSimulatedRootsTogether(t *testing.T) {
	quote := canonical(t, vector(t, "tdx_quote"))
	l := newLab(t)
	p := production(t, quote)
	p.Roots = append(p.Roots, l.ca.Root())

	if _, err := appraise(l.quote(t, l.good), l.data, p, time.Now()); !errors.Is(err, attest.ErrSimulated) {
		t.Errorf("simulated: got %v, want %v", err, attest.ErrSimulated)
	}
	if a, err := appraise(quote, boundTo(quote), p, vectorTime); err != nil || a.Simulated {
		t.Errorf("genuine: %v, simulated %v", err, a.Simulated)
	}
}
