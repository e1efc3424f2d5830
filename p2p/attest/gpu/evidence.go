package gpu

import (
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
)

// Device is the evidence of one GPU.
type Device struct {
	// Report is the SPDM request for measurements and the device's response to it,
	// concatenated as they were on the bus.
	Report []byte
	// Chain is DER, the key that signed the report first, the root last.
	Chain [][]byte
}

// Bounds of evidence. Real devices have reports of 4.1 to 4.3 KB and five
// certificates of 500 to 900 bytes.
const (
	MaxDevices      = 16 // of one machine
	MaxEvidence     = 256 << 10
	maxReport       = 8 << 10
	maxCertificates = 6
	maxCertificate  = 4 << 10
)

// encodingVersion starts encoded evidence.
const encodingVersion = 1

// ErrTooMuch is returned by [Encode] for what [Decode] would not accept.
var ErrTooMuch = errors.New("gpu: evidence has no encoding")

// Encode writes the evidence of a machine's devices, in their order:
//
//	version u8 = 1, devices u8,
//	each: report u16 ‖ bytes, certificates u8, each: u16 ‖ bytes
//
// Numbers are big-endian. There is no other encoding of the same evidence.
func Encode(devices []Device) ([]byte, error) {
	if len(devices) == 0 || len(devices) > MaxDevices {
		return nil, fmt.Errorf("%w: %d devices", ErrTooMuch, len(devices))
	}
	b := []byte{encodingVersion, byte(len(devices))}
	for i, d := range devices {
		if len(d.Report) == 0 || len(d.Report) > maxReport || len(d.Chain) == 0 || len(d.Chain) > maxCertificates {
			return nil, fmt.Errorf("%w: device %d: report of %d bytes, %d certificates", ErrTooMuch, i, len(d.Report), len(d.Chain))
		}
		b = append(binary.BigEndian.AppendUint16(b, uint16(len(d.Report))), d.Report...)
		b = append(b, byte(len(d.Chain)))
		for _, c := range d.Chain {
			if len(c) == 0 || len(c) > maxCertificate {
				return nil, fmt.Errorf("%w: device %d: certificate of %d bytes", ErrTooMuch, i, len(c))
			}
			b = append(binary.BigEndian.AppendUint16(b, uint16(len(c))), c...)
		}
	}
	if len(b) > MaxEvidence {
		return nil, fmt.Errorf("%w: %d bytes", ErrTooMuch, len(b))
	}
	return b, nil
}

// Decode reads what [Encode] wrote. The devices alias b.
func Decode(b []byte) ([]Device, error) {
	r := reader{b}
	if v, ok := r.byte(); !ok || v != encodingVersion {
		return nil, errors.New("gpu: unknown version of encoding")
	}
	count, _ := r.byte()
	if count == 0 || count > MaxDevices {
		return nil, fmt.Errorf("gpu: %d devices", count)
	}
	devices := make([]Device, count)
	for i := range devices {
		d := &devices[i]
		var ok bool
		if d.Report, ok = r.field(maxReport); !ok {
			return nil, fmt.Errorf("gpu: device %d: report", i)
		}
		certificates, _ := r.byte()
		if certificates == 0 || certificates > maxCertificates {
			return nil, fmt.Errorf("gpu: device %d: %d certificates", i, certificates)
		}
		d.Chain = make([][]byte, certificates)
		for j := range d.Chain {
			if d.Chain[j], ok = r.field(maxCertificate); !ok {
				return nil, fmt.Errorf("gpu: device %d: certificate %d", i, j)
			}
		}
	}
	if len(r.rest) != 0 {
		return nil, fmt.Errorf("gpu: %d bytes too many", len(r.rest))
	}
	return devices, nil
}

// Digest identifies encoded evidence. It is a field of what the machine's own
// evidence is bound to, so that nobody can pair one machine's quote with another
// machine's GPUs.
func Digest(encoded []byte) [32]byte { return sha256.Sum256(encoded) }

// Nonce is what a device is asked to sign: the TLS key of the machine it serves
// (SHA-256 of its SPKI), the far side's nonce and the exporter of the channel
// between them.
func Nonce(spkiHash, verifierNonce, exporter [32]byte) [32]byte {
	h := sha256.New()
	h.Write([]byte("tussah/gpu/v1"))
	h.Write(spkiHash[:])
	h.Write(verifierNonce[:])
	h.Write(exporter[:])
	return [32]byte(h.Sum(nil))
}

// reader takes fields off bytes. After a field that is not there it stays empty.
type reader struct{ rest []byte }

func (r *reader) bytes(n int) ([]byte, bool) {
	if n > len(r.rest) {
		r.rest = nil
		return nil, false
	}
	b := r.rest[:n:n]
	r.rest = r.rest[n:]
	return b, true
}

func (r *reader) byte() (byte, bool) {
	b, ok := r.bytes(1)
	if !ok {
		return 0, false
	}
	return b[0], true
}

// field reads a length of two bytes and that many bytes, at least one.
func (r *reader) field(limit int) ([]byte, bool) {
	b, ok := r.bytes(2)
	if !ok {
		return nil, false
	}
	n := int(binary.BigEndian.Uint16(b))
	if n == 0 || n > limit {
		return nil, false
	}
	return r.bytes(n)
}
