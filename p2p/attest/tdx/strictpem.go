package tdx

import (
	"bytes"
	"encoding/base64"
	"errors"
)

var (
	pemBegin = []byte("-----BEGIN CERTIFICATE-----\n")
	pemEnd   = []byte("-----END CERTIFICATE-----\n")
	strict64 = base64.StdEncoding.Strict()

	errPEM = errors.New("not in canonical PEM")
)

const pemLine = 64

// strictPEM reads one certificate exactly as [encoding/pem] would write it, and
// returns what follows. A lenient reader skips what it does not understand; here
// a certificate has one encoding.
func strictPEM(text []byte) (der, rest []byte, err error) {
	text, ok := bytes.CutPrefix(text, pemBegin)
	end := bytes.Index(text, pemEnd)
	if !ok || end <= 0 {
		return nil, nil, errPEM
	}
	lines, rest := text[:end], text[end+len(pemEnd):]
	digits := make([]byte, 0, len(lines))
	for len(lines) > 0 {
		n := min(pemLine, len(lines)-1)
		if n == 0 || lines[n] != '\n' {
			return nil, nil, errPEM
		}
		digits, lines = append(digits, lines[:n]...), lines[n+1:]
	}
	der = make([]byte, strict64.DecodedLen(len(digits)))
	n, err := strict64.Decode(der, digits)
	// The decoder passes over line ends; then there are fewer bytes than digits say.
	if err != nil || strict64.EncodedLen(n) != len(digits) {
		return nil, nil, errPEM
	}
	return der[:n:n], rest, nil
}
