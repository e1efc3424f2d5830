package sim_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"github.com/tussah-network/tussah/p2p/attest/sim"
	"github.com/tussah-network/tussah/p2p/attest/tdx"
)

func TestSaveAndLoad(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "ca")
	ca, data := newCA(t), [64]byte{1}
	if err := ca.Save(dir); err != nil {
		t.Fatal(err)
	}
	verifier, err := sim.LoadVerifier(dir)
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
	if err := accepts(verifier, quote, data); err != nil {
		t.Errorf("a platform of the loaded authority is refused: %v", err)
	}
	if err := accepts(loaded.Verifier(), quote, data); err != nil {
		t.Errorf("the loaded authority refuses its own platform: %v", err)
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

// The authority's holder makes collateral anew where a verifier could not use it.
func TestLoadCAReissues(t *testing.T) {
	put := func(t *testing.T, dir string, c tdx.Collateral) {
		raw, err := json.Marshal(c)
		if err == nil {
			err = os.WriteFile(filepath.Join(dir, "collateral.json"), raw, 0o644)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct {
		name    string
		reissue bool
		harm    func(t *testing.T, ca *sim.CA, dir string)
	}{
		{"good", false, func(*testing.T, *sim.CA, string) {}},
		{"none", true, func(t *testing.T, _ *sim.CA, dir string) {
			if err := os.Remove(filepath.Join(dir, "collateral.json")); err != nil {
				t.Fatal(err)
			}
		}},
		{"ends soon", true, func(t *testing.T, ca *sim.CA, dir string) {
			c, err := ca.FaultyCollateral(sim.CollateralFaults{QEIdentity: func(q *sim.QEIdentity) {
				q.NextUpdate = time.Now().AddDate(0, 0, 50)
			}})
			if err != nil {
				t.Fatal(err)
			}
			put(t, dir, c)
		}},
		{"of another authority", true, func(t *testing.T, _ *sim.CA, dir string) {
			c, err := newCA(t).Collateral()
			if err != nil {
				t.Fatal(err)
			}
			put(t, dir, c)
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir, ca := t.TempDir(), newCA(t)
			if err := ca.Save(dir); err != nil {
				t.Fatal(err)
			}
			c.harm(t, ca, dir)
			before, beforeErr := sim.LoadCollateral(dir)
			if _, err := sim.LoadCA(dir); err != nil {
				t.Fatal(err)
			}
			if _, err := sim.LoadVerifier(dir); err != nil {
				t.Errorf("verifier refuses the folder: %v", err)
			}
			after, err := sim.LoadCollateral(dir)
			if err != nil {
				t.Fatal(err)
			}
			if changed := beforeErr != nil || !bytes.Equal(before.TCBInfo, after.TCBInfo); changed != c.reissue {
				t.Errorf("made anew: %v, want %v", changed, c.reissue)
			}
			if left, err := filepath.Glob(filepath.Join(dir, "collateral.json.*")); err != nil || len(left) != 0 {
				t.Errorf("left behind: %v, %v", left, err)
			}
		})
	}
}

func TestLoadVerifierRefuses(t *testing.T) {
	dir, ca := t.TempDir(), newCA(t)
	if err := ca.Save(dir); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "collateral.json")
	if err := os.WriteFile(path, []byte("{}"), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := sim.LoadVerifier(dir); !errors.Is(err, tdx.ErrCollateralForm) {
		t.Errorf("empty collateral: got %v, want %v", err, tdx.ErrCollateralForm)
	}
	if err := os.WriteFile(path, []byte("hello"), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := sim.LoadVerifier(dir); !errors.Is(err, sim.ErrBadStore) {
		t.Errorf("garbage: got %v, want %v", err, sim.ErrBadStore)
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if _, err := sim.LoadVerifier(dir); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("none: got %v, want %v", err, fs.ErrNotExist)
	}
}
