package gpu

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
)

// The report of a device is one exchange of SPDM 1.1 (DMTF DSP0274). All numbers
// are little-endian.
//
//	request   0 version 0x11, 1 code 0xe0, 2 attributes 1 (sign), 3 operation 0xff (all), 4 nonce [32], 36 slot
//	response  0 version 0x11, 1 code 0x60, 2 param 0, 3 slot, 4 blocks u8, 5 record length u24,
//	          8 record, nonce [32], opaque length u16, opaque, signature r ‖ s [96]
//	block     0 index (1…), 1 specification 1, 2 size u16 = 51, 4 type, 5 size u16 = 48, 7 SHA-384 [48]
const (
	requestSize   = 37
	headerSize    = 8
	blocks        = 64
	digestSize    = 48
	blockSize     = 7 + digestSize
	signatureSize = 96
	maxOpaque     = 2 << 10
)

type digest [digestSize]byte

// report is a parsed exchange. Its slices alias the evidence.
type report struct {
	nonce        [32]byte // of the request
	measurements [blocks]digest
	opaque       opaque
	signed       []byte // request and response without its signature
	signature    []byte // r ‖ s
}

// parseReport accepts what a device sends in answer to the one request there is.
func parseReport(b []byte) (*report, error) {
	const fixed = requestSize + headerSize + blocks*blockSize + 32 + 2 + signatureSize
	if len(b) < fixed || len(b) > fixed+maxOpaque {
		return nil, fmt.Errorf("%d bytes", len(b))
	}
	request, response := b[:requestSize], b[requestSize:]
	if !bytes.Equal(request[:4], []byte{0x11, 0xe0, 0x01, 0xff}) {
		return nil, fmt.Errorf("request %x", request[:4])
	}
	slot := request[36]
	if want := []byte{0x11, 0x60, 0x00, slot, blocks, blocks * blockSize & 0xff, blocks * blockSize >> 8, 0}; !bytes.Equal(response[:headerSize], want) {
		return nil, fmt.Errorf("response %x", response[:headerSize])
	}
	r := &report{nonce: [32]byte(request[4:36])}
	rest := response[headerSize:]
	for i := range blocks {
		block := rest[:blockSize]
		if !bytes.Equal(block[:4], []byte{byte(i + 1), 1, 3 + digestSize, 0}) || !bytes.Equal(block[5:7], []byte{digestSize, 0}) {
			return nil, fmt.Errorf("measurement %d: %x", i+1, block[:7])
		}
		r.measurements[i] = digest(block[7:])
		rest = rest[blockSize:]
	}
	rest = rest[32:] // the device's nonce: only its signature matters
	if n := int(binary.LittleEndian.Uint16(rest)); n != len(rest)-2-signatureSize {
		return nil, fmt.Errorf("opaque data of %d bytes with %d left", n, len(rest)-2)
	}
	var err error
	if r.opaque, err = parseOpaque(rest[2 : len(rest)-signatureSize]); err != nil {
		return nil, err
	}
	r.signed, r.signature = b[:len(b)-signatureSize], b[len(b)-signatureSize:]
	return r, nil
}

// opaqueID names a field of the opaque data. Those not named here are signed
// like all others, but nothing depends on them.
type opaqueID uint16

const (
	opaqueDriver     opaqueID = 3  // text
	opaqueVBIOS      opaqueID = 6  // version, see [vbiosVersion]
	opaqueNVDEC0     opaqueID = 11 // see [state]
	opaqueChipSKU    opaqueID = 15 // text
	opaqueProject    opaqueID = 17 // text
	opaqueProjectSKU opaqueID = 18 // text
	opaqueFWID       opaqueID = 20 // SHA-384 of the firmware
	opaquePPCIE      opaqueID = 21 // see [state]: protected PCIe
	opaqueVersion    opaqueID = 34 // of the opaque data
	opaqueChip       opaqueID = 35 // text
	opaqueFeature    opaqueID = 36 // 0 one GPU, 1 several, 2 protected PCIe
	opaqueLast                = opaqueFeature
)

// newestOpaque is the newest version of opaque data whose meaning is known.
const newestOpaque = 1

// opaque is the opaque data by id.
type opaque map[opaqueID][]byte

// parseOpaque reads entries of u16 id, u16 size, bytes. An id that is unknown or
// comes twice would have a meaning that nobody judged.
func parseOpaque(b []byte) (opaque, error) {
	all := make(opaque, 24)
	for len(b) > 0 {
		if len(b) < 4 {
			return nil, errors.New("opaque data: trailing bytes")
		}
		id, n := opaqueID(binary.LittleEndian.Uint16(b)), int(binary.LittleEndian.Uint16(b[2:]))
		if _, twice := all[id]; twice || id == 0 || id > opaqueLast {
			return nil, fmt.Errorf("opaque data: id %d", id)
		}
		if n > len(b)-4 {
			return nil, fmt.Errorf("opaque data: id %d has %d bytes of %d", id, n, len(b)-4)
		}
		all[id] = b[4 : 4+n]
		b = b[4+n:]
	}
	if v := all.number(opaqueVersion); v > newestOpaque {
		return nil, fmt.Errorf("opaque data: version %d", v)
	}
	return all, nil
}

// number reads a little-endian number of any size; absent is zero.
func (o opaque) number(id opaqueID) uint64 {
	b := o[id]
	if len(b) > 8 {
		return ^uint64(0)
	}
	var padded [8]byte
	copy(padded[:], b)
	return binary.LittleEndian.Uint64(padded[:])
}

// text reads letters and digits, dots allowed, zeros after them.
func (o opaque) text(id opaqueID) (string, error) {
	b := bytes.TrimRight(o[id], "\x00")
	if len(b) == 0 || len(b) > 32 {
		return "", fmt.Errorf("opaque data: id %d: %q", id, b)
	}
	for _, c := range b {
		if (c < '0' || c > '9') && (c < 'A' || c > 'Z') && c != '.' {
			return "", fmt.Errorf("opaque data: id %d: %q", id, b)
		}
	}
	return string(b), nil
}

// state reads a switch, which is one of two bytes that differ in all bits.
func (o opaque) state(id opaqueID) (on, ok bool) {
	switch b := o[id]; {
	case len(b) == 1 && b[0] == 0xaa:
		return true, true
	case len(b) == 1 && b[0] == 0x55:
		return false, true
	}
	return false, false
}
