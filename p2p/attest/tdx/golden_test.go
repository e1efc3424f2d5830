package tdx_test

import (
	"bytes"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"flag"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/tussah-network/tussah/p2p/attest"
	"github.com/tussah-network/tussah/p2p/attest/sim"
	"github.com/tussah-network/tussah/p2p/attest/tdx"
)

var update = flag.Bool("update", false, "make the golden quotes anew")

// golden are quotes made once by package sim and kept: the format must stay
// readable, and fuzzing needs seeds that are the same in every process.
var golden = []string{"simulated_v4.quote", "simulated_v5.quote"}

const goldenCollateral = "simulated_collateral.json"

func goldenQuote(t testing.TB, name string) []byte {
	t.Helper()
	quote, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return quote
}

func goldenKept(t testing.TB) (kept tdx.Collateral) {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join("testdata", goldenCollateral))
	if err == nil {
		err = json.Unmarshal(raw, &kept)
	}
	if err != nil {
		t.Fatal(err)
	}
	return kept
}

// goldenPolicy trusts the root a golden quote carries, at a time when it is valid.
func goldenPolicy(t testing.TB, quote []byte) (rules, time.Time) {
	t.Helper()
	_, certificates, ok := bytes.Cut(quote, []byte("-----BEGIN"))
	if !ok {
		t.Fatal("golden quote has no certificates")
	}
	certificates = append([]byte("-----BEGIN"), certificates...)
	var root *x509.Certificate
	for block, rest := pem.Decode(certificates); block != nil; block, rest = pem.Decode(rest) {
		var err error
		if root, err = x509.ParseCertificate(block.Bytes); err != nil {
			t.Fatal(err)
		}
	}
	now := root.NotBefore.Add(24 * time.Hour)
	collateral, err := tdx.ParseCollateral(goldenKept(t), []*x509.Certificate{root}, now)
	if err != nil {
		t.Fatal(err)
	}
	image := sim.Measure("golden").Image()
	return rules{
		Roots:      []*x509.Certificate{root},
		Collateral: collateral,
		Policy: attest.Policy{
			AllowSimulated: true,
			EventsLater:    true,
			Platform:       attest.AnyPlatform,
			Image: func(got [32]byte) error {
				if got != image {
					return errHook
				}
				return nil
			},
		}}, now
}

func TestGoldenQuotes(t *testing.T) {
	if *update {
		l := newLab(t)
		l.good = sim.Measure("golden")
		c, err := l.ca.Collateral()
		if err != nil {
			t.Fatal(err)
		}
		raw, err := json.MarshalIndent(c, "", "\t")
		if err == nil {
			err = os.WriteFile(filepath.Join("testdata", goldenCollateral), append(raw, '\n'), 0o644)
		}
		if err != nil {
			t.Fatal(err)
		}
		for i, m := range []sim.Measurements{l.good, l.version5()} {
			if err := os.WriteFile(filepath.Join("testdata", golden[i]), l.quote(t, m), 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
	for _, name := range golden {
		quote := goldenQuote(t, name)
		policy, now := goldenPolicy(t, quote)
		if _, err := appraise(quote, boundTo(quote), policy, now); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// FuzzAppraise looks for a panic, and for a quote that is accepted although it
// is neither of the seeds.
func FuzzAppraise(f *testing.F) {
	seeds := make([][]byte, len(golden))
	for i, name := range golden {
		seeds[i] = goldenQuote(f, name)
		f.Add(seeds[i])
		f.Add(seeds[i][:700])
	}
	policy, now := goldenPolicy(f, seeds[0])
	data := boundTo(seeds[0])
	f.Fuzz(func(t *testing.T, raw []byte) {
		_, err := appraise(raw, data, policy, now)
		if err == nil && !bytes.Equal(raw, seeds[0]) && !bytes.Equal(raw, seeds[1]) {
			t.Errorf("accepted %x", raw)
		}
	})
}

func FuzzCanonical(f *testing.F) {
	for _, name := range golden {
		quote := goldenQuote(f, name)
		f.Add(quote)
		f.Add(append(quote, 0, 0, 0))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		once, err := tdx.Canonical(raw)
		if err != nil {
			return
		}
		twice, err := tdx.Canonical(once)
		if err != nil || !bytes.Equal(once, twice) {
			t.Errorf("canonical form is not stable: %v", err)
		}
	})
}
