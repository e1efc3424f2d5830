package attest

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/sha512"
	"crypto/x509"
	"slices"
)

// IntelRootKeyID identifies the key of Intel's SGX Root CA: SHA-384 of its
// uncompressed point. A root with any other key is simulated, whatever its
// certificate says.
const IntelRootKeyID = "46e403bd34f05a3f2817ab9badcaacc7ffc98e0f261008cd30dae936cace18d5dcf58eef31463613de1570d516200993"

// SimulatedOrganisation is the organisation in every certificate of a simulated
// TEE. It lets a node that never loaded that root still say what it refuses.
const SimulatedOrganisation = "Tussah simulated TEE (not hardware)"

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
	return ok && hexID(id) == IntelRootKeyID
}

// trusted tells whether root is, byte for byte, one of the policy's.
func (p Policy) trusted(root *x509.Certificate) bool {
	return slices.ContainsFunc(p.Roots, func(r *x509.Certificate) bool {
		return r != nil && bytes.Equal(r.Raw, root.Raw)
	})
}
