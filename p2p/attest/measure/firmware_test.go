package measure_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"testing"

	"github.com/tussah-network/tussah/p2p/attest/measure"
)

func TestParseFirmware(t *testing.T) {
	f, err := measure.ParseFirmware(syntheticFirmware())
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"boot volume", "configuration volume", "temporary memory", "temporary memory", "hand-off block", "temporary memory", "permanent memory"}
	if len(f.Sections) != len(want) {
		t.Fatalf("got %v", f.Sections)
	}
	for i, s := range f.Sections {
		if s.Kind.String() != want[i] {
			t.Errorf("section %d: got %v, want %s", i, s.Kind, want[i])
		}
	}
	if s := f.Sections[0]; s.Address != 0xffffd000 || s.Size != 0x3000 || s.Attributes != measure.Measured {
		t.Errorf("got %+v", s)
	}
}

func TestFirmwareRefusals(t *testing.T) {
	const end, descriptor = 0x5000, 0x4000
	le := binary.LittleEndian
	section := func(i, field int) int { return descriptor + 16 + 32*i + field }
	for name, change := range map[string]func([]byte) []byte{
		"short":                  func(b []byte) []byte { return b[len(b)-49:] },
		"large":                  func(b []byte) []byte { return append(make([]byte, 16<<20), b...) },
		"no table":               func(b []byte) []byte { b[end-33]++; return b },
		"table too short":        func(b []byte) []byte { le.PutUint16(b[end-50:], 17); return b },
		"table too long":         func(b []byte) []byte { le.PutUint16(b[end-50:], 0xffff); return b },
		"entry too short":        func(b []byte) []byte { le.PutUint16(b[end-50-18:], 0); return b },
		"entry too long":         func(b []byte) []byte { le.PutUint16(b[end-50-18:], 0x100); return b },
		"no entry for TDX":       func(b []byte) []byte { b[end-50-28-1]++; return b },
		"offset of another size": func(b []byte) []byte { le.PutUint16(b[end-50-28-18:], 21); return b },
		"offset before the file": func(b []byte) []byte { le.PutUint32(b[end-50-28-22:], end+1); return b },
		"offset at the end":      func(b []byte) []byte { le.PutUint32(b[end-50-28-22:], 15); return b },
		"descriptor's signature": func(b []byte) []byte { b[descriptor]++; return b },
		"descriptor's length":    func(b []byte) []byte { b[descriptor+4]++; return b },
		"descriptor's version":   func(b []byte) []byte { b[descriptor+8]++; return b },
		"no sections":            func(b []byte) []byte { le.PutUint32(b[descriptor+4:], 16); b[descriptor+12] = 0; return b },
		"too many sections":      func(b []byte) []byte { le.PutUint32(b[descriptor+12:], 1<<31); return b },
		"sections beyond the end": func(b []byte) []byte {
			le.PutUint32(b[end-50-28-22:], 100)
			copy(b[end-100:], b[descriptor:descriptor+16])
			return b
		},
		"unknown kind":            func(b []byte) []byte { b[section(2, 24)] = 5; return b },
		"unknown attribute":       func(b []byte) []byte { b[section(2, 28)] = 4; return b },
		"measured and not added":  func(b []byte) []byte { b[section(0, 28)] = 3; return b },
		"odd address":             func(b []byte) []byte { b[section(2, 8)] = 1; return b },
		"odd size":                func(b []byte) []byte { b[section(2, 16)] = 1; return b },
		"no size":                 func(b []byte) []byte { le.PutUint64(b[section(2, 16):], 0); return b },
		"huge size":               func(b []byte) []byte { le.PutUint64(b[section(6, 16):], 1<<40); return b },
		"huge address":            func(b []byte) []byte { le.PutUint64(b[section(6, 8):], 1<<63); return b },
		"large together":          func(b []byte) []byte { le.PutUint64(b[section(6, 16):], 64<<20); return b },
		"content beyond the file": func(b []byte) []byte { le.PutUint32(b[section(0, 0):], 0x2001); return b },
		"content of another size": func(b []byte) []byte { le.PutUint32(b[section(0, 4):], 0x1000); return b },
		"content for a stack":     func(b []byte) []byte { le.PutUint32(b[section(2, 4):], 0x1000); return b },
		"overlap":                 func(b []byte) []byte { le.PutUint64(b[section(6, 8):], 0x809000); return b },
		"two hand-off blocks":     func(b []byte) []byte { b[section(2, 24)] = 2; return b },
		"no hand-off block":       func(b []byte) []byte { b[section(4, 24)] = 3; return b },
	} {
		t.Run(name, func(t *testing.T) {
			if f, err := measure.ParseFirmware(change(syntheticFirmware())); !errors.Is(err, measure.ErrFirmware) || f != nil {
				t.Errorf("got %v", err)
			}
		})
	}
}

