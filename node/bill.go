package node

import (
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"time"

	"github.com/tussah-network/tussah/p2p/session"
	"github.com/tussah-network/tussah/tlb"
	"github.com/tussah-network/tussah/wallet/channel"
)

// bill is one request at the earning end: it takes vouchers as they come, and
// lets nothing be delivered that is not authorised.
type bill struct {
	channel *payeeChannel
	in      *session.Incoming
	price   tlb.Price
	grace   time.Duration
	ctx     context.Context // ends when the payer stops paying or goes away
	stop    context.CancelCauseFunc
	stated  tlb.Nano // cost of what was delivered, as the payer is told
	held    tlb.Nano // authorised for this request, delivered or not
	ended   bool     // the channel was told the final cost
}

// begin admits a request: the channel is the peer's, the price is ours, the payer
// will pay as much as the request can cost, and enough is authorised to start. The
// caller ends the bill with finish or cancel, and defers close.
func (p *payees) begin(ctx context.Context, peer session.Peer, in *session.Incoming, price tlb.Price, grace time.Duration) (*bill, error) {
	h := in.Header
	c, ok := p.at(h.Channel)
	if !ok || c.Peer != peer.ID {
		return nil, &session.Error{Code: session.CodeChannelUnknown, Message: "no channel of yours at " + h.Channel, Hint: "announce the channel first"}
	}
	if h.Price != price {
		return nil, &session.Error{Code: session.CodePrice, Message: "the price has changed", Hint: "ask for the offers again"}
	}
	worst, err := worstCost(price, h.PromptBound, h.MaxTokens)
	if err != nil {
		return nil, &session.Error{Code: session.CodeBadRequest, Message: err.Error()}
	}
	if h.MaxCost < worst { // else it ends before the work that was asked for, and we have paid for that
		return nil, &session.Error{Code: session.CodeBadRequest, Message: fmt.Sprintf("the maximum cost %s is below %s, which the request can cost", h.MaxCost, worst),
			Hint: "raise the maximum cost, or ask for fewer tokens"}
	}
	if h.Voucher != nil {
		// A lower one was overtaken by a later request's: harmless, and what counts is the total.
		if err := c.payee.Accept(ctx, *h.Voucher); err != nil && !errors.Is(err, channel.ErrVoucherLow) {
			return nil, voucherRefusal(err)
		}
	}
	need, err := startCost(price, h.PromptBound, h.MaxTokens)
	if err != nil {
		return nil, &session.Error{Code: session.CodeBadRequest, Message: err.Error()}
	}
	if err := c.payee.Begin(ctx, h.ID, need); err != nil {
		return nil, voucherRefusal(err)
	}
	b := &bill{channel: c, in: in, price: price, grace: grace}
	b.ctx, b.stop = context.WithCancelCause(ctx)
	go b.collect()
	return b, nil
}

// collect accepts vouchers until the request ends. A bad one ends the request.
func (b *bill) collect() {
	for {
		select {
		case v := <-b.in.Vouchers():
			if err := b.channel.payee.Accept(b.ctx, v); err != nil && !errors.Is(err, channel.ErrVoucherLow) {
				b.stop(voucherRefusal(err))
			}
		case <-b.ctx.Done():
			return
		}
	}
}

// charge raises the request's cost to that of the usage, before what was used is
// delivered. It waits for the payer's voucher if it must, for the grace period at
// most; then the error is session.ErrPaymentStopped.
func (b *bill) charge(usage tlb.Usage) error {
	total, err := b.price.Cost(usage)
	if err != nil {
		return err
	}
	if total > b.in.Header.MaxCost {
		return &session.Error{Code: session.CodePaymentStopped, Message: "the request reached its maximum cost"}
	}
	if err := b.hold(total); err != nil {
		return err
	}
	b.stated = max(b.stated, total) // an engine that corrects itself downwards is settled at the end
	return nil
}

