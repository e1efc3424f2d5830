package collateral

import (
	"bytes"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"time"

	"golang.org/x/crypto/ocsp"
)

// facts are what a document says about itself.
type facts struct {
	issued, expires time.Time // zero if it has no such date
	number          uint64
}

// factsOf reads them from a document of a kind that other packages verify, once
// they did.
func factsOf(n Name, body []byte) (facts, error) {
	switch n.kind {
	case KindAMDCRL:
		list, err := x509.ParseRevocationList(body)
		if err != nil {
			return facts{}, err
		}
		f := facts{issued: list.ThisUpdate, expires: list.NextUpdate}
		if list.Number != nil {
			if !list.Number.IsUint64() {
				return facts{}, errors.New("number of the list is out of bounds")
			}
			f.number = list.Number.Uint64()
		}
		return f, nil
	case KindVCEK, KindAMDChain:
		certificates, err := certificatesIn(body)
		if err != nil {
			return facts{}, err
		}
		f := facts{issued: certificates[0].NotBefore, expires: certificates[0].NotAfter}
		for _, c := range certificates[1:] {
			if c.NotAfter.Before(f.expires) {
				f.expires = c.NotAfter
			}
		}
		return f, nil
	case KindOCSP:
		answer, err := ocsp.ParseResponse(body, nil)
		if err != nil {
			return facts{}, err
		}
		return facts{issued: answer.ThisUpdate, expires: answer.NextUpdate}, nil
	}
	return facts{}, nil
}

// certificatesIn reads one certificate in DER, or any number in PEM.
func certificatesIn(body []byte) ([]*x509.Certificate, error) {
	der := body
	if bytes.HasPrefix(body, []byte("-----")) {
		der = nil
	}
	for block, rest := pem.Decode(body); block != nil; block, rest = pem.Decode(rest) {
		der = append(der, block.Bytes...)
	}
	certificates, err := x509.ParseCertificates(der)
	if err == nil && len(certificates) == 0 {
		return nil, errors.New("no certificates")
	}
	return certificates, err
}

// numbers are the marks of a document that other packages verify.
func (f facts) numbers(n Name) []mark {
	if n.kind != KindAMDCRL {
		return nil
	}
	return []mark{
		{"amd/" + markPart(n.key) + "/crl", f.number},
		{"amd/" + markPart(n.key) + "/crl/date", uint64(max(0, f.issued.Unix()))},
	}
}

// markPart is a product in the letters that marks are made of.
func markPart(product string) string { return fmt.Sprintf("%x", product) }
