package tdx

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
)

// Bounds of collateral. Real answers have about 5 KB, real lists about 10 KB.
const (
	maxCollateralJSON  = 64 << 10
	maxCollateralCRL   = 1 << 20
	maxCollateralChain = 16 << 10
)

const (
	tcbSignerName   = "Intel SGX TCB Signing"
	platformCAName  = "Intel SGX PCK Platform CA"
	processorCAName = "Intel SGX PCK Processor CA"
	rootName        = "Intel SGX Root CA"
	pckName         = "Intel SGX PCK Certificate"
)

// signers are those who signed collateral, under one root.
type signers struct {
	tcb, qe, ca, root *x509.Certificate
}

func (s signers) all() []*x509.Certificate { return []*x509.Certificate{s.tcb, s.qe, s.ca, s.root} }

// parseSigners takes the chains that came with collateral to one trusted root.
func parseSigners(c Collateral, roots []*x509.Certificate) (s signers, err error) {
	for _, part := range []struct {
		raw   []byte
		limit int
	}{{c.TCBInfo, maxCollateralJSON}, {c.QEIdentity, maxCollateralJSON}, {c.RootCRL, maxCollateralCRL}, {c.PCKCRL, maxCollateralCRL}} {
		if len(part.raw) > part.limit {
			return signers{}, fmt.Errorf("%w: %d bytes, at most %d", ErrCollateralForm, len(part.raw), part.limit)
		}
	}
	for _, chain := range []struct {
		pem     []byte
		to      **x509.Certificate
		profile func(*x509.Certificate) error
	}{
		{c.TCBInfoChain, &s.tcb, tcbSignerProfile},
		{c.QEIdentityChain, &s.qe, tcbSignerProfile},
		{c.PCKCRLChain, &s.ca, caProfile},
	} {
		signer, root, err := parseChain(chain.pem)
		if err != nil {
			return signers{}, fmt.Errorf("%w: %w", ErrCollateralForm, err)
		}
		if err := chain.profile(signer); err != nil {
			return signers{}, fmt.Errorf("%w: %w", ErrCollateralSigner, err)
		}
		if !trusted(root, roots) || (s.root != nil && !s.root.Equal(root)) {
			return signers{}, fmt.Errorf("%w: root %q is not trusted, or there are two", ErrCollateralSigner, root.Subject)
		}
		if err := profileOf(root, rootName); err != nil {
			return signers{}, fmt.Errorf("%w: %w", ErrCollateralSigner, err)
		}
		if !bytes.Equal(signer.RawIssuer, root.RawSubject) {
			return signers{}, fmt.Errorf("%w: issued by %q", ErrCollateralSigner, signer.Issuer)
		}
		if err := signer.CheckSignatureFrom(root); err != nil {
			return signers{}, fmt.Errorf("%w: %w", ErrCollateralSigner, err)
		}
		*chain.to, s.root = signer, root
	}
	return s, nil
}

// parseChain reads two certificates in PEM with nothing around them, but for the
// new line at the end.
func parseChain(raw []byte) (signer, root *x509.Certificate, err error) {
	if len(raw) > maxCollateralChain {
		return nil, nil, fmt.Errorf("chain of %d bytes", len(raw))
	}
	var canonical []byte
	var chain [2]*x509.Certificate
	rest := raw
	for i := range chain {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			return nil, nil, fmt.Errorf("chain of %d certificates instead of 2", i)
		}
		canonical = append(canonical, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: block.Bytes})...)
		if chain[i], err = x509.ParseCertificate(block.Bytes); err != nil {
			return nil, nil, fmt.Errorf("chain: %w", err)
		}
	}
	if !bytes.Equal(bytes.TrimSuffix(canonical, []byte("\n")), bytes.TrimSuffix(raw, []byte("\n"))) {
		return nil, nil, errors.New("chain has something around its two certificates")
	}
	return chain[0], chain[1], nil
}

func tcbSignerProfile(c *x509.Certificate) error {
	if err := profileOf(c, tcbSignerName); err != nil {
		return err
	}
	if c.IsCA || c.KeyUsage&x509.KeyUsageDigitalSignature == 0 {
		return errors.New("TCB signer is not a leaf for signatures")
	}
	return nil
}

// signedBody cuts the signed part out of an answer {"name":{…},"signature":"…"}
// and verifies it. An answer has this one form, so what is returned is what was
// signed, whatever else a lenient reader might find in the answer.
func signedBody(answer []byte, name string, signer *x509.Certificate) ([]byte, error) {
	const before, after, digits = `,"signature":"`, `"}`, 128
	rest, ok := bytes.CutPrefix(answer, []byte(`{"`+name+`":`))
	end := len(rest) - len(before) - digits - len(after)
	if !ok || end <= 0 {
		return nil, fmt.Errorf("%w: no %q and signature", ErrCollateralForm, name)
	}
	body, tail := rest[:end:end], rest[end:]
	digitsIn, ok := bytes.CutPrefix(tail, []byte(before))
	if !ok || !bytes.HasSuffix(digitsIn, []byte(after)) {
		return nil, fmt.Errorf("%w: no signature where it must be", ErrCollateralForm)
	}
	var signature [64]byte
	if _, err := hex.Decode(signature[:], digitsIn[:digits]); err != nil {
		return nil, fmt.Errorf("%w: signature: %w", ErrCollateralForm, err)
	}
	// The profile has established the key's type.
	if err := verify(signer.PublicKey.(*ecdsa.PublicKey), body, signature[:]); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrCollateralSignature, err)
	}
	return body, nil
}

// verify checks a raw r ‖ s signature over SHA-256 of the message.
func verify(key *ecdsa.PublicKey, message, signature []byte) error {
	digest := sha256.Sum256(message)
	r, s := new(big.Int).SetBytes(signature[:32]), new(big.Int).SetBytes(signature[32:])
	if !ecdsa.Verify(key, digest[:], r, s) {
		return errors.New("bad signature")
	}
	return nil
}
