package node

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/xssnick/tonutils-go/address"

	"github.com/tussah-network/tussah/contracts"
	"github.com/tussah-network/tussah/p2p/session"
	"github.com/tussah-network/tussah/registry"
	"github.com/tussah-network/tussah/tlb"
	"github.com/tussah-network/tussah/wallet"
	"github.com/tussah-network/tussah/wallet/channel"
)

// Errors of the paying end.
var (
	ErrNoChannel = errors.New("no open channel")
	ErrTerms     = errors.New("the payee's terms are not acceptable")
	ErrDishonest = errors.New("the payee took more without receipts than faults explain; nothing is bought from it until a restart")
	ErrStopping  = errors.New("this node is stopping")
	ErrNoEffect  = errors.New("the contract did not do what it was sent")
)

// payers are the channels that this node pays into, one at most per payee.
type payers struct {
	records records
	store   *Table // journals
	index   *registry.Index
	queue   *wallet.Queue
	wallet  *address.Address
	session *session.Client
	key     ed25519.PrivateKey // session key
	network int32
	deposit tlb.Nano
	window  tlb.Nano
	delay   time.Duration // close delay of channels we open
	log     *slog.Logger

	work sync.WaitGroup // what uses the journals; close waits for it

	mu struct {
		sync.Mutex
		closed    bool
		byPeer    map[peer.ID]*payerChannel
		ended     map[peer.ID]bool // settled by hand: gets no new channel in this run
		dishonest map[peer.ID]bool
	}
}

// payerChannel is one open channel of ours.
type payerChannel struct {
	record
	payer *channel.Payer

	opened    atomic.Bool
	reconcile chan struct{} // one conversation about the channel's numbers at a time
	sending   sync.Mutex    // one message to the contract at a time

	mu struct {
		sync.Mutex
		squared  bool     // both ends agreed on the numbers since they last lost each other
		refused  error    // what the payee has against the channel
		met      bool     // squared once in this run
		base     tlb.Nano // spent when it was: what came before is not judged
		receipts tlb.Nano // what receipts of this run cost
		sends    uint32   // messages that the contract did not act on
	}
}

// enter begins something that uses the journals, unless they are being closed.
// The caller calls work.Done.
func (p *payers) enter() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.mu.closed {
		return false
	}
	p.work.Add(1)
	return true
}

// background runs f, which must end with the role's context.
func (p *payers) background(f func()) {
	if p.enter() {
		go func() {
			defer p.work.Done()
			f()
		}()
	}
}

// load reopens the channels of earlier runs. One that cannot be read keeps nobody
// from using the others.
func (p *payers) load() error {
	p.mu.byPeer, p.mu.ended, p.mu.dishonest = map[peer.ID]*payerChannel{}, map[peer.ID]bool{}, map[peer.ID]bool{}
	all, bad, err := p.records.scan(paying)
	if err != nil {
		return err
	}
	for _, rec := range all {
		c, err := p.reopen(rec)
		if err != nil {
			bad = append(bad, fmt.Errorf("channel %s: %w", rec.Channel, err))
			continue
		}
		p.add(c)
	}
	for _, err := range bad {
		p.log.Error("a channel we pay into is left out: its deposit comes back when its payer closes it on chain", slog.Any("error", err))
	}
	return nil
}

func (p *payers) reopen(rec record) (*payerChannel, error) {
	payer, err := channel.OpenPayer(p.store, p.key, rec.Config, channel.Options{Window: p.window})
	if err != nil {
		return nil, err
	}
	c := &payerChannel{record: rec, payer: payer, reconcile: make(chan struct{}, 1)}
	c.opened.Store(rec.Opened)
	c.mu.sends = rec.Sends
	return c, nil
}

func (p *payers) add(c *payerChannel) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.mu.byPeer[c.Peer] = c
}

// begin makes a channel that was drafted one of ours. It is on disk before anybody
// can send its deposit.
func (p *payers) begin(rec record) (*payerChannel, error) {
	c, err := p.reopen(rec)
	if err != nil {
		return nil, err
	}
	if err := p.records.put(paying, rec); err != nil {
		return nil, errors.Join(err, c.payer.Close())
	}
	p.add(c)
	return c, nil
}

