package tlb

import (
	"crypto/ed25519"
	"fmt"

	"github.com/xssnick/tonutils-go/address"
	"github.com/xssnick/tonutils-go/tvm/cell"
)

// CoopClose is the payee's consent to close a channel at once, with Final as all it was ever paid.
// The payer sends it to the contract and gets the remainder without waiting for the close window.
//
//	coop_close#74756331 network_id:int32 channel:MsgAddressInt final:Coins = CoopClose;
//
// The payee gives up every voucher above Final, so it signs only amounts up to which it delivered.
type CoopClose struct {
	Network int32
	Channel *address.Address
	Final   Nano
}

// ToCell encodes k. It returns [ErrAddress] or [ErrOverflow] if a field cannot be encoded.
func (k CoopClose) ToCell() (*cell.Cell, error) {
	w := newWriter()
	w.uint(TagCoopClose, 32)
	w.int32(k.Network)
	w.address(k.Channel)
	w.nano(k.Final)
	c, err := w.end()
	if err != nil {
		return nil, fmt.Errorf("encode coop close: %w", err)
	}
	return c, nil
}

// ParseCoopClose decodes what [CoopClose.ToCell] writes, and nothing else.
func ParseCoopClose(c *cell.Cell) (CoopClose, error) {
	var k CoopClose
	r := newReader(c)
	r.tag(TagCoopClose)
	k.Network = r.int32()
	k.Channel = r.address()
	k.Final = r.nano()
	if err := r.end(); err != nil {
		return CoopClose{}, fmt.Errorf("coop close: %w", err)
	}
	return k, nil
}

// Hash is the cell hash, which is what gets signed.
func (k CoopClose) Hash() ([32]byte, error) {
	c, err := k.ToCell()
	if err != nil {
		return [32]byte{}, err
	}
	return c.HashKey(), nil
}

// SignedCoopClose is a consent with the signature of the channel's payee key.
type SignedCoopClose struct {
	CoopClose CoopClose
	Signature [64]byte
}

// SignCoopClose signs k with the payee's key.
func SignCoopClose(k CoopClose, key ed25519.PrivateKey) (SignedCoopClose, error) {
	hash, err := k.Hash()
	if err != nil {
		return SignedCoopClose{}, err
	}
	sig, err := sign(hash, key)
	if err != nil {
		return SignedCoopClose{}, fmt.Errorf("sign coop close: %w", err)
	}
	return SignedCoopClose{CoopClose: k, Signature: sig}, nil
}

// Verify returns [ErrBadSignature] unless pub signed the consent, and [ErrWeakKey] if pub is a key
// under which that would prove nothing.
func (s SignedCoopClose) Verify(pub ed25519.PublicKey) error {
	hash, err := s.CoopClose.Hash()
	if err != nil {
		return err
	}
	if err := verify(hash, pub, s.Signature); err != nil {
		return fmt.Errorf("coop close: %w", err)
	}
	return nil
}

// MarshalBinary encodes the consent and its signature as one bag of cells, see
// [ParseSignedCoopClose].
func (s SignedCoopClose) MarshalBinary() ([]byte, error) {
	k, err := s.CoopClose.ToCell()
	if err != nil {
		return nil, err
	}
	c, err := sealSigned(k, s.Signature)
	if err != nil {
		return nil, err
	}
	return EncodeBoC(c)
}

// ParseSignedCoopClose decodes what [SignedCoopClose.MarshalBinary] writes, and nothing else. It does
// not verify the signature.
func ParseSignedCoopClose(b []byte) (SignedCoopClose, error) {
	c, err := ParseBoC(b, maxSigned)
	if err != nil {
		return SignedCoopClose{}, fmt.Errorf("signed coop close: %w", err)
	}
	value, sig, err := openSigned(c)
	if err != nil {
		return SignedCoopClose{}, err
	}
	k, err := ParseCoopClose(value)
	if err != nil {
		return SignedCoopClose{}, err
	}
	return SignedCoopClose{CoopClose: k, Signature: sig}, nil
}
