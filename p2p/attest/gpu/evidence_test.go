package gpu_test

import (
	"bytes"
	"encoding/hex"
	"errors"
	"runtime"
	"testing"

	"github.com/tussah-network/tussah/p2p/attest/gpu"
	"github.com/tussah-network/tussah/p2p/attest/gpu/gpusim"
)

// The formula is on the wire, for good.
func TestNonce(t *testing.T) {
	n := gpu.Nonce([32]byte{1}, [32]byte{2}, [32]byte{3})
	if got, want := hex.EncodeToString(n[:]), "054df75bd898ab95a4051929819da145f940c6e3532908606a20063dba6d526c"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if gpu.Nonce([32]byte{2}, [32]byte{1}, [32]byte{3}) == n || gpu.Nonce([32]byte{1}, [32]byte{3}, [32]byte{2}) == n {
		t.Error("order does not matter")
	}
}

func TestEncodeRefuses(t *testing.T) {
	one := gpu.Device{Report: []byte{1}, Chain: [][]byte{{1}}}
	for name, devices := range map[string][]gpu.Device{
		"none":              nil,
		"seventeen":         make17(one),
		"no report":         {{Chain: one.Chain}},
		"no chain":          {{Report: one.Report}},
		"empty certificate": {{Report: one.Report, Chain: [][]byte{nil}}},
		"large report":      {{Report: make([]byte, 9<<10), Chain: one.Chain}},
		"large certificate": {{Report: one.Report, Chain: [][]byte{make([]byte, 5<<10)}}},
		"long chain":        {{Report: one.Report, Chain: make([][]byte, 7)}},
	} {
		if _, err := gpu.Encode(devices); !errors.Is(err, gpu.ErrTooMuch) {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

func make17(d gpu.Device) []gpu.Device {
	var all []gpu.Device
	for range 17 {
		all = append(all, d)
	}
	return all
}

func TestMeasuredMode(t *testing.T) {
	a, b := [32]byte{1}, [32]byte{2}
	for _, m := range []gpu.CCMode{gpu.CCOff, gpu.CCOn, gpu.CCDevTools} {
		payload := gpu.Measurement(m, [][32]byte{a, b})
		if got := gpu.MeasuredMode(payload, [][32]byte{b, a}); got != m {
			t.Errorf("got %s, want %s", got, m)
		}
		for name, devices := range map[string][][32]byte{"one of two": {a}, "none": nil, "one more": {a, b, {3}}, "twice": {a, a}} {
			if got := gpu.MeasuredMode(payload, devices); got != 0 {
				t.Errorf("%s: %s", name, got)
			}
		}
	}
	if got := gpu.MeasuredMode(nil, [][32]byte{a}); got != 0 {
		t.Errorf("nothing measured: %s", got)
	}
}

// Truncated evidence, and evidence with extreme lengths, is refused and costs
// little memory.
func TestMalformedEvidence(t *testing.T) {
	l := newLab(t, gpusim.Options{})
	good := l.evidence(t)
	step := stride(t, 5)
	try := func(b []byte) {
		if _, err := l.appraise(b); err == nil {
			t.Fatalf("accepted %d bytes", len(b))
		}
	}
	for n := 0; n < len(good); n += step {
		try(good[:n])
	}
	report := len([]byte{1, 1, 0, 0})
	for at := range report + 37 + 8 {
		for _, v := range []byte{0, 1, 0x7f, 0x80, 0xff} {
			if good[at] != v {
				bad := bytes.Clone(good)
				bad[at] = v
				try(bad)
			}
		}
	}
}

func TestAllocationIsBounded(t *testing.T) {
	l := newLab(t, gpusim.Options{})
	good := l.evidence(t)
	hostile := bytes.Clone(good)
	hostile[1] = gpu.MaxDevices // of which one is there
	document, err := l.manufacturer.RIM("NV_GPU_VBIOS_1010_0200_882_96009F0001")
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		run   func()
		limit uint64
	}{
		"devices that are not there": {func() { _, _ = l.appraise(hostile) }, 64 << 10},
		"one good device":            {func() { _, _ = l.appraise(good) }, 1 << 20},
		"deep document":              {func() { _ = gpu.CheckRIM(bytes.Repeat([]byte("<a>"), 20000)) }, 256 << 10},
		"wide document":              {func() { _ = gpu.CheckRIM(append([]byte("<a>"), bytes.Repeat([]byte("<a/>"), 16000)...)) }, 256 << 10},
		"document":                   {func() { _ = gpu.CheckRIM(document) }, 512 << 10},
	} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		c.run()
		runtime.ReadMemStats(&after)
		if got := after.TotalAlloc - before.TotalAlloc; got > c.limit {
			t.Errorf("%s: %d bytes, limit %d", name, got, c.limit)
		}
	}
}
