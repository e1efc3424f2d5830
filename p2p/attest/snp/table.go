package snp

import (
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/tussah-network/tussah/p2p/attest"
)

// maxTable bounds the certificates that a host hands to its guests: five at most.
const maxTable = 64 << 10

// Entries of a host's certificate table (SEV-ES GHCB specification, section
// 4.1.8.1): a GUID of 16 bytes, offset and length as little-endian u32. An entry
// of zeros ends the table; certificates follow it.
const entrySize = 24

var (
	guidVCEK = [16]byte{0x63, 0xda, 0x75, 0x8d, 0xe6, 0x64, 0x45, 0x64, 0xad, 0xc5, 0xf4, 0xb9, 0x3b, 0xe8, 0xac, 0xcd}
	guidVLEK = [16]byte{0xa8, 0x07, 0x4b, 0xc2, 0xa2, 0x5a, 0x48, 0x3e, 0xaa, 0xe6, 0x39, 0xc0, 0x45, 0xa0, 0xb8, 0xa1}
)

// Canonical brings a report and the certificate table that came with it into the
// encoding of [Encode]: with the certificate of the key that signed the report.
// It verifies nothing.
//
// Errors: [attest.ErrFormat], also if the host did not provide the certificate.
func Canonical(r, certificates []byte) ([]byte, error) {
	if len(r) != reportSize || len(certificates) > maxTable {
		return nil, fmt.Errorf("%w: report of %d bytes, certificates of %d", attest.ErrFormat, len(r), len(certificates))
	}
	guid := guidVCEK
	if report(r).signingKey() == signerKeyVLEK {
		guid = guidVLEK
	}
	certificate, err := fromTable(certificates, guid)
	if err != nil {
		return nil, fmt.Errorf("%w: the host's certificate table: %w", attest.ErrFormat, err)
	}
	return Encode(r, certificate)
}

func fromTable(table []byte, guid [16]byte) ([]byte, error) {
	for at := 0; at+entrySize <= len(table); at += entrySize {
		entry := table[at : at+entrySize]
		offset, length := binary.LittleEndian.Uint32(entry[16:]), binary.LittleEndian.Uint32(entry[20:])
		switch {
		case [entrySize]byte(entry) == [entrySize]byte{}:
			return nil, errors.New("the chip's certificate is not in it; have the host load it (snphost import)")
		case [16]byte(entry[:16]) != guid:
			continue
		case uint64(offset)+uint64(length) > uint64(len(table)):
			return nil, errors.New("an entry reaches beyond its end")
		}
		return table[offset : offset+length], nil
	}
	return nil, errors.New("it has no end, or is empty; have the host load the chip's certificate (snphost import)")
}
