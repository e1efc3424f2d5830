package node

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"time"

	"github.com/libp2p/go-libp2p/core/peer"

	"github.com/tussah-network/tussah/p2p/session"
	"github.com/tussah-network/tussah/tlb"
	"github.com/tussah-network/tussah/wallet/channel"
)

// Faults of a payee that end a request.
var (
	ErrOverstated = errors.New("the payee states more than the request can have cost")
	ErrTranscript = errors.New("the worker signed for another answer than was delivered")
	ErrImposter   = errors.New("the receipt names another model, price or worker than agreed")
)

// order is a request as this node sends it to a payee.
type order struct {
	ID          [32]byte
	Kind        string
	Model       string
	Stream      bool
	Price       tlb.Price
	MaxTokens   uint64 // completion tokens of all choices together
	PromptBound uint64
	BodySize    uint64
	Timeout     time.Duration
	// Worker judges who did the work.
	Worker func(tlb.Work, [32]byte) error
}

// sink takes the events of a request.
type sink interface {
	head(session.Head) error
	part(session.Part) error
	// need is called before more is authorised because the payee asked for it:
	// whoever is paid by another for this request makes sure of that first.
	need(session.NeedVoucher) error
}

// outcome is how a paid request ended.
type outcome struct {
	Usage   tlb.Usage
	Cost    tlb.Nano
	Receipt tlb.SignedReceipt
	Voucher tlb.Voucher     // the last one signed on the channel
	Failed  *session.Failed // nil when it was served to its end
}

// pay sends one request to a payee and pays for it as it is delivered. On an
// error nothing was delivered, or the payee broke the rules; an outcome with
// Failed set was served in part, or refused.
func (p *payers) pay(ctx context.Context, id peer.ID, o order, body io.Reader, to sink) (outcome, error) {
	if !p.enter() {
		return outcome{}, ErrStopping
	}
	defer p.work.Done()
	c, err := p.ready(id)
	if err != nil {
		return outcome{}, err
	}
	// Nothing is allotted to a payee that is away: it would stay in doubt until it is back.
	if err := p.met(ctx, c); err != nil {
		return outcome{}, err
	}
	limit, err := worstCost(o.Price, o.PromptBound, o.MaxTokens)
	if err != nil {
		return outcome{}, err
	}
	need, err := startCost(o.Price, o.PromptBound, o.MaxTokens)
	if err == nil {
		need, err = need.Add(p.window)
	}
	if err != nil {
		return outcome{}, err
	}
	voucher, err := c.payer.Begin(ctx, o.ID, min(need, limit), limit)
	if errors.Is(err, channel.ErrDepositExhausted) && c.payer.State().Doubtful > 0 {
		if p.square(ctx, c) == nil {
			voucher, err = c.payer.Begin(ctx, o.ID, min(need, limit), limit)
		}
	}
	if err != nil {
		return outcome{}, fmt.Errorf("pay through channel %s: %w", c.Channel, err)
	}
	b := &purchase{payers: p, channel: c, order: o, limit: limit, to: to, transcript: sha256.New()}
	out, err := b.run(ctx, voucher, body)
	if !b.finished {
		// No receipt: what was allotted is in doubt until the payee tells.
		if abandoned := c.payer.Abandon(ctx, o.ID); abandoned != nil {
			err = errors.Join(err, abandoned)
		}
		_ = p.square(ctx, c)
	}
	return out, err
}

// squareTimeout bounds the wait for the end of a cancelled request, and the
// conversation after one without a receipt.
const squareTimeout = 5 * time.Second

// square asks the payee where the channel stands. If it cannot be asked now, the
// next request, or the next hello, does.
func (p *payers) square(ctx context.Context, c *payerChannel) error {
	c.lost()
	ctx, stop := context.WithTimeout(context.WithoutCancel(ctx), squareTimeout)
	defer stop()
	err := p.greet(ctx, c)
	if err != nil {
		p.log.Info("square a channel after a request without receipt", slog.String("channel", c.Channel.String()),
			slog.String("code", session.CodeOf(err).String()))
	}
	return err
}