// close waits for what is under way and stops the journals; the channels stay
// open on chain.
func (p *payers) close() error {
	p.mu.Lock()
	p.mu.closed = true
	p.mu.Unlock()
	p.work.Wait()
	var errs []error
	for _, c := range p.list() {
		errs = append(errs, c.payer.Close())
	}
	return errors.Join(errs...)
}

func (p *payers) list() []*payerChannel {
	p.mu.Lock()
	defer p.mu.Unlock()
	var all []*payerChannel
	for _, c := range p.mu.byPeer {
		all = append(all, c)
	}
	return all
}

func (p *payers) to(id peer.ID) (*payerChannel, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	c, ok := p.mu.byPeer[id]
	return c, ok
}

// ended tells whether the channel to the payee was settled by hand. Whoever asks
// for that wants the deposit back, and not locked again in the next channel.
func (p *payers) ended(id peer.ID) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.mu.ended[id]
}

// ready is the channel to the payee if requests can be paid through it.
func (p *payers) ready(id peer.ID) (*payerChannel, error) {
	c, ok := p.to(id)
	if !ok {
		return nil, fmt.Errorf("%w to %s", ErrNoChannel, id)
	}
	if p.dishonest(id) {
		return nil, ErrDishonest
	}
	if phase := c.payer.State().Phase; phase != channel.Open {
		return nil, fmt.Errorf("%w to %s: channel %s is %v", ErrNoChannel, id, c.Channel, phase)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.mu.refused != nil {
		return nil, fmt.Errorf("%w to %s: the payee has something against %s: %w", ErrNoChannel, id, c.Channel, c.mu.refused)
	}
	return c, nil
}

func (p *payers) dishonest(id peer.ID) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.mu.dishonest[id]
}

// ensure returns a usable channel to the payee, opening one if there is none. It
// returns when the channel is proven on chain and the payee has accepted it,
// which takes some blocks. A crash on the way is taken up again by the next call.
func (p *payers) ensure(ctx context.Context, id peer.ID, hello session.Hello) (*payerChannel, error) {
	if !p.enter() {
		return nil, ErrStopping
	}
	defer p.work.Done()
	switch {
	case p.ended(id):
		return nil, fmt.Errorf("%w: it was closed by hand; a restart of this node opens a new one", ErrNoChannel)
	case p.dishonest(id):
		return nil, ErrDishonest
	}
	c, ok := p.to(id)
	if !ok {
		rec, err := p.draft(id, hello)
		if err != nil {
			return nil, err
		}
		if c, err = p.begin(rec); err != nil {
			return nil, err
		}
	}
	if err := p.open(ctx, c); err != nil {
		return nil, fmt.Errorf("open channel %s: %w", c.Channel, err)
	}
	err := p.greet(ctx, c)
	if errors.Is(err, session.ErrChannelClosing) || errors.Is(err, session.ErrChannelRefused) {
		return nil, errors.Join(err, p.retire(ctx, c))
	}
	return c, err
}

// retire gets the deposit back from a channel that its payee does not take any
// more. While it is there no other one to the payee is drafted, so that a payee
// cannot make us lock one deposit after the other.
func (p *payers) retire(ctx context.Context, c *payerChannel) error {
	state, err := p.index.Channel(c.Channel)
	if err != nil {
		return err
	}
	switch {
	case state.CloseAt == 0:
		return p.closing(ctx, c)
	case p.due(state):
		return p.finish(ctx, c)
	}
	return fmt.Errorf("%w: %s closes at %s, then another one is opened", ErrNoChannel, c.Channel, time.Unix(int64(state.CloseAt), 0).UTC())
}

