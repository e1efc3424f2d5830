package node

import (
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/tussah-network/tussah/p2p/attest"
	"github.com/tussah-network/tussah/p2p/attest/policyfile"
	"github.com/tussah-network/tussah/p2p/attest/sim"
	"github.com/tussah-network/tussah/p2p/attest/tdx"
	"github.com/tussah-network/tussah/p2p/ratls"
	"github.com/tussah-network/tussah/registry"
	"github.com/tussah-network/tussah/tlb"
)

func openTestVerifiers(t *testing.T, cfg AttestationConfig) verifiers {
	t.Helper()
	v, err := openVerifiers(cfg, t.TempDir(), slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := v.close(); err != nil {
			t.Error(err)
		}
	})
	return v
}

// Simulated evidence meets a network of real machines: its root is unknown there,
// and it is refused for what it is, also where its image is listed.
func TestProductionRefusesSimulation(t *testing.T) {
	ca, err := sim.NewCA()
	if err != nil {
		t.Fatal(err)
	}
	image := sim.Measure("proxy")
	view := registry.View{State: tlb.RegistryState{Images: map[[32]byte]tlb.Roles{image.Image(): tlb.RoleProxy}}}
	p := newPolicy(Config{}, "0:00", openTestVerifiers(t, AttestationConfig{Offline: true}), func() (registry.View, error) {
		view.Block.Time = time.Now()
		return view, nil
	})
	e, err := ca.Platform("rack").VM(image).Evidence(t.Context(), [64]byte{1})
	if err != nil {
		t.Fatal(err)
	}
	for _, gate := range []ratls.Gate{ratls.GateA, ratls.GateB} {
		shown := ratls.Shown{Gate: gate, Evidence: e, ReportData: [64]byte{1}, Claims: ratls.Claims{Role: ratls.RoleProxy}}
		if _, err := p.appraise(shown); !errors.Is(err, attest.ErrSimulated) {
			t.Errorf("gate %d: %v", gate, err)
		}
	}
}

// What the operator's file does not allow is refused, whatever the registry says.
func TestPolicyFileForbids(t *testing.T) {
	dir := t.TempDir()
	ca, err := sim.NewCA()
	if err != nil {
		t.Fatal(err)
	}
	if err := ca.Save(filepath.Join(dir, "ca")); err != nil {
		t.Fatal(err)
	}
	image := sim.Measure("proxy")
	view := registry.View{State: tlb.RegistryState{Images: map[[32]byte]tlb.Roles{image.Image(): tlb.RoleProxy}}}
	e, err := ca.Platform("rack").VM(image).Evidence(t.Context(), [64]byte{1})
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		file string
		want error
	}{
		"no file":                {"", nil},
		"file":                   {registryDecides, nil},
		"no image":               {"models = [\"any\"]\n[images]\nproxy = []\n[platforms]\nallowed = [\"any\"]\n", policyfile.ErrImage},
		"registered only":        {"require_registered_platforms = true\n" + registryDecides, policyfile.ErrUnregistered},
		"an evaluation to come":  {"min_evaluation = 1000\n" + registryDecides, tdx.ErrEvaluation},
		"platforms of a list":    {"models = [\"any\"]\n[images]\nproxy = [\"any\"]\n[platforms]\nallowed = []\n", policyfile.ErrPlatform},
		"nothing is in the file": {"[images]\n", policyfile.ErrImage},
	} {
		t.Run(name, func(t *testing.T) {
			cfg := AttestationConfig{SimulatedCA: filepath.Join(dir, "ca")}
			if c.file != "" {
				cfg.Policy = filepath.Join(t.TempDir(), "policy.toml")
				if err := os.WriteFile(cfg.Policy, []byte(c.file), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			p := newPolicy(Config{}, "0:00", openTestVerifiers(t, cfg), func() (registry.View, error) {
				view.Block.Time = time.Now()
				return view, nil
			})
			_, err := p.appraise(ratls.Shown{Gate: ratls.GateA, Evidence: e, ReportData: [64]byte{1}})
			if !errors.Is(err, c.want) || (err == nil) != (c.want == nil) {
				t.Errorf("got %v, want %v", err, c.want)
			}
		})
	}
}

func TestVerifiersRefused(t *testing.T) {
	dir := t.TempDir()
	broken := filepath.Join(dir, "broken")
	if err := os.WriteFile(broken, []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, cfg := range map[string]AttestationConfig{
		"no policy file":  {Offline: true, Policy: filepath.Join(dir, "none")},
		"bad policy file": {Offline: true, Policy: broken},
		"no bundle":       {Offline: true, Bundle: filepath.Join(dir, "none")},
		"bad bundle":      {Offline: true, Bundle: broken},
		"no CA":           {SimulatedCA: filepath.Join(dir, "none")},
		"bad PCCS":        {PCCS: "::"},
	} {
		if v, err := openVerifiers(cfg, filepath.Join(dir, name), slog.New(slog.DiscardHandler)); err == nil {
			t.Errorf("%s: accepted", name)
			v.close()
		}
	}
}
