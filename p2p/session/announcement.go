package session

import (
	"crypto/ed25519"
	"crypto/sha512"
	"encoding/binary"
	"errors"

	"github.com/libp2p/go-libp2p/core/peer"

	"github.com/tussah-network/tussah/tlb"
)

// ErrAnnouncement says that an announcement is not signed with the session key of
// the channel it names.
var ErrAnnouncement = errors.New("the announcement is not signed with the channel's session key")

// announcement is what a payer signs with a channel's session key to show that the
// channel is its own. What is authorised on a channel and not spent yet is worth
// something, addresses are public, and so are vouchers once they were claimed; so
// neither may be enough to use a channel.
//
//	SHA-512("tussah/announce/v1\0" ‖ lp(payer's peer id) ‖ lp(payee's peer id) ‖ hash of the channel's initial storage)
//	lp(x) = uint32 length ‖ x, big-endian
func announcement(payer, payee peer.ID, cfg tlb.ChannelConfig) ([]byte, error) {
	data, err := cfg.Data()
	if err != nil {
		return nil, err
	}
	text := []byte("tussah/announce/v1\x00")
	for _, id := range []peer.ID{payer, payee} {
		text = binary.BigEndian.AppendUint32(text, uint32(len(id)))
		text = append(text, id...)
	}
	sum := sha512.Sum512(append(text, data.Hash()...))
	return sum[:], nil
}

func signAnnouncement(payer, payee peer.ID, cfg tlb.ChannelConfig, key ed25519.PrivateKey) (proof [64]byte, err error) {
	if len(key) != ed25519.PrivateKeySize {
		return proof, tlb.ErrPrivateKey
	}
	text, err := announcement(payer, payee, cfg)
	if err != nil {
		return proof, err
	}
	return [64]byte(ed25519.Sign(key, text)), nil
}

func (m announce) verify(payer, payee peer.ID) error {
	text, err := announcement(payer, payee, m.Config)
	if err != nil {
		return err
	}
	key := m.Config.SessionKey
	if tlb.WeakKey(key[:]) || !ed25519.Verify(key[:], text, m.Proof[:]) {
		return &Error{Code: CodeUnauthorised, Message: ErrAnnouncement.Error(), Hint: "announce a channel with its own session key"}
	}
	return nil
}
