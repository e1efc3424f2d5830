package channel

import (
	"crypto/ed25519"
	"errors"
	"fmt"

	"github.com/tussah-network/tussah/tlb"
)

// VerifiedVoucher is a voucher whose signature was checked. The machines take
// nothing else, and only [VerifyVoucher] makes one, so the slow check can run
// outside of a channel's lock without anybody forgetting it.
type VerifiedVoucher struct {
	signed tlb.SignedVoucher
	key    [32]byte
}

// VerifyVoucher checks v's signature by the session key. It returns
// [ErrVoucherSignature], or [ErrWeakKey] for a key under which a signature proves nothing.
func VerifyVoucher(v tlb.SignedVoucher, sessionKey [32]byte) (VerifiedVoucher, error) {
	err := v.Verify(ed25519.PublicKey(sessionKey[:]))
	if errors.Is(err, tlb.ErrWeakKey) {
		return VerifiedVoucher{}, ErrWeakKey
	}
	if err != nil {
		return VerifiedVoucher{}, fmt.Errorf("%w: %w", ErrVoucherSignature, err)
	}
	return VerifiedVoucher{signed: v, key: sessionKey}, nil
}

// VerifiedReceipt is a receipt whose signatures and cost were checked.
type VerifiedReceipt struct {
	receipt tlb.Receipt
	hash    [32]byte
	key     [32]byte
}

// VerifyReceipt checks the payee's and the worker's signature, and that the cost
// is no more than the receipt's price for its usage. It returns
// [ErrReceiptSignature], [ErrReceiptCost] or [ErrReceiptSpent]. Whether the price
// is the one that was offered is for the caller to compare.
func VerifyReceipt(r tlb.SignedReceipt, payeeKey [32]byte) (VerifiedReceipt, error) {
	switch err := r.Verify(ed25519.PublicKey(payeeKey[:])); {
	case errors.Is(err, tlb.ErrOvercharged):
		return VerifiedReceipt{}, fmt.Errorf("%w: %w", ErrReceiptCost, err)
	case errors.Is(err, tlb.ErrSpent):
		return VerifiedReceipt{}, fmt.Errorf("%w: %w", ErrReceiptSpent, err)
	case err != nil:
		return VerifiedReceipt{}, fmt.Errorf("%w: %w", ErrReceiptSignature, err)
	}
	hash, err := r.Receipt.Hash()
	if err != nil {
		return VerifiedReceipt{}, err
	}
	return VerifiedReceipt{receipt: r.Receipt, hash: hash, key: payeeKey}, nil
}
