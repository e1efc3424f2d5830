package ratls

import (
	"crypto/sha256"
	"crypto/sha512"
	"encoding/binary"

	"github.com/tussah-network/tussah/p2p/attest"
)

// ReportData is what evidence in a certificate (gate A) is bound to:
//
//	SHA-512("tussah/ratls/v1\0" ‖ lp(libp2p public key) ‖ lp(TLS SPKI))
//
// where lp(x) is the length of x as big-endian u32 and x, the libp2p key is in
// its protobuf form and the TLS key in its DER form.
func ReportData(libp2pKey, tlsKey []byte) [64]byte {
	b := []byte("tussah/ratls/v1\x00")
	b = lp(b, libp2pKey)
	b = lp(b, tlsKey)
	return sha512.Sum512(b)
}

// Preimage is what evidence inside a connection (gate B) is bound to. Role and
// own key stop an echo of the peer's own evidence, the peer's key and the
// contract evidence meant for somebody else, the exporter a relay, the nonces a
// replay, network and registry a mix-up of networks, and the hash of the GPU
// evidence a mix-up of machines.
type Preimage struct {
	TEE      attest.TEE
	Claims   Claims
	Network  int32
	Registry string
	Epoch    uint64 // of the policy of who verifies
	OwnKey   [32]byte
	PeerKey  [32]byte // SHA-256 of the TLS keys (SPKI)
	// PeerNonce is by who verifies, OwnNonce by who shows the evidence.
	PeerNonce, OwnNonce [32]byte
	Exporter            [32]byte
	GPU                 []byte
}

// ReportData is
//
//	SHA-512("tussah/attest/v1" ‖ u8 role ‖ u8 TEE ‖ lp(network) ‖ lp(registry) ‖ u64 epoch
//	        ‖ lp(contract) ‖ lp(own key) ‖ lp(peer key) ‖ lp(peer nonce) ‖ lp(own nonce)
//	        ‖ lp(exporter) ‖ lp(SHA-256(GPU evidence) or empty))
//
// with big-endian integers.
func (p Preimage) ReportData() [64]byte {
	be := binary.BigEndian
	b := append([]byte("tussah/attest/v1"), byte(p.Claims.Role), byte(p.TEE))
	b = lp(b, be.AppendUint32(nil, uint32(p.Network)))
	b = lp(b, []byte(p.Registry))
	b = be.AppendUint64(b, p.Epoch)
	b = lp(b, []byte(p.Claims.Contract))
	for _, part := range [][32]byte{p.OwnKey, p.PeerKey, p.PeerNonce, p.OwnNonce, p.Exporter} {
		b = lp(b, part[:])
	}
	var gpu []byte
	if len(p.GPU) > 0 {
		digest := sha256.Sum256(p.GPU)
		gpu = digest[:]
	}
	return sha512.Sum512(lp(b, gpu))
}

func lp(b, x []byte) []byte {
	return append(binary.BigEndian.AppendUint32(b, uint32(len(x))), x...)
}
