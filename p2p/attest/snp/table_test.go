package snp_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"testing"

	"github.com/tussah-network/tussah/p2p/attest"
	"github.com/tussah-network/tussah/p2p/attest/snp"
)

var (
	guidVCEK = []byte{0x63, 0xda, 0x75, 0x8d, 0xe6, 0x64, 0x45, 0x64, 0xad, 0xc5, 0xf4, 0xb9, 0x3b, 0xe8, 0xac, 0xcd}
	guidASK  = []byte{0x4a, 0xb7, 0xb3, 0x79, 0xbb, 0xac, 0x4f, 0xe4, 0xa0, 0x2f, 0x05, 0xae, 0xf3, 0x27, 0xc7, 0x82}
)

// table makes a certificate table of one entry and the end.
func table(guid, certificate []byte) []byte {
	b := append([]byte(nil), guid...)
	b = binary.LittleEndian.AppendUint32(b, 48)
	b = binary.LittleEndian.AppendUint32(b, uint32(len(certificate)))
	return append(append(b, make([]byte, 24)...), certificate...)
}

func TestCanonical(t *testing.T) {
	certificate := []byte("a certificate")
	report := make([]byte, 1184)
	got, err := snp.Canonical(report, table(guidVCEK, certificate))
	want, encodeErr := snp.Encode(report, certificate)
	if err != nil || encodeErr != nil || !bytes.Equal(got, want) {
		t.Errorf("got %x, %v, %v", got, err, encodeErr)
	}
	for name, c := range map[string]struct{ report, certificates []byte }{
		"short report":          {report[:1183], table(guidVCEK, certificate)},
		"no table":              {report, nil},
		"another certificate":   {report, table(guidASK, certificate)},
		"truncated":             {report, table(guidVCEK, certificate)[:50]},
		"more than a host has":  {report, make([]byte, 1<<20)},
		"length that overflows": {report, append(append(append([]byte(nil), guidVCEK...), 48, 0, 0, 0, 0xff, 0xff, 0xff, 0xff), make([]byte, 64)...)},
		"table without any end": {report, bytes.Repeat([]byte{0xff}, 4096)},
	} {
		if _, err := snp.Canonical(c.report, c.certificates); !errors.Is(err, attest.ErrFormat) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