// purchase is one request under way.
type purchase struct {
	payers     *payers
	channel    *payerChannel
	order      order
	limit      tlb.Nano
	to         sink
	transcript interface {
		io.Writer
		Sum([]byte) []byte
	}
	out      *session.Outgoing
	bytes    uint64 // of the answer, received
	finished bool   // the payer has the receipt
}

func (b *purchase) run(ctx context.Context, voucher tlb.SignedVoucher, body io.Reader) (outcome, error) {
	o := b.order
	header := session.Header{
		ID: o.ID, Kind: o.Kind, Model: o.Model, Stream: o.Stream, Price: o.Price, MaxTokens: o.MaxTokens,
		PromptBound: o.PromptBound, MaxCost: b.limit, BodySize: o.BodySize, Timeout: o.Timeout,
		Channel: b.channel.Channel.StringRaw(), Voucher: &voucher,
	}
	var err error
	if b.out, err = b.payers.session.Request(ctx, b.channel.Peer, header, body); err != nil {
		return outcome{}, err
	}
	defer b.out.Close()
	// Whoever cancels listens on, for the receipt of what was delivered, but not for ever.
	listening, hangUp := context.WithCancelCause(context.WithoutCancel(ctx))
	defer hangUp(nil)
	cancel := func() {
		time.AfterFunc(squareTimeout, func() { hangUp(errNoEnd) })
		_ = b.out.Cancel()
	}
	leaves := context.AfterFunc(ctx, cancel)
	defer leaves()
	var stopped error // our side cannot go on, or the payee cheats
	for {
		event, err := b.out.Next(listening)
		if err != nil {
			return outcome{}, errors.Join(stopped, err)
		}
		if part, ok := event.(session.Part); ok {
			b.bytes += uint64(len(part.Data))
			b.transcript.Write(part.Data)
		}
		if out, ended, err := b.ending(event); ended {
			return out, errors.Join(stopped, err)
		}
		if stopped == nil {
			if stopped = b.handle(ctx, event); stopped != nil {
				cancel()
			}
		}
	}
}

// errNoEnd: the payee was asked to stop, and said nothing more.
var errNoEnd = fmt.Errorf("%w: no end came within %s of the cancellation", session.ErrBroken, squareTimeout)

// ending takes the terminal events.
func (b *purchase) ending(event session.Event) (out outcome, ended bool, err error) {
	switch e := event.(type) {
	case session.Done:
		out, err = b.finish(e.Usage, e.Cost, e.Receipt, nil)
		return out, true, err
	case session.Failed:
		if e.Receipt == nil {
			return outcome{Failed: &e, Voucher: b.channel.payer.State().Voucher()}, true, nil
		}
		out, err = b.finish(e.Usage, e.Cost, *e.Receipt, &e)
		return out, true, err
	}
	return outcome{}, false, nil
}

// handle takes the other events: it pays, and passes the answer on.
func (b *purchase) handle(ctx context.Context, event session.Event) error {
	switch e := event.(type) {
	case session.Head:
		return b.to.head(e)
	case session.Part:
		return b.take(ctx, e)
	case session.NeedVoucher:
		if err := b.believe(max(e.Spent, e.Need)); err != nil {
			return err
		}
		if err := b.to.need(e); err != nil {
			return err
		}
		return b.extend(ctx, e.Need)
	}
	return nil // Accepted
}

// believe bounds what is signed for before it arrived. A token is at least one
// byte of the answer, so of an answer that comes as it is made no more can be due
// than all of it so far, the prompt, and one window ahead.
//
// An answer that is wanted whole arrives after its cost is authorised: nothing but
// the request's limit, which is of the max_tokens that its caller set, bounds what
// a payee can take with one such request. It can do that twice before it is found
// out; see [payers.judge].
func (b *purchase) believe(due tlb.Nano) error {
	if !b.order.Stream {
		return nil // extend holds it against the limit
	}
	most, err := worstCost(b.order.Price, b.order.PromptBound, min(max(b.bytes, firstStep), b.order.MaxTokens))
	if err == nil {
		most, err = most.Add(b.payers.window)
	}
	if err != nil {
		return err
	}
	if due > most {
		return fmt.Errorf("%w: it wants %s authorised after %d bytes, at most %s can be due", ErrOverstated, due, b.bytes, most)
	}
	return nil
}

