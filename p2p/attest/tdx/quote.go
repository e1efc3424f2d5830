package tdx

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/pem"
	"errors"
	"fmt"

	"github.com/tussah-network/tussah/p2p/attest"
)

// Layout of a quote, all integers little-endian:
//
//	header            48   version u16, key type u16, TEE type u32, 4 unused, vendor 16, user data 20
//	[type u16, size u32]   version 5 only: which body follows
//	body       584 / 648   the TD report (648: TDX 1.5, version 5 only)
//	size u32               of all that follows:
//	  signature       64   over everything before size, by the attestation key
//	  attestation key 64   P-256 point, X ‖ Y
//	  6 u16, size u32      certification data of type 6:
//	    QE report    384   report of the quoting enclave
//	    signature     64   over the QE report, by the PCK
//	    size u16, auth data
//	    5 u16, size u32    certification data of type 5:
//	      three PEM certificates: PCK, its CA, root
const (
	headerSize = 48
	body10Size = 584
	body15Size = 648
	qeSize     = 384

	keyTypeP256    = 2
	teeTDX         = 0x81
	body10, body15 = 2, 3
	certQE         = 6
	certPEM        = 5

	// A quoting enclave puts 32 bytes here; the bound keeps quotes comparable in cost.
	maxAuth = 1024
)

// intelQE is the vendor id in the header of quotes made by Intel's quoting enclave.
var intelQE = [16]byte{0x93, 0x9a, 0x72, 0x33, 0xf7, 0x9c, 0x4c, 0xa9, 0x94, 0x0a, 0x0d, 0xb3, 0x95, 0x7f, 0x06, 0x07}

// quote is a parsed quote. Its slices alias the parsed bytes.
type quote struct {
	signed    []byte // header, body descriptor, body: what the signature covers
	body      report
	signature []byte
	key       []byte
	qe        qeReport
	qeSig     []byte
	auth      []byte
	chain     [3][]byte // DER: PCK, its CA, root
}

// report is a TD report, 584 or 648 bytes.
type report []byte

func (r report) svn() []byte            { return r[0:16] }
func (r report) seam() []byte           { return r[16:64] }
func (r report) signerSEAM() []byte     { return r[64:112] }
func (r report) attributesSEAM() []byte { return r[112:120] }
func (r report) attributes() uint64     { return binary.LittleEndian.Uint64(r[120:]) }
func (r report) xfam() uint64           { return binary.LittleEndian.Uint64(r[128:]) }
func (r report) data() []byte           { return r[520:584] }

func (r report) registers() Registers {
	at := func(off int) Register { return Register(r[off : off+48]) }
	return Registers{
		MRTD: at(136), MRConfigID: at(184), MROwner: at(232), MROwnerConfig: at(280),
		RTMR: [4]Register{at(328), at(376), at(424), at(472)},
	}
}

func (r report) image() [32]byte { return r.registers().Image(r.attributes(), r.xfam()) }

// current and serviceTD exist in TDX 1.5 reports only; ok tells.
func (r report) current() (svn []byte, ok bool) {
	if len(r) != body15Size {
		return nil, false
	}
	return r[584:600], true
}

func (r report) serviceTD() (measurement []byte, ok bool) {
	if len(r) != body15Size {
		return nil, false
	}
	return r[600:648], true
}

// qeReport is the 384-byte report of the quoting enclave.
type qeReport []byte

func (r qeReport) miscSelect() uint32 { return binary.LittleEndian.Uint32(r[16:]) }
func (r qeReport) flags() uint64      { return binary.LittleEndian.Uint64(r[48:]) }
func (r qeReport) enclave() []byte    { return r[64:96] }
func (r qeReport) signer() []byte     { return r[128:160] }
func (r qeReport) product() uint16    { return binary.LittleEndian.Uint16(r[256:]) }
func (r qeReport) version() uint16    { return binary.LittleEndian.Uint16(r[258:]) }
func (r qeReport) data() []byte       { return r[320:384] }

// checkKind looks at the fixed part of the header, so that a quote of another
// kind is told apart from a broken one.
func checkKind(raw []byte) error {
	if len(raw) < headerSize {
		return errors.New("shorter than a header")
	}
	version := binary.LittleEndian.Uint16(raw)
	keyType := binary.LittleEndian.Uint16(raw[2:])
	tee := binary.LittleEndian.Uint32(raw[4:])
	switch {
	case version != 4 && version != 5:
		return fmt.Errorf("version %d", version)
	case keyType != keyTypeP256:
		return fmt.Errorf("attestation key type %d", keyType)
	case tee != teeTDX:
		return fmt.Errorf("TEE type %#x", tee)
	case [16]byte(raw[12:28]) != intelQE:
		return fmt.Errorf("quoting enclave vendor %x", raw[12:28])
	}
	return nil
}

