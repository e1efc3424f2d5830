package channel

import (
	"context"
	"crypto/ed25519"
	"fmt"

	"github.com/tussah-network/tussah/tlb"
)

// Payer is the paying end of one channel, safe for concurrent use. A channel
// must have one Payer at a time, in one process: it alone counts.
type Payer struct {
	seq *sequencer[PayerState]
	key ed25519.PrivateKey
}

// OpenPayer continues the channel from its journal in store, or begins a new
// one. key is the session key that the channel names now. Nothing is signed
// before [Payer.UpdateDeposit] told what is on chain.
func OpenPayer(store Store, key ed25519.PrivateKey, cfg tlb.ChannelConfig, o Options) (*Payer, error) {
	o = o.withDefaults()
	terms, err := o.terms(cfg)
	if err != nil {
		return nil, fmt.Errorf("open payer: %w", err)
	}
	if len(key) != ed25519.PrivateKeySize {
		return nil, fmt.Errorf("open payer of %v: %w", terms.Channel, tlb.ErrPrivateKey)
	}
	state := PayerState{Terms: terms, SessionKey: [32]byte(key.Public().(ed25519.PublicKey))}
	if tlb.WeakKey(state.SessionKey[:]) {
		return nil, fmt.Errorf("open payer of %v: session key: %w", terms.Channel, ErrWeakKey)
	}
	at := recordKey(endPayer, terms.Channel)
	record, ok, err := store.Get(at)
	if err == nil && ok {
		state, err = state.restore(record)
	}
	if err != nil {
		return nil, fmt.Errorf("open payer of %v: %w", terms.Channel, err)
	}
	return &Payer{seq: newSequencer(store, at, state, o.SaveEvery), key: key}, nil
}

// State is the machine's state now. Some of it may still be on its way to disk.
func (p *Payer) State() PayerState { return p.seq.state() }

// UpdateDeposit tells what the channel's contract holds. Errors: [ErrSessionKey]
// if it names another key than ours, [ErrStaleView], [ErrStateChannel],
// [ErrUnconfirmed] while it is not opened.
func (p *Payer) UpdateDeposit(state tlb.ChannelState) error {
	e, err := p.State().Terms.observe(state)
	if err != nil {
		return err
	}
	_, err = p.seq.do(e)
	return err
}

// Gone tells that the contract, once seen, exists no more.
func (p *Payer) Gone() error {
	_, err := p.seq.do(Gone{})
	return err
}

// Begin allots need to a new request that may cost up to limit, and returns the
// voucher that covers it, which is on disk by then: send it before the request.
// Every request ends in one [Payer.Finish] or [Payer.Abandon].
//
// Errors: [ErrDepositExhausted], [ErrOverLimit], [ErrClosing], [ErrClosed],
// [ErrUnconfirmed], [ErrRequestExists], [ErrTooManyRequests], [ErrJournal].
func (p *Payer) Begin(ctx context.Context, req Request, need, limit tlb.Nano) (tlb.SignedVoucher, error) {
	if err := ctx.Err(); err != nil {
		return tlb.SignedVoucher{}, err
	}
	v, _, err := p.voucher(PayerBegin{Request: req, Need: need, Limit: limit})
	return v, err
}

// Extend takes the payee's statement of what the request cost so far. If less
// than half a window is left of its allotment, it returns the voucher to send
// for the next step, and true. A statement above the limit is [ErrOverLimit]:
// stop and [Payer.Abandon].
func (p *Payer) Extend(ctx context.Context, req Request, spent tlb.Nano) (tlb.SignedVoucher, bool, error) {
	if err := ctx.Err(); err != nil {
		return tlb.SignedVoucher{}, false, err
	}
	return p.voucher(PayerExtend{Request: req, Spent: spent})
}

func (p *Payer) voucher(e Event) (tlb.SignedVoucher, bool, error) {
	effects, err := p.seq.do(e)
	if err != nil {
		return tlb.SignedVoucher{}, false, err
	}
	for _, effect := range effects {
		if send, ok := effect.(SendVoucher); ok {
			v, err := tlb.SignVoucher(send.Voucher, p.key)
			return v, err == nil, err
		}
	}
	return tlb.SignedVoucher{}, false, nil
}

// Finish ends the request with the payee's receipt: its cost takes the place of
// the allotment, and the next voucher names it. The price in the receipt must
// have been compared with the offer before.
//
// Errors: [ErrReceiptSignature], [ErrReceiptChannel], [ErrReceiptNetwork],
// [ErrReceiptRequest], [ErrReceiptCost], [ErrReceiptSpent], [ErrOverLimit],
// [ErrUnknownRequest]. The request is then still running: [Payer.Abandon] it.
func (p *Payer) Finish(ctx context.Context, req Request, r tlb.SignedReceipt) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	verified, err := VerifyReceipt(r, p.State().Terms.PayeeKey)
	if err != nil {
		return err
	}
	_, err = p.seq.do(PayerFinish{Request: req, Receipt: verified})
	return err
}

// Abandon ends the request without a receipt. What was allotted to it counts as
// possibly spent until [Payer.Reconcile] tells.
func (p *Payer) Abandon(_ context.Context, req Request) error {
	_, err := p.seq.do(PayerAbandon{Request: req})
	return err
}

// Ask notes that the payee is asked now where the channel stands. Its answer goes
// to [Payer.Reconcile]; a later question replaces this one.
func (p *Payer) Ask() error {
	_, err := p.seq.do(PayerAsk{})
	return err
}

// Reconcile takes what the payee shows after a reconnect, or when it refused for
// want of authorisation: the highest of our vouchers it holds (the zero value if
// none) and its spent. Our authorised becomes the highest that anybody has seen;
// its spent replaces what we were in doubt about.
//
// Errors: [ErrSpentBehind] if receipts prove that more was spent,
// [ErrSpentAboveAuthorised], and ErrVoucher… if the voucher is not one of ours.
// On an error nothing changes.
func (p *Payer) Reconcile(ctx context.Context, highest tlb.SignedVoucher, spent tlb.Nano) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	e := PayerReconcile{Spent: spent}
	if highest.Voucher.Channel != nil {
		verified, err := VerifyVoucher(highest, p.State().SessionKey)
		if err != nil {
			return err
		}
		e.Highest = &verified
	}
	_, err := p.seq.do(e)
	return err
}

// Close writes what is not on disk yet. Everything afterwards is [ErrStopped].
// The channel itself stays open on chain.
func (p *Payer) Close() error { return p.seq.stop() }
