package collateral

import (
	"bytes"
	"encoding/pem"
	"fmt"
	"net/url"
)

// parseChain reads the issuer's certificates as Intel's services send them in a
// header: two certificates in PEM, escaped as part of an address. The result is
// the same certificates in PEM's one usual form.
func parseChain(header string) ([]byte, error) {
	if len(header) > 3*maxChain {
		return nil, fmt.Errorf("%w: header has %d bytes", ErrChain, len(header))
	}
	// A plus sign stands for itself: it is one of base64's letters.
	text, err := url.PathUnescape(header)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrChain, err)
	}
	return canonicalChain([]byte(text))
}

// canonicalChain takes two certificates and nothing else, and returns them with
// lines of 64 characters.
func canonicalChain(text []byte) ([]byte, error) {
	if len(text) > maxChain {
		return nil, fmt.Errorf("%w: %d bytes", ErrChain, len(text))
	}
	var chain []byte
	count := 0
	for rest := bytes.TrimSpace(text); len(rest) > 0; count++ {
		if !bytes.HasPrefix(rest, []byte("-----BEGIN CERTIFICATE-----")) {
			return nil, fmt.Errorf("%w: there is something beside certificates", ErrChain)
		}
		block, after := pem.Decode(rest)
		if block == nil || block.Type != "CERTIFICATE" || len(block.Headers) != 0 || len(block.Bytes) == 0 {
			return nil, fmt.Errorf("%w: a certificate is not in PEM", ErrChain)
		}
		// A decoder that skips what it cannot read would hide it from us.
		if consumed := rest[:len(rest)-len(after)]; bytes.Count(consumed, []byte("-----BEGIN")) != 1 {
			return nil, fmt.Errorf("%w: a certificate is not in PEM", ErrChain)
		}
		chain = append(chain, pem.EncodeToMemory(block)...)
		rest = bytes.TrimSpace(after)
	}
	if count != 2 {
		return nil, fmt.Errorf("%w: %d certificates, want 2", ErrChain, count)
	}
	return chain, nil
}
