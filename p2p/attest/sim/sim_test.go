package sim_test

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"github.com/google/go-tdx-guest/abi"
	"github.com/google/go-tdx-guest/verify"

	"github.com/tussah-network/tussah/p2p/attest"
	"github.com/tussah-network/tussah/p2p/attest/sim"
	"github.com/tussah-network/tussah/p2p/attest/tdx"
)

func quoteOf(p attest.Provider, data [64]byte) ([]byte, error) {
	e, err := p.Evidence(context.Background(), data)
	return e.Report, err
}

func newCA(t *testing.T) *sim.CA {
	t.Helper()
	ca, err := sim.NewCA()
	if err != nil {
		t.Fatal(err)
	}
	return ca
}

func accepts(root *x509.Certificate, quote []byte, data [64]byte) error {
	v := tdx.Verifier{Roots: []*x509.Certificate{root}}
	_, err := v.Appraise(attest.Evidence{TEE: attest.TDX, Report: quote}, data, attest.Policy{
		EventsLater:    true,
		AllowSimulated: true,
		Image:          func([32]byte) error { return nil },
		Platform:       attest.AnyPlatform,
	}, time.Now())
	return err
}

// oracle is an independent implementation of the signature checks, for quotes
// of version 4. It is not made for hostile input, hence the recover.
func oracle(quote []byte, root *x509.Certificate) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("oracle panicked: %v", r)
		}
	}()
	parsed, err := abi.QuoteToProto(quote)
	if err != nil {
		return err
	}
	roots := x509.NewCertPool()
	roots.AddCert(root)
	return verify.TdxQuote(parsed, &verify.Options{TrustedRoots: roots, Now: time.Now()})
}

func TestQuotesAreRealQuotes(t *testing.T) {
	ca, data := newCA(t), [64]byte{9}
	quote, err := quoteOf(ca.Platform("a").VM(sim.Measure("x")), data)
	if err != nil {
		t.Fatal(err)
	}
	if err := oracle(quote, ca.Root()); err != nil {
		t.Errorf("independent verifier refuses: %v", err)
	}
	if err := accepts(ca.Root(), quote, data); err != nil {
		t.Errorf("our verifier refuses: %v", err)
	}
	other := newCA(t).Root()
	if oracle(quote, other) == nil || accepts(other, quote, data) == nil {
		t.Error("a verifier accepts a foreign root")
	}
}

// What the independent verifier refuses, ours must refuse too.
func TestDifferential(t *testing.T) {
	ca, data := newCA(t), [64]byte{9}
	quote, err := quoteOf(ca.Platform("a").VM(sim.Measure("x")), data)
	if err != nil {
		t.Fatal(err)
	}
	for n := 0; n < len(quote); n += 7 {
		damaged := append([]byte(nil), quote...)
		damaged[n] ^= 0x10
		theirs, ours := oracle(damaged, ca.Root()), accepts(ca.Root(), damaged, data)
		if theirs != nil && ours == nil {
			t.Errorf("byte %d: only the independent verifier refuses: %v", n, theirs)
		}
	}
}

func TestSaveAndLoad(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "ca")
	ca, data := newCA(t), [64]byte{1}
	if err := ca.Save(dir); err != nil {
		t.Fatal(err)
	}
	root, err := sim.LoadRoot(dir)
	if err != nil {
		t.Fatal(err)
	}
	loaded, err := sim.LoadCA(dir)
	if err != nil {
		t.Fatal(err)
	}
	quote, err := quoteOf(loaded.Platform("a").VM(sim.Measure("x")), data)
	if err != nil {
		t.Fatal(err)
	}
	if err := accepts(root, quote, data); err != nil {
		t.Errorf("a platform of the loaded authority is refused: %v", err)
	}
	if err := newCA(t).Save(dir); !errors.Is(err, fs.ErrExist) {
		t.Errorf("overwriting: got %v, want %v", err, fs.ErrExist)
	}
}

func TestLoadRefuses(t *testing.T) {
	save := func(t *testing.T) string {
		dir := t.TempDir()
		if err := newCA(t).Save(dir); err != nil {
			t.Fatal(err)
		}
		return dir
	}
	for _, c := range []struct {
		name string
		want error
		harm func(t *testing.T, dir string) error
	}{
		{"no root", fs.ErrNotExist, func(t *testing.T, dir string) error { return os.Remove(filepath.Join(dir, "root.pem")) }},
		{"no key", fs.ErrNotExist, func(t *testing.T, dir string) error { return os.Remove(filepath.Join(dir, "ca.key")) }},
		{"garbage", sim.ErrBadStore, func(t *testing.T, dir string) error {
			return os.WriteFile(filepath.Join(dir, "root.pem"), []byte("hello"), 0o644)
		}},
		{"key of another", sim.ErrBadStore, func(t *testing.T, dir string) error {
			return os.Rename(filepath.Join(save(t), "ca.key"), filepath.Join(dir, "ca.key"))
		}},
		{"readable key", sim.ErrKeyMode, func(t *testing.T, dir string) error {
			if runtime.GOOS == "windows" {
				t.Skip("file modes are not enforced on Windows")
			}
			return os.Chmod(filepath.Join(dir, "ca.key"), 0o644)
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := save(t)
			if err := c.harm(t, dir); err != nil {
				t.Fatal(err)
			}
			if _, err := sim.LoadCA(dir); !errors.Is(err, c.want) {
				t.Errorf("got %v, want %v", err, c.want)
			}
		})
	}
}

func TestMeasure(t *testing.T) {
	if again := sim.Measure("a"); again.Image() != sim.Measure("a").Image() {
		t.Error("one label has two images")
	}
	if sim.Measure("a").Image() == sim.Measure("b").Image() {
		t.Error("two labels have one image")
	}
}

func TestPlatformIdentity(t *testing.T) {
	ca := newCA(t)
	platform := func(id string) attest.PlatformID {
		quote, err := quoteOf(ca.Platform(id).VM(sim.Measure("x")), [64]byte{})
		if err != nil {
			t.Fatal(err)
		}
		a, err := ca.Verifier().Appraise(attest.Evidence{TEE: attest.TDX, Report: quote}, [64]byte{}, attest.Policy{
			AllowSimulated: true, EventsLater: true,
			Image: func([32]byte) error { return nil }, Platform: attest.AnyPlatform,
		}, time.Now())
		if err != nil {
			t.Fatal(err)
		}
		return a.Platform
	}
	if again := platform("a"); again != platform("a") {
		t.Error("one machine has two identities")
	}
	if platform("a") == platform("b") {
		t.Error("two machines have one identity")
	}
}
