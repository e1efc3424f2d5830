package tdx

import (
	"crypto/x509"
	"encoding/asn1"
	"errors"
	"fmt"
	"time"
)

// revocations is a verified revocation list.
type revocations struct {
	number       uint64
	issued, next time.Time
	serials      map[string]struct{}
}

// Extensions a revocation list may have. In particular none that makes it
// partial or incremental: then its silence would mean nothing.
var (
	oidCRLNumber    = asn1.ObjectIdentifier{2, 5, 29, 20}
	oidAuthorityKey = asn1.ObjectIdentifier{2, 5, 29, 35}
)

// parseCRL reads a revocation list and verifies that issuer signed it.
func parseCRL(der []byte, issuer *x509.Certificate) (revocations, error) {
	if len(der) == 0 {
		return revocations{}, errors.New("absent")
	}
	list, err := x509.ParseRevocationList(der)
	if err != nil {
		return revocations{}, err
	}
	switch {
	case len(list.Raw) != len(der):
		return revocations{}, fmt.Errorf("%d bytes after the end", len(der)-len(list.Raw))
	case string(list.RawIssuer) != string(issuer.RawSubject):
		return revocations{}, fmt.Errorf("issued by %q", list.Issuer)
	case list.SignatureAlgorithm != x509.ECDSAWithSHA256:
		return revocations{}, fmt.Errorf("signed with %v", list.SignatureAlgorithm)
	case list.Number == nil || list.Number.Sign() < 0 || !list.Number.IsUint64():
		return revocations{}, errors.New("no number, or not one of 64 bits")
	case list.NextUpdate.IsZero():
		return revocations{}, errors.New("no date of the next one")
	}
	for _, e := range list.Extensions {
		if !e.Id.Equal(oidCRLNumber) && !e.Id.Equal(oidAuthorityKey) {
			return revocations{}, fmt.Errorf("extension %v", e.Id)
		}
	}
	if err := list.CheckSignatureFrom(issuer); err != nil {
		return revocations{}, err
	}
	r := revocations{number: list.Number.Uint64(), issued: list.ThisUpdate, next: list.NextUpdate,
		serials: make(map[string]struct{}, len(list.RevokedCertificateEntries))}
	for _, entry := range list.RevokedCertificateEntries {
		for _, e := range entry.Extensions {
			if e.Critical {
				return revocations{}, fmt.Errorf("entry with a critical extension %v", e.Id)
			}
		}
		r.serials[entry.SerialNumber.String()] = struct{}{}
	}
	return r, nil
}

func (r revocations) revokes(c *x509.Certificate) bool {
	_, yes := r.serials[c.SerialNumber.String()]
	return yes
}
