package snp

import (
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/tussah-network/tussah/p2p/attest"
)

// Encode puts a report and its chip's certificate (VCEK or VLEK, DER) into the
// one encoding of [attest.Evidence.Report] that a [Verifier] reads: the report's
// 1184 bytes, the certificate's length (u32, big-endian), the certificate. It
// verifies nothing but sizes.
//
// Errors: [attest.ErrFormat], [attest.ErrSize].
func Encode(report, certificate []byte) ([]byte, error) {
	if len(report) != reportSize || len(certificate) == 0 {
		return nil, fmt.Errorf("%w: report of %d bytes, certificate of %d", attest.ErrFormat, len(report), len(certificate))
	}
	size := reportSize + 4 + len(certificate)
	if size > attest.MaxReport {
		return nil, fmt.Errorf("%w: %d bytes", attest.ErrSize, size)
	}
	b := append(make([]byte, 0, size), report...)
	b = binary.BigEndian.AppendUint32(b, uint32(len(certificate)))
	return append(b, certificate...), nil
}

// split undoes Encode. What it returns aliases raw.
func split(raw []byte) (report, []byte, error) {
	if len(raw) <= reportSize+4 {
		return nil, nil, errors.New("shorter than a report and a certificate")
	}
	certificate := raw[reportSize+4:]
	if n := binary.BigEndian.Uint32(raw[reportSize:]); uint64(n) != uint64(len(certificate)) {
		return nil, nil, fmt.Errorf("certificate of %d bytes is said to have %d", len(certificate), n)
	}
	return raw[:reportSize:reportSize], certificate, nil
}