// take pays for a part before the next one is due, and passes it on.
func (b *purchase) take(ctx context.Context, part session.Part) error {
	// The pieces of an answer that came whole state the usage of all of it.
	if tokens := part.Usage.Completion; b.order.Stream && tokens > b.bytes {
		return fmt.Errorf("%w: %d completion tokens in %d bytes", ErrOverstated, tokens, b.bytes)
	}
	worth, err := worstCost(b.order.Price, b.order.PromptBound, part.Usage.Completion)
	if err != nil {
		return err
	}
	if part.Spent > worth {
		return fmt.Errorf("%w: %s for %d completion tokens", ErrOverstated, part.Spent, part.Usage.Completion)
	}
	if err := b.extend(ctx, part.Spent); err != nil {
		return err
	}
	return b.to.part(part)
}

// extend takes the payee's statement of the cost and sends the next voucher if
// the window asks for one.
func (b *purchase) extend(ctx context.Context, spent tlb.Nano) error {
	v, more, err := b.channel.payer.Extend(context.WithoutCancel(ctx), b.order.ID, spent)
	if err != nil || !more {
		return err
	}
	if err := b.out.SendVoucher(v); err != nil && !errors.Is(err, session.ErrEnded) {
		return err
	}
	return nil
}

// finish holds the receipt against what was agreed and delivered.
func (b *purchase) finish(usage tlb.Usage, cost tlb.Nano, r tlb.SignedReceipt, failed *session.Failed) (outcome, error) {
	work := r.Receipt.Work
	switch {
	case work.Model != tlb.ModelHash(b.order.Model) || r.Receipt.Price != b.order.Price:
		return outcome{}, ErrImposter
	case work.Usage != usage || r.Receipt.Cost != cost:
		return outcome{}, fmt.Errorf("%w: the receipt differs from the statement", ErrOverstated)
	case work.Usage.Prompt > b.order.PromptBound || work.Usage.Completion > b.order.MaxTokens:
		return outcome{}, fmt.Errorf("%w: %d prompt and %d completion tokens, at most %d and %d", ErrOverstated,
			work.Usage.Prompt, work.Usage.Completion, b.order.PromptBound, b.order.MaxTokens)
	case work.Usage.Completion > b.bytes:
		return outcome{}, fmt.Errorf("%w: %d completion tokens in %d bytes", ErrOverstated, work.Usage.Completion, b.bytes)
	case work.Transcript != [32]byte(b.transcript.Sum(nil)):
		return outcome{}, ErrTranscript
	}
	if err := b.order.Worker(work, r.Receipt.WorkerKey); err != nil {
		return outcome{}, fmt.Errorf("%w: %w", ErrImposter, err)
	}
	if err := b.channel.accept(b.order.ID, r); err != nil {
		return outcome{}, err
	}
	b.finished = true
	return outcome{Usage: usage, Cost: cost, Receipt: r, Voucher: b.channel.payer.State().Voucher(), Failed: failed}, nil
}

// accept takes a receipt. It counts before it is booked, so that nobody who looks
// in between takes its cost for one without a receipt.
func (c *payerChannel) accept(id [32]byte, r tlb.SignedReceipt) error {
	c.mu.Lock()
	c.mu.receipts += r.Receipt.Cost // at most the request's limit, or it is taken back
	c.mu.Unlock()
	err := c.payer.Finish(context.Background(), id, r)
	if err != nil {
		c.mu.Lock()
		c.mu.receipts -= r.Receipt.Cost
		c.mu.Unlock()
	}
	return err
}