// hold has the payer authorise total, as charge does, for what is about to be
// bought on its behalf. What is held and not used is not billed.
func (b *bill) hold(total tlb.Nano) error {
	if total <= b.held {
		return nil
	}
	// A payer that cancelled still takes, and pays, what is on its way: as far as it is authorised.
	ok, err := b.channel.payee.Charge(context.WithoutCancel(b.ctx), b.in.Header.ID, total)
	if err == nil && !ok {
		err = b.wait(total)
	}
	if err != nil {
		return voucherRefusal(err)
	}
	b.held = total
	return nil
}

func (b *bill) wait(total tlb.Nano) error {
	if err := b.in.NeedVoucher(session.NeedVoucher{Spent: b.stated, Need: total}); err != nil {
		return err
	}
	ctx, stop := context.WithTimeoutCause(b.ctx, b.grace, &session.Error{Code: session.CodePaymentStopped,
		Message: fmt.Sprintf("no voucher came within %s", b.grace), Hint: "the answer ends here; what was delivered is charged"})
	defer stop()
	err := b.channel.payee.WaitAuthorised(ctx, b.in.Header.ID, total)
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return err
}

// finish ends the bill with the worker's statement of work, at the cost of its
// usage or at what was stated with the last part, whichever is less. It is called
// at most once per bill; with no work at all use cancel.
func (b *bill) finish(work tlb.Work, worker [32]byte, signature [64]byte, identity issuer) (tlb.SignedReceipt, error) {
	cost, err := b.price.Cost(work.Usage)
	if err != nil {
		return tlb.SignedReceipt{}, errors.Join(err, b.close())
	}
	cost = min(cost, b.stated)
	spent, err := b.end(cost)
	if err != nil {
		return tlb.SignedReceipt{}, err
	}
	return tlb.SignReceipt(tlb.Receipt{
		Work: work, WorkerKey: worker, WorkerSig: signature, Network: b.channel.Config.Network, Channel: b.channel.Channel,
		Price: b.price, Cost: cost, Spent: spent, Image: identity.Image, Evidence: identity.Evidence,
	}, identity.key)
}

// cancel ends a bill for which nothing was delivered, unless it has ended.
func (b *bill) cancel() error {
	if b.ended {
		return nil
	}
	_, err := b.end(0)
	return err
}

// close ends a bill that nobody ended, at the cost of what was delivered, so that
// no way out of a request leaves its reservation behind. It takes no more vouchers.
func (b *bill) close() error {
	defer b.stop(nil)
	if b.ended {
		return nil
	}
	_, err := b.end(b.stated)
	return err
}

func (b *bill) end(cost tlb.Nano) (spent tlb.Nano, err error) {
	b.ended = true
	return b.channel.payee.Finish(b.ctx, b.in.Header.ID, cost)
}

// issuer is who signs receipts: this node's payee key, image and evidence.
type issuer struct {
	key             ed25519.PrivateKey
	Image, Evidence [32]byte
}

// voucherRefusal maps the channel's refusals of a voucher to the wire's.
func voucherRefusal(err error) error {
	for _, m := range []struct{ ours, wire error }{
		{channel.ErrVoucherLow, session.ErrVoucherLow},
		{channel.ErrVoucherChannel, session.ErrVoucherChannel},
		{channel.ErrVoucherNetwork, session.ErrVoucherNetwork},
		{channel.ErrVoucherSignature, session.ErrVoucherSignature},
		{channel.ErrVoucherEpoch, session.ErrVoucherEpoch},
		{channel.ErrOverDeposit, session.ErrOverDeposit},
		{channel.ErrClosing, session.ErrChannelClosing},
		{channel.ErrClosed, session.ErrChannelClosing},
		{channel.ErrUnconfirmed, session.ErrChannelUnknown},
		{channel.ErrTooManyRequests, session.ErrOverloaded},
		{channel.ErrRequestExists, session.ErrBadRequest},
	} {
		if errors.Is(err, m.ours) {
			return &session.Error{Code: session.CodeOf(m.wire), Message: err.Error()}
		}
	}
	if e, ok := errors.AsType[channel.ErrUnderauthorised](err); ok {
		return &session.Error{Code: session.CodeUnderauthorised, Message: err.Error(), Spent: e.Spent, Need: e.Need}
	}
	return err
}
