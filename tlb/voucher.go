package tlb

import (
	"crypto/ed25519"
	"fmt"

	"github.com/xssnick/tonutils-go/address"
	"github.com/xssnick/tonutils-go/tvm/cell"
)

// Voucher is the payer's authorisation of a cumulative amount of one channel.
//
//	voucher#74757631 network_id:int32 channel:MsgAddressInt epoch:uint32 seq:uint64
//	  cumulative:Coins receipt:uint256 = Voucher;
//
// One cell without refs, so that the contract checks it with a single CHKSIGNU over the cell hash.
// There is no expiry inside: it would let a payer cheat a slow payee. The channel's close window
// bounds the payer's liability already.
type Voucher struct {
	Network    int32            // −239 is TON's main network, −3 its test network
	Channel    *address.Address // addr_std
	Epoch      uint32           // generation of the session key that signs
	Seq        uint64           // for logs and ordering; it decides nothing
	Cumulative Nano             // all that was ever authorised on this channel
	Receipt    [32]byte         // hash of the newest receipt the payer accepted, zero at the start
}

// ToCell encodes v. It returns [ErrAddress] or [ErrOverflow] if a field cannot be encoded.
func (v Voucher) ToCell() (*cell.Cell, error) {
	w := newWriter()
	w.uint(TagVoucher, 32)
	w.int32(v.Network)
	w.address(v.Channel)
	w.uint(uint64(v.Epoch), 32)
	w.uint(v.Seq, 64)
	w.nano(v.Cumulative)
	w.bytes(v.Receipt[:])
	c, err := w.end()
	if err != nil {
		return nil, fmt.Errorf("encode voucher: %w", err)
	}
	return c, nil
}

// ParseVoucher decodes what [Voucher.ToCell] writes, and nothing else.
func ParseVoucher(c *cell.Cell) (Voucher, error) {
	var v Voucher
	r := newReader(c)
	r.tag(TagVoucher)
	v.Network = r.int32()
	v.Channel = r.address()
	v.Epoch = uint32(r.uint(32))
	v.Seq = r.uint(64)
	v.Cumulative = r.nano()
	r.bytes(v.Receipt[:])
	if err := r.end(); err != nil {
		return Voucher{}, fmt.Errorf("voucher: %w", err)
	}
	return v, nil
}

// Hash is the cell hash, which is what gets signed.
func (v Voucher) Hash() ([32]byte, error) {
	c, err := v.ToCell()
	if err != nil {
		return [32]byte{}, err
	}
	return c.HashKey(), nil
}

// SignedVoucher is a voucher with the payer's signature by the session key of the voucher's epoch.
type SignedVoucher struct {
	Voucher   Voucher
	Signature [64]byte
}

// SignVoucher signs v with the payer's session key.
func SignVoucher(v Voucher, key ed25519.PrivateKey) (SignedVoucher, error) {
	hash, err := v.Hash()
	if err != nil {
		return SignedVoucher{}, err
	}
	sig, err := sign(hash, key)
	if err != nil {
		return SignedVoucher{}, fmt.Errorf("sign voucher: %w", err)
	}
	return SignedVoucher{Voucher: v, Signature: sig}, nil
}

// Verify returns [ErrBadSignature] unless pub signed the voucher, and [ErrWeakKey] if pub is a key
// under which that would prove nothing.
func (s SignedVoucher) Verify(pub ed25519.PublicKey) error {
	hash, err := s.Voucher.Hash()
	if err != nil {
		return err
	}
	if err := verify(hash, pub, s.Signature); err != nil {
		return fmt.Errorf("voucher: %w", err)
	}
	return nil
}

// MarshalBinary encodes the voucher and its signature as one bag of cells, see [ParseSignedVoucher].
func (s SignedVoucher) MarshalBinary() ([]byte, error) {
	v, err := s.Voucher.ToCell()
	if err != nil {
		return nil, err
	}
	c, err := sealSigned(v, s.Signature)
	if err != nil {
		return nil, err
	}
	return EncodeBoC(c)
}

// ParseSignedVoucher decodes what [SignedVoucher.MarshalBinary] writes, and nothing else. It does not
// verify the signature.
func ParseSignedVoucher(b []byte) (SignedVoucher, error) {
	c, err := ParseBoC(b, maxSigned)
	if err != nil {
		return SignedVoucher{}, fmt.Errorf("signed voucher: %w", err)
	}
	value, sig, err := openSigned(c)
	if err != nil {
		return SignedVoucher{}, err
	}
	v, err := ParseVoucher(value)
	if err != nil {
		return SignedVoucher{}, err
	}
	return SignedVoucher{Voucher: v, Signature: sig}, nil
}
