package channel

import (
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"

	"github.com/tussah-network/tussah/tlb"
)

// Payee is the earning end of one channel, safe for concurrent use. A channel
// must have one Payee at a time, in one process.
type Payee struct {
	seq *sequencer[PayeeState]
}

// OpenPayee continues the channel from its journal in store, or begins a new
// one. Nothing is accepted before [Payee.UpdateDeposit] told what is on chain.
func OpenPayee(store Store, cfg tlb.ChannelConfig, o Options) (*Payee, error) {
	o = o.withDefaults()
	terms, err := o.terms(cfg)
	if err != nil {
		return nil, fmt.Errorf("open payee: %w", err)
	}
	state := PayeeState{Terms: terms}
	at := recordKey(endPayee, terms.Channel)
	record, ok, err := store.Get(at)
	if err == nil && ok {
		state, err = state.restore(record)
	}
	if err != nil {
		return nil, fmt.Errorf("open payee of %v: %w", terms.Channel, err)
	}
	return &Payee{seq: newSequencer(store, at, state, o.SaveEvery)}, nil
}

// State is the machine's state now. Some of it may still be on its way to disk, so
// it is for this process alone: a payer is told [Payee.Status].
func (p *Payee) State() PayeeState { return p.seq.state() }

// UpdateDeposit tells what the channel's contract holds. Errors: [ErrWeakKey],
// [ErrStaleView], [ErrStateChannel], [ErrUnconfirmed] while it is not opened.
func (p *Payee) UpdateDeposit(state tlb.ChannelState) error {
	e, err := p.State().Terms.observe(state)
	if err != nil {
		return err
	}
	_, err = p.seq.do(e)
	return err
}

// Gone tells that the contract, once seen, exists no more.
func (p *Payee) Gone() error {
	_, err := p.seq.do(Gone{})
	return err
}

// Accept takes a voucher. When it returns nil the voucher is on disk, and what it
// authorises may be delivered; so it is for the highest voucher held, again.
//
// Errors: [ErrVoucherLow] (harmless: an older one came late), [ErrVoucherChannel],
// [ErrVoucherNetwork], [ErrVoucherEpoch], [ErrVoucherSignature], [ErrOverDeposit],
// [ErrClosed], [ErrUnconfirmed], [ErrJournal].
func (p *Payee) Accept(ctx context.Context, v tlb.SignedVoucher) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	// The slow check runs between two cheap ones, outside of the channel's lock.
	state := p.State()
	verified := VerifiedVoucher{signed: v}
	if !state.holds(v) {
		err := state.check(v.Voucher)
		if err == nil {
			verified, err = VerifyVoucher(v, state.SessionKey)
		}
		if err != nil {
			return err
		}
	}
	effects, err := p.seq.do(PayeeAccept{Voucher: verified})
	if err != nil {
		return err
	}
	for _, effect := range effects {
		if confirm, ok := effect.(Confirm); ok {
			if _, err := p.seq.do(confirm.Event); err != nil {
				return err
			}
		}
	}
	return nil
}

// Begin reserves need for a new request: what it may cost before the first
// [Payee.Charge] that has to look again. [ErrUnderauthorised] says that the payer
// must sign more first. Every request ends in one [Payee.Finish].
func (p *Payee) Begin(ctx context.Context, req Request, need tlb.Nano) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	_, err := p.seq.do(PayeeBegin{Request: req, Need: need})
	return err
}

// Charge raises what the request cost so far to total, before that much is
// delivered. False says that the payer has to sign more before any more is
// delivered: [Payee.WaitAuthorised].
func (p *Payee) Charge(ctx context.Context, req Request, total tlb.Nano) (bool, error) {
	if err := ctx.Err(); err != nil {
		return false, err
	}
	_, err := p.seq.do(PayeeCharge{Request: req, Total: total})
	if _, wait := errors.AsType[ErrUnderauthorised](err); wait {
		return false, nil
	}
	return err == nil, err
}

// WaitAuthorised is Charge that waits until it may, or until ctx ends: give it a
// grace period of a few seconds, and end the request if none came.
func (p *Payee) WaitAuthorised(ctx context.Context, req Request, total tlb.Nano) error {
	for {
		changed := p.seq.changed() // taken first: what changes after the look is not missed
		if ok, err := p.Charge(ctx, req, total); ok || err != nil {
			return err
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// Finish ends the request at its final cost, at most what was reserved or
// charged ([ErrCostAboveCharge]). It returns the channel's spent for the receipt,
// which is on disk by then.
func (p *Payee) Finish(_ context.Context, req Request, cost tlb.Nano) (tlb.Nano, error) {
	effects, err := p.seq.do(PayeeFinish{Request: req, Cost: cost})
	if err != nil {
		return 0, err
	}
	for _, effect := range effects {
		if receipt, ok := effect.(SendReceipt); ok {
			return receipt.Spent, nil
		}
	}
	panic("channel: internal error: a request finished without a receipt")
}

// Highest is the highest voucher held, if any: what to claim, and what to show
// the payer after a reconnect.
func (p *Payee) Highest() (tlb.SignedVoucher, bool) {
	state := p.State()
	return state.Held, state.Holds()
}

// Spent is what finished requests cost.
func (p *Payee) Spent() tlb.Nano { return p.State().Spent }

// ConsentClose agrees to close the channel now, at what was spent. From the first
// call on, and after a restart too, no new request begins; while requests are
// running it returns [ErrRequestsRunning]: call it again when they ended.
func (p *Payee) ConsentClose(payeeKey ed25519.PrivateKey) (tlb.SignedCoopClose, error) {
	terms := p.State().Terms
	if len(payeeKey) != ed25519.PrivateKeySize || [32]byte(payeeKey.Public().(ed25519.PublicKey)) != terms.PayeeKey {
		return tlb.SignedCoopClose{}, ErrPayeeKey
	}
	effects, err := p.seq.do(PayeeConsent{})
	if err != nil {
		return tlb.SignedCoopClose{}, err
	}
	for _, effect := range effects {
		if consent, ok := effect.(SendConsent); ok {
			return tlb.SignCoopClose(consent.Close, payeeKey)
		}
	}
	return tlb.SignedCoopClose{}, ErrRequestsRunning
}

// Status is where the channel stands, when it is on disk: a payer squares its books
// with it, and a crash must not take it back.
func (p *Payee) Status() (PayeeState, error) {
	effects, err := p.seq.do(PayeeStatus{})
	if err != nil {
		return PayeeState{}, err
	}
	for _, effect := range effects {
		if status, ok := effect.(SendStatus); ok {
			return status.State, nil
		}
	}
	panic("channel: internal error: no status")
}

// Close writes what is not on disk yet. Everything afterwards is [ErrStopped].
// The channel itself stays open on chain.
func (p *Payee) Close() error { return p.seq.stop() }
