package tlb

import (
	"crypto/ed25519"
	"errors"
	"fmt"

	"github.com/xssnick/tonutils-go/address"
	"github.com/xssnick/tonutils-go/tvm/cell"
)

// Receipt is the payee's account of one request: what the worker did, at which price, and where the
// channel stands after it. On the hop from proxy to worker the issuer is the worker itself.
//
//	receipt#74757231 network_id:int32 channel:MsgAddressInt cost:Coins spent:Coins
//	  worker_key:bits256 work:^Work worker_sig:^[ bits512 ]
//	  ^[ price:Price image:bits256 evidence:bits256 ] = Receipt;
type Receipt struct {
	Work      Work
	WorkerKey [32]byte // Ed25519
	WorkerSig [64]byte // over Work's hash

	Network  int32
	Channel  *address.Address // the channel that pays for it
	Price    Price
	Cost     Nano     // of this request; at most what Price and Work.Usage give
	Spent    Nano     // on the channel so far, this request included
	Image    [32]byte // measured image the issuer runs
	Evidence [32]byte // hash of the evidence the issuer showed
}

var (
	// ErrWorkerSignature says that the worker named in a receipt did not sign its work.
	ErrWorkerSignature = errors.New("worker's signature does not verify")
	// ErrOvercharged says that a receipt claims more than its price gives for its usage.
	ErrOvercharged = errors.New("cost above price")
	// ErrSpent says that a receipt states less spent on the channel than it charges.
	ErrSpent = errors.New("spent below cost")
)

// ToCell encodes r. It returns [ErrAddress], [ErrOverflow] or [ErrUsage] if a field cannot be encoded.
func (r Receipt) ToCell() (*cell.Cell, error) {
	sig := newWriter()
	sig.bytes(r.WorkerSig[:])

	terms := newWriter()
	terms.price(r.Price)
	terms.bytes(r.Image[:])
	terms.bytes(r.Evidence[:])

	root := newWriter()
	root.uint(TagReceipt, 32)
	root.int32(r.Network)
	root.address(r.Channel)
	root.nano(r.Cost)
	root.nano(r.Spent)
	root.bytes(r.WorkerKey[:])
	root.ref(r.Work.ToCell())
	root.ref(sig.end())
	root.ref(terms.end())
	c, err := root.end()
	if err != nil {
		return nil, fmt.Errorf("encode receipt: %w", err)
	}
	return c, nil
}

// ParseReceipt decodes what [Receipt.ToCell] writes, and nothing else.
func ParseReceipt(c *cell.Cell) (Receipt, error) {
	var r Receipt
	root := newReader(c)
	root.tag(TagReceipt)
	r.Network = root.int32()
	r.Channel = root.address()
	r.Cost = root.nano()
	r.Spent = root.nano()
	root.bytes(r.WorkerKey[:])
	workCell, sigCell, termsCell := root.ref(), root.ref(), root.ref()
	if err := root.end(); err != nil {
		return Receipt{}, fmt.Errorf("receipt: %w", err)
	}

	var err error
	if r.Work, err = ParseWork(workCell); err != nil {
		return Receipt{}, fmt.Errorf("receipt: %w", err)
	}
	sig := newReader(sigCell)
	sig.bytes(r.WorkerSig[:])
	if err := sig.end(); err != nil {
		return Receipt{}, fmt.Errorf("receipt: worker's signature: %w", err)
	}
	terms := newReader(termsCell)
	r.Price = terms.price()
	terms.bytes(r.Image[:])
	terms.bytes(r.Evidence[:])
	if err := terms.end(); err != nil {
		return Receipt{}, fmt.Errorf("receipt: terms: %w", err)
	}
	return r, nil
}

// Hash is the cell hash, which is what gets signed, and what the payer's next [Voucher] names.
func (r Receipt) Hash() ([32]byte, error) {
	c, err := r.ToCell()
	if err != nil {
		return [32]byte{}, err
	}
	return c.HashKey(), nil
}

// Check looks at what a receipt says about itself: the worker signed the work, the cost is no more
// than price times usage, and the channel's spent includes it. An issuer may charge less than the
// price (an answer cut short, say), never more.
// It returns [ErrWorkerSignature], [ErrWeakKey], [ErrUsage], [ErrOvercharged], [ErrSpent] or [ErrOverflow].
func (r Receipt) Check() error {
	if err := r.Work.Verify(r.WorkerKey[:], r.WorkerSig); errors.Is(err, ErrBadSignature) {
		return fmt.Errorf("receipt: %w", ErrWorkerSignature)
	} else if err != nil {
		return fmt.Errorf("receipt: worker: %w", err)
	}
	full, err := r.Price.Cost(r.Work.Usage)
	if err != nil {
		return fmt.Errorf("receipt: %w", err)
	}
	if r.Cost > full {
		return fmt.Errorf("receipt: %w: %s for usage worth %s", ErrOvercharged, r.Cost, full)
	}
	if r.Spent < r.Cost {
		return fmt.Errorf("receipt: %w: %s of %s", ErrSpent, r.Spent, r.Cost)
	}
	return nil
}

// SignedReceipt is a receipt with the signature of its channel's payee key.
type SignedReceipt struct {
	Receipt   Receipt
	Signature [64]byte
}

// SignReceipt signs r with the payee's key.
func SignReceipt(r Receipt, key ed25519.PrivateKey) (SignedReceipt, error) {
	hash, err := r.Hash()
	if err != nil {
		return SignedReceipt{}, err
	}
	sig, err := sign(hash, key)
	if err != nil {
		return SignedReceipt{}, fmt.Errorf("sign receipt: %w", err)
	}
	return SignedReceipt{Receipt: r, Signature: sig}, nil
}

// Verify returns [ErrBadSignature] unless pub signed the receipt, [ErrWeakKey] if pub is a key under
// which that would prove nothing, and otherwise what [Receipt.Check] finds.
func (s SignedReceipt) Verify(pub ed25519.PublicKey) error {
	hash, err := s.Receipt.Hash()
	if err != nil {
		return err
	}
	if err := verify(hash, pub, s.Signature); err != nil {
		return fmt.Errorf("receipt: %w", err)
	}
	return s.Receipt.Check()
}

// MarshalBinary encodes the receipt and its signature as one bag of cells, see [ParseSignedReceipt].
func (s SignedReceipt) MarshalBinary() ([]byte, error) {
	r, err := s.Receipt.ToCell()
	if err != nil {
		return nil, err
	}
	c, err := sealSigned(r, s.Signature)
	if err != nil {
		return nil, err
	}
	return EncodeBoC(c)
}

// ParseSignedReceipt decodes what [SignedReceipt.MarshalBinary] writes, and nothing else. It does not
// verify anything.
func ParseSignedReceipt(b []byte) (SignedReceipt, error) {
	c, err := ParseBoC(b, maxSigned)
	if err != nil {
		return SignedReceipt{}, fmt.Errorf("signed receipt: %w", err)
	}
	value, sig, err := openSigned(c)
	if err != nil {
		return SignedReceipt{}, err
	}
	r, err := ParseReceipt(value)
	if err != nil {
		return SignedReceipt{}, err
	}
	return SignedReceipt{Receipt: r, Signature: sig}, nil
}
