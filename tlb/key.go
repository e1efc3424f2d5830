package tlb

import (
	"bytes"
	"crypto/ed25519"
	"encoding/hex"
	"errors"
	"fmt"
)

var (
	// ErrWeakKey says that a public key is one under which signatures prove nothing; see [WeakKey].
	ErrWeakKey = errors.New("weak Ed25519 key")
	// ErrBadSignature says that a signature does not verify.
	ErrBadSignature = errors.New("signature does not verify")
	// ErrPrivateKey says that a private key has the wrong length.
	ErrPrivateKey = errors.New("not an Ed25519 private key")
)

// smallOrderY lists the y coordinates (little-endian, sign bit clear) of the eight points whose
// order divides eight. Two of them have x = 0, so that their sign bit is meaningless; the others
// come with either sign.
var smallOrderY = [][]byte{
	mustHex("0000000000000000000000000000000000000000000000000000000000000000"), // order 4
	mustHex("0100000000000000000000000000000000000000000000000000000000000000"), // the identity
	mustHex("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05"), // order 8
	mustHex("c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a"), // order 8
	mustHex("ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"), // order 2
}

// fieldPrime is 2^255 − 19, little-endian.
var fieldPrime = mustHex("edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f")

func mustHex(s string) []byte {
	b, err := hex.DecodeString(s)
	if err != nil {
		panic("tlb: internal error: " + err.Error())
	}
	return b
}

// WeakKey reports whether pub must not be accepted as an Ed25519 public key: it has the wrong
// length, or its point has small order, so that anybody can make signatures that verify, or its y
// coordinate is not reduced, so that one key would have two encodings and verifiers may disagree.
func WeakKey(pub []byte) bool {
	if len(pub) != ed25519.PublicKeySize {
		return true
	}
	y := bytes.Clone(pub)
	y[31] &= 0x7f // the top bit is the sign of x
	if !lessLittleEndian(y, fieldPrime) {
		return true
	}
	for _, small := range smallOrderY {
		if bytes.Equal(y, small) {
			return true
		}
	}
	return false
}

func lessLittleEndian(a, b []byte) bool {
	for i := len(a) - 1; i >= 0; i-- {
		if a[i] != b[i] {
			return a[i] < b[i]
		}
	}
	return false
}

// sign signs the hash of one of our cells.
func sign(hash [32]byte, key ed25519.PrivateKey) (sig [64]byte, err error) {
	if len(key) != ed25519.PrivateKeySize {
		return sig, ErrPrivateKey
	}
	return [64]byte(ed25519.Sign(key, hash[:])), nil
}

// verify checks a signature over the hash of one of our cells.
func verify(hash [32]byte, pub ed25519.PublicKey, sig [64]byte) error {
	if WeakKey(pub) {
		return fmt.Errorf("public key %x: %w", []byte(pub), ErrWeakKey)
	}
	if !ed25519.Verify(pub, hash[:], sig[:]) {
		return ErrBadSignature
	}
	return nil
}
