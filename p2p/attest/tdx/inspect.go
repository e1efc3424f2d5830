package tdx

import (
	"crypto/x509"
	"fmt"

	"github.com/tussah-network/tussah/p2p/attest"
)

// PlatformOf reads what a canonical quote's platform certificate says. It
// verifies nothing.
func PlatformOf(report []byte) (Platform, error) {
	if err := checkKind(report); err != nil {
		return Platform{}, fmt.Errorf("%w: %w", ErrKind, err)
	}
	q, err := parseStrict(report)
	if err != nil {
		return Platform{}, fmt.Errorf("%w: %w", attest.ErrFormat, err)
	}
	pck, err := x509.ParseCertificate(q.chain[0])
	if err != nil {
		return Platform{}, fmt.Errorf("%w: %w", ErrCertificates, err)
	}
	p, err := parsePlatform(pck)
	if err != nil {
		return Platform{}, fmt.Errorf("%w: %w", ErrPCK, err)
	}
	return p, nil
}