func TestKernelRefusals(t *testing.T) {
	le := binary.LittleEndian
	for name, change := range map[string]func([]byte) []byte{
		"short":                      func(b []byte) []byte { return b[:0x267] },
		"no Linux header":            func(b []byte) []byte { b[0x202] = 'h'; return b },
		"old boot protocol":          func(b []byte) []byte { b[0x206] = 0x0b; return b },
		"unknown boot protocol":      func(b []byte) []byte { b[0x207] = 3; return b },
		"no EFI image":               func(b []byte) []byte { b[0] = 0; return b },
		"PE header beyond its end":   func(b []byte) []byte { le.PutUint32(b[0x3c:], 0xffff_ffff); return b },
		"no PE header":               func(b []byte) []byte { b[0x40] = 0; return b },
		"32 bits":                    func(b []byte) []byte { le.PutUint16(b[0x58:], 0x10b); return b },
		"no entry for signatures":    func(b []byte) []byte { le.PutUint32(b[0x58+108:], 4); return b },
		"too many entries":           func(b []byte) []byte { le.PutUint32(b[0x58+108:], 17); return b },
		"entries beyond the header":  func(b []byte) []byte { le.PutUint16(b[0x54:], 120); return b },
		"no sections":                func(b []byte) []byte { le.PutUint16(b[0x46:], 0); return b },
		"sections beyond the header": func(b []byte) []byte { le.PutUint16(b[0x46:], 30); return b },
		"header beyond the end":      func(b []byte) []byte { le.PutUint32(b[0x58+60:], 0xe61); return b },
		"overlap":                    func(b []byte) []byte { le.PutUint32(b[0x58+160+20:], 0x7ff); return b },
		"section in the header":      func(b []byte) []byte { le.PutUint32(b[0x58+200+20:], 0x3ff); return b },
		"section beyond the end":     func(b []byte) []byte { le.PutUint32(b[0x58+160+16:], 0xffff_ffff); return b },
		"signatures elsewhere":       func(b []byte) []byte { le.PutUint32(b[0x58+144:], 0xe3f); return b },
		"signatures in a section":    func(b []byte) []byte { le.PutUint32(b[0x58+144:], 0xd00); le.PutUint32(b[0x58+148:], 0x160); return b },
	} {
		t.Run(name, func(t *testing.T) {
			image := syntheticImage()
			image.Kernel = change(image.Kernel)
			if m, err := measure.Predict(image); !errors.Is(err, measure.ErrKernel) || m != nil {
				t.Errorf("got %v", err)
			}
		})
	}
}

func FuzzParseFirmware(f *testing.F) {
	f.Add(syntheticFirmware()[0x4000:])
	front := syntheticFirmware()[:0x4000]
	f.Fuzz(func(t *testing.T, tail []byte) {
		parsed, err := measure.ParseFirmware(append(bytes.Clone(front), tail...))
		if err != nil {
			return
		}
		image := syntheticImage()
		image.Firmware = append(bytes.Clone(front), tail...)
		m, err := measure.Predict(image)
		if err == nil && m.MRTD != parsed.MRTD(false) {
			t.Error("another MRTD")
		}
	})
}

func FuzzKernel(f *testing.F) {
	f.Add(syntheticKernel())
	f.Fuzz(func(t *testing.T, kernel []byte) {
		image := syntheticImage()
		image.Kernel = kernel
		before := bytes.Clone(kernel)
		measure.Predict(image)
		if !bytes.Equal(before, kernel) {
			t.Error("the kernel that was given has changed")
		}
	})
}
