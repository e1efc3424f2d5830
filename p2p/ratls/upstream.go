package ratls

import (
	"crypto/ed25519"
	"crypto/sha512"
	"crypto/x509"
	"errors"
	"fmt"

	"github.com/libp2p/go-libp2p/core/crypto"
	"github.com/libp2p/go-libp2p/core/protocol"
	"github.com/libp2p/go-libp2p/p2p/net/upgrader"
)

// CompatibleID is the protocol of peers that pass gate A alone, with certificates
// as the Cocoon network has them: self-signed by an Ed25519 key, which here is
// the libp2p key as well, with a quote bound to SHA-512 of that key alone. No
// nonce, no role, no channel: who ever got hold of the key can show the quote.
const CompatibleID protocol.ID = "/tussah/ratls-gate-a/1"

// NewCompatible makes a transport of [CompatibleID]. The libp2p key must be Ed25519.
func NewCompatible(id protocol.ID, key crypto.PrivKey, muxers []upgrader.StreamMuxer, o Options) (*Transport, error) {
	if key.Type() != crypto.Ed25519 {
		return nil, fmt.Errorf("ratls: compatibility needs an Ed25519 key, not %v", key.Type())
	}
	t, err := New(id, key, muxers, o)
	if err != nil {
		return nil, err
	}
	t.gateB, t.identity.upstream = false, true
	return t, nil
}

var errNoEd25519 = errors.New("no Ed25519 key")

func upstreamKey(c *x509.Certificate) (crypto.PubKey, error) {
	key, ok := c.PublicKey.(ed25519.PublicKey)
	if !ok {
		return nil, errNoEd25519
	}
	return crypto.UnmarshalEd25519PublicKey(key)
}

func upstreamReportData(c *x509.Certificate) ([64]byte, error) {
	key, ok := c.PublicKey.(ed25519.PublicKey)
	if !ok {
		return [64]byte{}, errNoEd25519
	}
	return sha512.Sum512(key), nil
}

// upstreamPrivate is the libp2p key as a TLS key.
func upstreamPrivate(key crypto.PrivKey) (ed25519.PrivateKey, error) {
	raw, err := key.Raw()
	if err != nil {
		return nil, err
	}
	if len(raw) != ed25519.PrivateKeySize {
		return nil, errNoEd25519
	}
	return ed25519.PrivateKey(raw), nil
}