// draft is a new channel on the payee's terms.
func (p *payers) draft(id peer.ID, hello session.Hello) (record, error) {
	payout, err := ParseAddress(hello.Payout)
	if err != nil {
		return record{}, fmt.Errorf("%w: payout %w", ErrTerms, err)
	}
	delay := max(hello.CloseDelay, uint32(p.delay/time.Second))
	view, err := p.index.View()
	if err != nil {
		return record{}, err
	}
	params := view.State.Params
	switch {
	case hello.MinDeposit > p.deposit:
		return record{}, fmt.Errorf("%w: %w: it wants %s, ours is %s; raise deposit in the configuration", ErrTerms, session.ErrDepositLow, hello.MinDeposit, p.deposit)
	case delay < params.MinCloseDelay || delay > params.MaxCloseDelay:
		return record{}, fmt.Errorf("%w: close delay %d s is outside of the registry's bounds %d to %d s", ErrTerms, delay, params.MinCloseDelay, params.MaxCloseDelay)
	}
	var salt [8]byte
	rand.Read(salt[:])
	cfg := tlb.ChannelConfig{
		Payer: p.wallet, Payout: payout, SessionKey: [32]byte(p.key.Public().(ed25519.PublicKey)), PayeeKey: hello.PayeeKey,
		CloseDelay: delay, Network: p.network, Salt: binary.BigEndian.Uint64(salt[:]),
	}
	if err := cfg.Check(); err != nil {
		return record{}, fmt.Errorf("%w: %w", ErrTerms, err)
	}
	at, err := contracts.ChannelAddress(cfg)
	if err != nil {
		return record{}, fmt.Errorf("%w: %w", ErrTerms, err)
	}
	return record{Channel: at, Config: cfg, Peer: id, Deposit: p.deposit}, nil
}

