package ratls

import (
	"crypto/sha512"
	"encoding/binary"
)

// ReportData is what evidence in a certificate is bound to:
//
//	SHA-512("tussah/ratls/v1\0" ‖ lp(libp2p public key) ‖ lp(TLS SPKI))
//
// where lp(x) is the length of x as big-endian u32 and x, the libp2p key is in
// its protobuf form and the TLS key in its DER form.
func ReportData(libp2pKey, tlsKey []byte) [64]byte {
	b := []byte("tussah/ratls/v1\x00")
	for _, x := range [][]byte{libp2pKey, tlsKey} {
		b = binary.BigEndian.AppendUint32(b, uint32(len(x)))
		b = append(b, x...)
	}
	return sha512.Sum512(b)
}
