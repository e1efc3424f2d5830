package node

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/tussah-network/tussah/p2p/attest"
	"github.com/tussah-network/tussah/p2p/attest/gpu"
	"github.com/tussah-network/tussah/p2p/attest/gpu/gpusim"
	"github.com/tussah-network/tussah/p2p/ratls"
)

// gpuLab is a worker with one simulated GPU, and who judges it.
type gpuLab struct {
	worker, judge accelerators
	bound         ratls.GPUBound
}

func newGPULab(t *testing.T) *gpuLab {
	t.Helper()
	manufacturer, err := gpusim.NewManufacturer(gpusim.Options{})
	if err != nil {
		t.Fatal(err)
	}
	device, err := manufacturer.NewGPU()
	if err != nil {
		t.Fatal(err)
	}
	model := gpu.Model{SKUs: []string{"1010_0200_882"}, MinDriver: "550.90.07", MinVBIOS: "96.00.9F.00.01"}
	return &gpuLab{
		worker: accelerators{collector: gpusim.Collector{device}, mode: func(context.Context) (gpu.CCMode, error) { return gpu.CCOn, nil }},
		judge: accelerators{
			rim:         manufacturer.RIM,
			revocations: func() (*gpu.Revocations, error) { return &gpu.Revocations{Date: time.Now()}, nil },
			policy: gpu.Policy{Models: map[string]gpu.Model{"GH100": model}, Device: gpu.AnyDevice,
				AllowSimulated: true, SimulatedRoots: manufacturer.Roots()},
		},
		bound: ratls.GPUBound{Key: [32]byte{1}, Nonce: [32]byte{2}, Exporter: [32]byte{3}},
	}
}

// shown is what the worker shows to who judges it.
func (l *gpuLab) shown(t *testing.T) ratls.Shown {
	t.Helper()
	payload, err := l.worker.measured(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	evidence, err := l.worker.show(t.Context(), l.bound)
	if err != nil {
		t.Fatal(err)
	}
	return ratls.Shown{Gate: ratls.GateB, Claims: ratls.Claims{Role: ratls.RoleWorker}, GPU: evidence, Bound: l.bound, Asked: time.Now(),
		Evidence: attest.Evidence{Events: []attest.Event{{Name: attest.EventGPU, Payload: payload}}}}
}

func TestAccelerators(t *testing.T) {
	l := newGPULab(t)
	good := l.shown(t)
	got, err := l.judge.appraise(good, time.Now())
	if err != nil || len(got.Devices) != 1 || got.Devices[0].Model != "GH100" || got.Evidence != sha256.Sum256(good.GPU) {
		t.Fatalf("got %+v, %v", got, err)
	}
	for name, edit := range map[string]func(*ratls.Shown, *accelerators){
		"another connection": func(s *ratls.Shown, _ *accelerators) { s.Bound.Exporter[0] ^= 1 },
		"another key":        func(s *ratls.Shown, _ *accelerators) { s.Bound.Key[0] ^= 1 },
		"mode not measured":  func(s *ratls.Shown, _ *accelerators) { s.Evidence.Events = nil },
		"measured for another": func(s *ratls.Shown, _ *accelerators) {
			s.Evidence.Events[0].Payload = gpu.Measurement(gpu.CCOn, [][32]byte{{1}})
		},
		"asked long ago": func(s *ratls.Shown, _ *accelerators) { s.Asked = s.Asked.Add(-time.Hour) },
		"not evidence":   func(s *ratls.Shown, _ *accelerators) { s.GPU = []byte("x") },
		"no list": func(_ *ratls.Shown, a *accelerators) {
			a.revocations = func() (*gpu.Revocations, error) { return nil, nil }
		},
		"simulated": func(_ *ratls.Shown, a *accelerators) { a.policy.AllowSimulated = false },
		"no documents": func(_ *ratls.Shown, a *accelerators) {
			a.rim = func(string) ([]byte, error) { return nil, attest.ErrNoCollateral }
		},
		"no model allowed": func(_ *ratls.Shown, a *accelerators) { a.policy.Models = nil },
	} {
		t.Run(name, func(t *testing.T) {
			shown, judge := l.shown(t), l.judge
			edit(&shown, &judge)
			if _, err := judge.appraise(shown, time.Now()); err == nil {
				t.Error("accepted")
			}
		})
	}
}

func TestAcceleratorsOffAreRefused(t *testing.T) {
	for _, mode := range []gpu.CCMode{gpu.CCOff, gpu.CCDevTools} {
		l := newGPULab(t)
		l.worker.mode = func(context.Context) (gpu.CCMode, error) { return mode, nil }
		if _, err := l.judge.appraise(l.shown(t), time.Now()); err == nil {
			t.Errorf("%v: accepted", mode)
		}
	}
}

func TestAcceleratorsRequired(t *testing.T) {
	a := accelerators{required: true}
	if _, err := a.appraise(ratls.Shown{Claims: ratls.Claims{Role: ratls.RoleWorker}}, time.Now()); !errors.Is(err, ErrAccelerators) {
		t.Errorf("a worker without: %v", err)
	}
	if _, err := a.appraise(ratls.Shown{Claims: ratls.Claims{Role: ratls.RoleProxy}}, time.Now()); err != nil {
		t.Errorf("a proxy without: %v", err)
	}
}

func TestReadRevocations(t *testing.T) {
	dir := t.TempDir()
	write := func(text string) string {
		path := filepath.Join(dir, "list.json")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	id := [32]byte{7}
	got, err := readRevocations(write(`{"date":"2026-11-24T00:00:00Z","ids":["` + hex.EncodeToString(id[:]) + `"]}`))
	if _, listed := got.IDs[id]; err != nil || !listed || got.Date.IsZero() {
		t.Errorf("got %+v, %v", got, err)
	}
	if got, err := readRevocations(""); got != nil || err != nil {
		t.Errorf("no file: %+v, %v", got, err)
	}
	for _, text := range []string{"", "[]", `{"date":"x"}`, `{"date":"2026-11-24T00:00:00Z","ids":["00"]}`, `{"other":1}`, `{} {}`} {
		if _, err := readRevocations(write(text)); err == nil {
			t.Errorf("%q: accepted", text)
		}
	}
	if _, err := readRevocations(filepath.Join(dir, "none")); err == nil {
		t.Error("a file that is not there: accepted")
	}
}

func TestDriverMode(t *testing.T) {
	for lines, want := range map[[2]string]gpu.CCMode{
		{"CC status: ON\n", "DevTools Mode: OFF\n"}: gpu.CCOn,
		{"CC status: ON\n", "DevTools Mode: ON\n"}:  gpu.CCDevTools,
		{"CC status: OFF\n", ""}:                    gpu.CCOff,
		{"no devices", ""}:                          0,
		{"CC status: ON\n", "what"}:                 0,
	} {
		got, err := modeOf(lines[0], lines[1])
		if got != want || (err == nil) != (want != 0) {
			t.Errorf("%q: got %v, %v; want %v", lines, got, err, want)
		}
	}
}
