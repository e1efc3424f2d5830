package gpu_test

import (
	"bytes"
	"testing"

	"github.com/tussah-network/tussah/p2p/attest/gpu"
	"github.com/tussah-network/tussah/p2p/attest/gpu/gpusim"
)

// What decodes, encodes to the same bytes.
func FuzzDecode(f *testing.F) {
	l := newLab(f, gpusim.Options{})
	f.Add(l.evidence(f))
	f.Add([]byte{1, 1, 0, 1, 0, 1, 0, 1, 0})
	f.Fuzz(func(t *testing.T, b []byte) {
		devices, err := gpu.Decode(b)
		if err != nil {
			return
		}
		if len(b) > gpu.MaxEvidence {
			return // refused by size before
		}
		again, err := gpu.Encode(devices)
		if err != nil || !bytes.Equal(again, b) {
			t.Errorf("%v: got %x, want %x", err, again, b)
		}
	})
}

func FuzzReport(f *testing.F) {
	l := newLab(f, gpusim.Options{})
	d, err := l.gpu.Evidence(l.question.Nonce)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(d.Report)
	f.Fuzz(func(t *testing.T, b []byte) {
		_, _, _, _, _ = gpu.ReadReport(b)
	})
}

// What parses, has a canonical form that parses to itself.
func FuzzDocument(f *testing.F) {
	l := newLab(f, gpusim.Options{})
	b, err := l.manufacturer.RIM("NV_GPU_VBIOS_1010_0200_882_96009F0001")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(b)
	f.Add([]byte(`<a xmlns="b" xmlns:c="d" c:e="f" e="g"><c:h/>i</a>`))
	f.Fuzz(func(t *testing.T, b []byte) {
		_ = gpu.CheckRIM(b)
		once, err := gpu.Canonical(b)
		if err != nil {
			return
		}
		twice, err := gpu.Canonical(once)
		if err != nil && len(once) <= 64<<10 || err == nil && !bytes.Equal(once, twice) {
			t.Errorf("%q is not canonical: %v", once, err)
		}
	})
}