// parse reads a quote of a known kind. It tolerates the paddings that real
// quotes have; [parseStrict] does not.
func parse(raw []byte) (quote, error) {
	q, certificates, _, err := parseFrame(raw)
	if err != nil {
		return quote{}, err
	}
	for i := range q.chain {
		block, rest := pem.Decode(certificates)
		if block == nil {
			return quote{}, fmt.Errorf("%d certificates instead of 3", i)
		}
		q.chain[i], certificates = block.Bytes, rest
	}
	if len(bytes.Trim(certificates, "\x00\n")) != 0 {
		return quote{}, errors.New("bytes after the third certificate")
	}
	return q, nil
}

// parseStrict accepts exactly the bytes that [quote.encode] would produce.
func parseStrict(raw []byte) (quote, error) {
	q, certificates, padding, err := parseFrame(raw)
	if err != nil {
		return quote{}, err
	}
	if padding != 0 {
		return quote{}, fmt.Errorf("%d bytes of padding", padding)
	}
	for i := range q.chain {
		if q.chain[i], certificates, err = strictPEM(certificates); err != nil {
			return quote{}, fmt.Errorf("certificate %d: %w", i+1, err)
		}
	}
	if len(certificates) != 0 {
		return quote{}, errors.New("bytes after the third certificate")
	}
	return q, nil
}

// parseFrame reads all of a quote but its certificates, and tells how many bytes
// come after it.
func parseFrame(raw []byte) (q quote, certificates []byte, padding int, err error) {
	bodySize := body10Size
	descriptor := 0
	if binary.LittleEndian.Uint16(raw) == 5 {
		if len(raw) < headerSize+6 {
			return quote{}, nil, 0, errShort
		}
		descriptor = 6
		kind := binary.LittleEndian.Uint16(raw[headerSize:])
		size := binary.LittleEndian.Uint32(raw[headerSize+2:])
		switch {
		case kind == body10 && size == body10Size:
		case kind == body15 && size == body15Size:
			bodySize = body15Size
		default:
			return quote{}, nil, 0, fmt.Errorf("body of type %d and size %d", kind, size)
		}
	}

	c := cursor{rest: raw}
	q.signed = c.take(headerSize + descriptor + bodySize)
	size := c.u32()
	padding = len(c.rest) - int(min(uint64(size), uint64(len(c.rest))))
	c.enter(size) // what follows the signature data is padding
	q.signature = c.take(64)
	q.key = c.take(64)
	c.want(certQE)
	c.exactly(c.u32())
	q.qe = c.take(qeSize)
	q.qeSig = c.take(64)
	q.auth = c.take(int(c.u16()))
	c.want(certPEM)
	c.exactly(c.u32())
	switch {
	case c.err != nil:
		return quote{}, nil, 0, c.err
	case len(q.auth) > maxAuth:
		return quote{}, nil, 0, fmt.Errorf("%d bytes of authentication data", len(q.auth))
	}
	q.body = q.signed[headerSize+descriptor:]
	return q, c.rest, padding, nil
}

func (q quote) encode() []byte {
	var certificates []byte
	for _, der := range q.chain {
		certificates = append(certificates, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})...)
	}
	le := binary.LittleEndian
	certification := append(append([]byte(nil), q.qe...), q.qeSig...)
	certification = le.AppendUint16(certification, uint16(len(q.auth)))
	certification = append(certification, q.auth...)
	certification = le.AppendUint16(certification, certPEM)
	certification = le.AppendUint32(certification, uint32(len(certificates)))
	certification = append(certification, certificates...)

	raw := append([]byte(nil), q.signed...)
	raw = le.AppendUint32(raw, uint32(64+64+6+len(certification)))
	raw = append(append(raw, q.signature...), q.key...)
	raw = le.AppendUint16(raw, certQE)
	raw = le.AppendUint32(raw, uint32(len(certification)))
	return append(raw, certification...)
}

// evidence identifies what was signed: header, body and the PCK certificate.
// The signatures themselves can be altered without the key and stay valid, so
// they must not make a new identity.
func (q quote) evidence() [32]byte {
	h := sha256.New()
	h.Write(q.signed)
	h.Write(q.chain[0])
	return [32]byte(h.Sum(nil))
}

// Canonical brings a quote as hardware produces it into the one encoding that
// [Verifier.Appraise] accepts: no padding after the signature data, three PEM
// certificates and nothing around them. It verifies nothing.
func Canonical(raw []byte) ([]byte, error) {
	if len(raw) == 0 || len(raw) > attest.MaxReport {
		return nil, attest.ErrSize
	}
	if err := checkKind(raw); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrKind, err)
	}
	q, err := parse(raw)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", attest.ErrFormat, err)
	}
	canonical := q.encode()
	if len(canonical) > attest.MaxReport {
		return nil, attest.ErrSize
	}
	return canonical, nil
}
