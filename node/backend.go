package node

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/tussah-network/tussah/node/engine"
	"github.com/tussah-network/tussah/node/openai"
	"github.com/tussah-network/tussah/p2p/session"
	"github.com/tussah-network/tussah/wallet"
	"github.com/tussah-network/tussah/wallet/channel"
)

// backend is the client as its endpoint sees it.
type backend struct{ client *client }

var _ openai.Backend = backend{}

// Models implements openai.Backend: each model once, at its best price.
func (b backend) Models(context.Context) ([]openai.Model, error) {
	var all []openai.Model
	for _, o := range b.client.choices("") {
		if n := len(all); n > 0 && all[n-1].ID == o.Model { // choices are sorted by model, then by price
			all[n-1].Workers += int(o.Slots)
			continue
		}
		all = append(all, openai.Model{ID: o.Model, Context: uint64(o.MaxContext), Price: o.Price, Workers: int(o.Slots)})
	}
	return all, nil
}

// Complete implements openai.Backend.
func (b backend) Complete(ctx context.Context, q openai.Request) (openai.Answer, error) {
	kind := session.ChatCompletions
	if q.Path == engine.PathCompletions {
		kind = session.Completions
	}
	fields, err := engine.ReadFields(q.Body)
	if err != nil {
		return nil, err
	}
	p := prompt{Kind: kind, Model: q.Model, Stream: q.Stream, Body: q.Body, Choices: q.Choices, PromptBound: q.PromptBound,
		MaxTokens: fields.MaxTokens} // not q.MaxTokens: without a cap of the caller's, the offer's may be lower
	ctx, cancel := context.WithCancelCause(ctx)
	a := &answer{cancel: cancel, heads: make(chan openai.Head, 1), parts: make(chan []byte), done: make(chan struct{}), ctx: ctx}
	go func() {
		defer close(a.done)
		a.bought, a.err = b.client.complete(ctx, p, a)
		b.client.keepReceipt(p.Model, a.bought)
	}()
	select {
	case a.first = <-a.heads:
		return a, nil
	case <-a.done:
		select {
		case a.first = <-a.heads: // a short answer may be over before its head was looked at
			return a, nil
		default:
		}
		err := a.failure()
		if err == nil {
			err = errors.New("the answer ended without a head")
		}
		cancel(err)
		return nil, err
	}
}

// answer is one completion on its way to the endpoint's caller.
type answer struct {
	ctx    context.Context
	cancel context.CancelCauseFunc
	heads  chan openai.Head
	first  openai.Head
	parts  chan []byte
	done   chan struct{} // closed when bought and err are set
	bought bought
	err    error
	closed sync.Once
}

var (
	_ openai.Answer = (*answer)(nil)
	_ sink          = (*answer)(nil)
)

func (a *answer) head(h session.Head) error {
	a.heads <- openai.Head{Status: h.Status, Stream: h.ContentType == "text/event-stream"}
	return nil
}

func (a *answer) part(p session.Part) error {
	select {
	case a.parts <- p.Data:
		return nil
	case <-a.ctx.Done():
		return context.Cause(a.ctx)
	}
}

// need implements sink: the endpoint's caller is not asked for money.
func (a *answer) need(session.NeedVoucher) error { return nil }

// Head implements openai.Answer.
func (a *answer) Head() openai.Head { return a.first }

// Next implements openai.Answer.
func (a *answer) Next() ([]byte, error) {
	select {
	case part := <-a.parts:
		return part, nil
	case <-a.done:
		if err := a.failure(); err != nil {
			return nil, err
		}
		return nil, io.EOF
	}
}

// failure is why the answer is not complete, as the endpoint tells it; nil if it is.
func (a *answer) failure() error {
	err := a.err
	if err == nil && a.bought.Failed != nil {
		err = a.bought.Failed.Err()
	}
	return apiError(err)
}

// Final implements openai.Answer.
func (a *answer) Final() (openai.Final, error) {
	<-a.done
	r := a.bought.Receipt.Receipt
	if r.Channel == nil {
		return openai.Final{}, errors.New("there is no receipt")
	}
	hash, err := r.Hash()
	return openai.Final{Usage: a.bought.Usage, Cost: a.bought.Cost, Receipt: hash, WorkerImage: r.Work.Image}, err
}

// Close implements openai.Answer. It waits until what was delivered is paid.
func (a *answer) Close() error {
	a.closed.Do(func() { a.cancel(context.Canceled) })
	<-a.done
	return nil
}

// apiError sorts an error into what an API's caller can act on.
func apiError(err error) error {
	if err == nil {
		return nil
	}
	is := func(targets ...error) bool {
		for _, t := range targets {
			if errors.Is(err, t) {
				return true
			}
		}
		return false
	}
	wrap := func(kind error) error {
		if refusal, ok := errors.AsType[*session.Error](err); ok && refusal.Hint != "" {
			return fmt.Errorf("%w: %w; %s", kind, err, refusal.Hint)
		}
		return fmt.Errorf("%w: %w", kind, err)
	}
	_, poor := errors.AsType[wallet.ErrInsufficient](err)
	switch {
	case is(ErrModelNotServed, session.ErrModelUnknown):
		return wrap(openai.ErrModelNotFound)
	case is(ErrTooManyTokens, session.ErrBadRequest):
		return &engine.StatusError{Status: 400, Message: err.Error(), Type: "invalid_request_error"}
	case poor, is(channel.ErrDepositExhausted, session.ErrDepositLow, session.ErrPaymentStopped, channel.ErrOverLimit):
		return wrap(openai.ErrFunds)
	case is(session.ErrOverloaded, channel.ErrTooManyRequests):
		return wrap(openai.ErrBusy)
	case is(session.ErrEngineDown, session.ErrEngineGarbage, session.ErrEngineNoUsage, ErrOverstated, ErrTranscript, ErrImposter):
		return wrap(openai.ErrEngine)
	case is(session.ErrDeadline):
		return wrap(openai.ErrDeadline)
	case is(context.Canceled, session.ErrCancelled, context.DeadlineExceeded):
		return err
	}
	return wrap(openai.ErrUnavailable)
}

// keepReceipt shows a receipt on the admin listener.
func (c *client) keepReceipt(model string, b bought) {
	r := b.Receipt.Receipt
	if r.Channel == nil {
		return
	}
	kept := Receipt{Time: time.Now(), Request: hex.EncodeToString(r.Work.Request[:]), Model: model, Proxy: b.Proxy.ID.String(),
		WorkerKey: hex.EncodeToString(r.WorkerKey[:]), WorkerImage: hex.EncodeToString(r.Work.Image[:]), Usage: b.Usage, Price: r.Price,
		Cost: b.Cost, Channel: r.Channel.StringRaw(), Spent: r.Spent, Authorised: b.Voucher.Cumulative, VoucherSeq: b.Voucher.Seq,
		Complete: b.Failed == nil}
	if own := b.Proxy.Appraisal; own != nil {
		kept.ProxyImage, kept.ProxyEvidence = hex.EncodeToString(own.Image[:]), hex.EncodeToString(own.Evidence[:])
		kept.ProxyAttested = r.Image == own.Image && r.Evidence == own.Evidence
		kept.Simulated = own.Simulated
	}
	c.metrics.keep(kept)
}