// open sends the deposit, once however often it is called, and waits until the
// channel is proven on chain.
func (p *payers) open(ctx context.Context, c *payerChannel) error {
	if c.payer.State().Phase == channel.Open {
		return nil
	}
	if err := p.index.Watch(c.Channel); err != nil {
		return err
	}
	for {
		changed := p.index.Changed()
		state, err := p.index.Channel(c.Channel)
		switch {
		case err == nil:
			return p.confirm(c, state)
		case errors.Is(err, registry.ErrUnwatched): // the index has not come to it yet
		case !errors.Is(err, contracts.ErrNotChannel):
			return err
		case c.opened.Load():
			return fmt.Errorf("%w: it was there, and is closed", ErrNoChannel) // no second deposit for it
		default:
			message, err := contracts.OpenChannel(c.Config, c.Deposit)
			if err != nil {
				return err
			}
			return p.send(ctx, c, "open", message, func() (bool, error) {
				state, err := p.index.Channel(c.Channel)
				if errors.Is(err, contracts.ErrNotChannel) {
					return false, nil
				}
				if err != nil {
					return false, err
				}
				return true, p.confirm(c, state)
			})
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// effectBlocks is how many blocks a message has, from the wallet on, to do its work.
const effectBlocks = 16

// send sends a message to the channel's contract and waits until the index shows
// what it is for: that the queue sent it tells nothing. It goes out once however
// often this is called, also after a crash; only when it is known to have had no
// effect does the next call send it anew, under another id.
func (p *payers) send(ctx context.Context, c *payerChannel, what string, message contracts.Message, done func() (bool, error)) error {
	c.sending.Lock()
	defer c.sending.Unlock()
	c.mu.Lock()
	name := fmt.Sprintf("%s %s %x %d", what, c.Channel.StringRaw(), message.Body.Hash()[:8], c.mu.sends)
	c.mu.Unlock()
	if err := p.queue.Enqueue(ctx, name, []contracts.Message{message}); err != nil {
		return err
	}
	if _, err := p.queue.Wait(ctx, name); err != nil {
		if errors.Is(err, wallet.ErrSkipped) {
			err = errors.Join(err, p.again(c))
		}
		return err
	}
	var first uint32
	for {
		changed := p.index.Changed()
		if ok, err := done(); ok || err != nil {
			return err
		}
		if view, err := p.index.View(); err == nil {
			if first == 0 {
				first = view.Block.Seqno
			}
			if view.Block.Seqno >= first+effectBlocks {
				return errors.Join(fmt.Errorf("%w: %s of %s", ErrNoEffect, what, c.Channel), p.again(c))
			}
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// again makes the next message to the contract another one than the last.
func (p *payers) again(c *payerChannel) error {
	c.mu.Lock()
	c.mu.sends++
	c.mu.Unlock()
	return p.remember(c)
}

// remember writes what changed in a channel's record.
func (p *payers) remember(c *payerChannel) error {
	c.mu.Lock()
	defer c.mu.Unlock() // held through the write, so that an older one does not overtake it
	rec := c.record
	rec.Opened, rec.Sends = c.opened.Load(), c.mu.sends
	return p.records.put(paying, rec)
}

// closing asks the contract to close, and returns when it is to.
func (p *payers) closing(ctx context.Context, c *payerChannel) error {
	return p.send(ctx, c, "close", contracts.RequestClose(c.Channel), func() (bool, error) {
		state, err := p.index.Channel(c.Channel)
		if err == nil {
			return state.CloseAt != 0, nil
		}
		return p.gone(c)
	})
}

// due tells whether the close delay is over, by the chain's clock, which the contract goes by.
func (p *payers) due(state tlb.ChannelState) bool {
	view, err := p.index.View()
	return err == nil && view.Block.Time.Unix() >= int64(state.CloseAt)
}

// finish ends a channel whose close delay is over.
func (p *payers) finish(ctx context.Context, c *payerChannel) error {
	return p.send(ctx, c, "finish", contracts.Finish(c.Channel), func() (bool, error) { return p.gone(c) })
}

// gone tells whether the channel, which was on chain, is there no more.
func (p *payers) gone(c *payerChannel) (bool, error) {
	_, err := p.index.Channel(c.Channel)
	switch {
	case err == nil:
		return false, nil
	case errors.Is(err, contracts.ErrNotChannel), c.payer.State().Phase == channel.Closed: // then it is not watched either
		return true, nil
	}
	return false, err
}

// met squares the numbers of both ends unless that was done since they last lost
// each other: what was in doubt then is not held back from the next request.
func (p *payers) met(ctx context.Context, c *payerChannel) error {
	if c.agreed() {
		return nil
	}
	ctx, stop := context.WithTimeout(ctx, squareTimeout) // also for those who wait for another's conversation
	defer stop()
	if err := c.converse(ctx); err != nil {
		return err
	}
	defer c.hush()
	if c.agreed() {
		return nil
	}
	return p.greetNow(ctx, c)
}

func (c *payerChannel) converse(ctx context.Context) error {
	select {
	case c.reconcile <- struct{}{}:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("announce channel %s: %w", c.Channel, context.Cause(ctx))
	}
}

func (c *payerChannel) hush() { <-c.reconcile }

// agreed tells whether both ends squared their numbers, and nothing happened since.
func (c *payerChannel) agreed() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.mu.squared
}

// lost notes that the numbers may differ.
func (c *payerChannel) lost() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.mu.squared = false
}

// greet announces the channel and squares the numbers of both ends.
func (p *payers) greet(ctx context.Context, c *payerChannel) error {
	if err := c.converse(ctx); err != nil {
		return err
	}
	defer c.hush()
	return p.greetNow(ctx, c)
}

func (p *payers) greetNow(ctx context.Context, c *payerChannel) error {
	err := p.announce(ctx, c)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.mu.squared = err == nil
	// A payee that cannot be reached says nothing, and will be asked by the next request.
	_, says := errors.AsType[*session.Error](err)
	_, behind := errors.AsType[channel.ErrSpentBehind](err)
	switch {
	case err == nil:
		c.mu.refused = nil
	case says, behind, errors.Is(err, channel.ErrSpentAboveAuthorised):
		c.mu.refused = err
	}
	if err == nil && !c.mu.met {
		c.mu.met, c.mu.base = true, c.payer.State().Spent
	}
	return err
}

func (p *payers) announce(ctx context.Context, c *payerChannel) error {
	if err := c.payer.Ask(); err != nil {
		return fmt.Errorf("announce channel %s: %w", c.Channel, err)
	}
	status, err := p.session.Announce(ctx, c.Peer, c.Config, p.key)
	if err != nil {
		return fmt.Errorf("announce channel %s: %w", c.Channel, err)
	}
	var highest tlb.SignedVoucher
	if status.Highest != nil {
		highest = *status.Highest
	}
	if err := c.payer.Reconcile(ctx, highest, status.Spent); err != nil {
		return fmt.Errorf("reconcile channel %s: %w", c.Channel, err)
	}
	p.judge(c)
	if status.Problem != 0 {
		return &session.Error{Code: status.Problem, Hint: status.Hint}
	}
	return nil
}

// judge stops buying from a payee that keeps taking without giving receipts. What
// it states at a reconnect has to be believed, as it holds vouchers for it; lost
// connections explain some of that, but not more than all it gave receipts for.
func (p *payers) judge(c *payerChannel) {
	c.mu.Lock()
	receipts, base, met := c.mu.receipts, c.mu.base, c.mu.met
	c.mu.Unlock()
	spent := c.payer.State().Spent
	if !met || spent < base+receipts {
		return
	}
	conceded := spent - base - receipts
	if conceded <= 2*p.window || conceded <= receipts {
		return
	}
	p.mu.Lock()
	known := p.mu.dishonest[c.Peer]
	p.mu.dishonest[c.Peer] = true
	p.mu.Unlock()
	if !known {
		p.log.Error("a payee takes money without receipts; nothing more is bought from it", slog.String("peer", c.Peer.String()),
			slog.String("channel", c.Channel.String()), slog.String("without", conceded.String()), slog.String("with", receipts.String()))
	}
}

// follow tells the channels what the chain says of them, until ctx ends.
func (p *payers) follow(ctx context.Context) error {
	for {
		changed := p.index.Changed()
		for _, c := range p.list() {
			if err := p.observe(c); err != nil {
				p.log.Warn("follow a channel we pay into", slog.String("channel", c.Channel.String()), slog.Any("error", err))
			}
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func (p *payers) observe(c *payerChannel) error {
	state, err := p.index.Channel(c.Channel)
	switch {
	case err == nil:
		return p.confirm(c, state)
	case errors.Is(err, registry.ErrUnwatched):
		return nil
	case !errors.Is(err, contracts.ErrNotChannel):
		return err
	}
	switch c.payer.State().Phase {
	case channel.Unconfirmed:
		if !c.opened.Load() {
			return nil // it is still to come
		}
		return c.payer.Gone() // it was closed while we were away
	case channel.Closed:
		return p.forget(c)
	default: // it was on chain and is no more
		return c.payer.Gone()
	}
}

// confirm takes what the chain says of a channel, and remembers that it was there.
func (p *payers) confirm(c *payerChannel, state tlb.ChannelState) error {
	if err := c.payer.UpdateDeposit(state); err != nil || c.opened.Load() {
		return err
	}
	c.opened.Store(true)
	if err := p.remember(c); err != nil {
		c.opened.Store(false)
		return err
	}
	return nil
}

// forget drops a channel that is settled and gone.
func (p *payers) forget(c *payerChannel) error {
	if err := errors.Join(p.records.drop(paying, c.Channel), p.index.Unwatch(c.Channel)); err != nil {
		return err
	}
	p.mu.Lock()
	if p.mu.byPeer[c.Peer] == c {
		delete(p.mu.byPeer, c.Peer)
	}
	p.mu.Unlock()
	return c.payer.Close()
}

// settle closes a channel: with the payee's consent at what was spent, or, with
// force, by asking the contract and waiting out its close delay.
func (p *payers) settle(ctx context.Context, at *address.Address, force bool) error {
	if !p.enter() {
		return ErrStopping
	}
	defer p.work.Done()
	for _, c := range p.list() {
		if c.Channel.Equals(at) {
			return p.end(ctx, c, force)
		}
	}
	return fmt.Errorf("%w at %s", ErrNoChannel, at)
}

func (p *payers) end(ctx context.Context, c *payerChannel, force bool) error {
	p.mu.Lock()
	p.mu.ended[c.Peer] = true
	p.mu.Unlock()
	state, err := p.index.Channel(c.Channel)
	if errors.Is(err, registry.ErrUnwatched) || errors.Is(err, contracts.ErrNotChannel) {
		return fmt.Errorf("%w at %s: it is not on chain", ErrNoChannel, c.Channel)
	}
	switch {
	case err != nil:
		return err
	case force && state.CloseAt == 0:
		return p.closing(ctx, c)
	case force && p.due(state):
		return p.finish(ctx, c)
	case force:
		return nil // it was asked before
	}
	// What requests without a receipt have cost, only the payee knows. It can state no
	// more than we authorised, which it could claim without asking us.
	if err := p.greet(ctx, c); err != nil && !errors.Is(err, session.ErrChannelClosing) {
		return err
	}
	consent, err := p.session.CloseChannel(ctx, c.Peer, c.Channel.StringRaw())
	if err != nil {
		return fmt.Errorf("ask the payee to close %s: %w", c.Channel, err)
	}
	if spent := c.payer.State().Spent; consent.CoopClose.Final > spent {
		return fmt.Errorf("the payee asks %s to close %s, but its receipts say %s", consent.CoopClose.Final, c.Channel, spent)
	}
	message, err := contracts.CoopClose(c.Channel, consent)
	if err != nil {
		return err
	}
	return p.send(ctx, c, "close", message, func() (bool, error) { return p.gone(c) })
}
