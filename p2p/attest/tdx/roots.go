package tdx

import (
	"crypto/ecdsa"
	"crypto/sha512"
	"crypto/x509"
	"encoding/hex"
	"slices"
)

// IntelRootKeyID identifies the key of Intel's SGX Root CA: SHA-384 of its
// uncompressed point. A root with any other key is simulated, whatever its
// certificate says.
const IntelRootKeyID = "46e403bd34f05a3f2817ab9badcaacc7ffc98e0f261008cd30dae936cace18d5dcf58eef31463613de1570d516200993"

// RootKeyID is SHA-384 of the uncompressed point of a root's P-256 key, and
// false for a key of another kind.
func RootKeyID(root *x509.Certificate) (id [48]byte, ok bool) {
	key, isECDSA := root.PublicKey.(*ecdsa.PublicKey)
	if !isECDSA {
		return id, false
	}
	point, err := key.Bytes()
	if err != nil {
		return id, false
	}
	return sha512.Sum384(point), true
}

// genuine tells whether a root is the manufacturer's.
func genuine(root *x509.Certificate) bool {
	id, ok := RootKeyID(root)
	return ok && hex.EncodeToString(id[:]) == IntelRootKeyID
}

// trusted tells whether a root is the manufacturer's, as its key and its own
// signature show, or byte for byte one of these.
func trusted(root *x509.Certificate, roots []*x509.Certificate) bool {
	return genuine(root) && root.CheckSignatureFrom(root) == nil ||
		slices.ContainsFunc(roots, func(r *x509.Certificate) bool { return r != nil && r.Equal(root) })
}
