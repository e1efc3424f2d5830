package gpu

import (
	"crypto/ecdsa"
	"crypto/sha512"
	"math/big"
)

// verifyRaw checks a signature r ‖ s with ECDSA P-384 over SHA-384 of a message,
// as devices and signers of reference measurements make it.
func verifyRaw(key *ecdsa.PublicKey, message, signature []byte) bool {
	if len(signature) != signatureSize {
		return false
	}
	sum := sha512.Sum384(message)
	r, s := new(big.Int).SetBytes(signature[:48]), new(big.Int).SetBytes(signature[48:])
	return ecdsa.Verify(key, sum[:], r, s)
}
