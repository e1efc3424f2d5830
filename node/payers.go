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

	mu struct {
		sync.Mutex
		byPeer map[peer.ID]*payerChannel
		ended  map[peer.ID]bool // settled by hand: gets no new channel in this run
	}
}

// payerChannel is one open channel of ours.
type payerChannel struct {
	record
	payer *channel.Payer

	opened    atomic.Bool
	reconcile sync.Mutex // one conversation about the channel's numbers at a time
}

// load reopens the channels of earlier runs.
func (p *payers) load() error {
	p.mu.byPeer, p.mu.ended = map[peer.ID]*payerChannel{}, map[peer.ID]bool{}
	all, err := p.records.all(paying)
	if err != nil {
		return err
	}
	for _, rec := range all {
		if _, err := p.add(rec); err != nil {
			return fmt.Errorf("reopen channel %s: %w", rec.Channel, err)
		}
	}
	return nil
}

func (p *payers) add(rec record) (*payerChannel, error) {
	payer, err := channel.OpenPayer(p.store, p.key, rec.Config, channel.Options{Window: p.window})
	if err != nil {
		return nil, err
	}
	c := &payerChannel{record: rec, payer: payer}
	c.opened.Store(rec.Opened)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.mu.byPeer[rec.Peer] = c
	return c, nil
}

// close stops the journals; the channels stay open on chain.
func (p *payers) close() error {
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
	if phase := c.payer.State().Phase; phase != channel.Open {
		return nil, fmt.Errorf("%w to %s: channel %s is %v", ErrNoChannel, id, c.Channel, phase)
	}
	return c, nil
}

// ensure returns a usable channel to the payee, opening one if there is none. It
// returns when the channel is proven on chain and the payee has accepted it,
// which takes some blocks. A crash on the way is taken up again by the next call.
func (p *payers) ensure(ctx context.Context, id peer.ID, hello session.Hello) (*payerChannel, error) {
	if p.ended(id) {
		return nil, fmt.Errorf("%w: it was closed by hand; a restart of this node opens a new one", ErrNoChannel)
	}
	c, ok := p.to(id)
	if !ok {
		rec, err := p.draft(id, hello)
		if err != nil {
			return nil, err
		}
		if err := p.records.put(paying, rec); err != nil {
			return nil, err
		}
		if c, err = p.add(rec); err != nil {
			return nil, err
		}
	}
	if err := p.open(ctx, c); err != nil {
		return nil, fmt.Errorf("open channel %s: %w", c.Channel, err)
	}
	return c, p.greet(ctx, c)
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
	for sent := false; ; {
		changed := p.index.Changed()
		state, err := p.index.Channel(c.Channel)
		switch {
		case err == nil:
			return p.confirm(c, state)
		case errors.Is(err, registry.ErrUnwatched): // the index has not come to it yet
		case !errors.Is(err, contracts.ErrNotChannel):
			return err
		case !sent:
			message, err := contracts.OpenChannel(c.Config, c.Deposit)
			if err != nil {
				return err
			}
			name := "open " + c.Channel.StringRaw()
			if err := p.queue.Enqueue(ctx, name, []contracts.Message{message}); err != nil {
				return err
			}
			if _, err := p.queue.Wait(ctx, name); err != nil {
				return err
			}
			sent = true
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// greet announces the channel and squares the numbers of both ends.
func (p *payers) greet(ctx context.Context, c *payerChannel) error {
	c.reconcile.Lock()
	defer c.reconcile.Unlock()
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
	if status.Problem != 0 {
		return &session.Error{Code: status.Problem, Hint: status.Hint}
	}
	return nil
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
	rec := c.record
	rec.Opened = true
	if err := p.records.put(paying, rec); err != nil {
		return err
	}
	c.opened.Store(true)
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
	for _, c := range p.list() {
		if !c.Channel.Equals(at) {
			continue
		}
		p.mu.Lock()
		p.mu.ended[c.Peer] = true
		p.mu.Unlock()
		message := contracts.RequestClose(c.Channel)
		if !force {
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
			if message, err = contracts.CoopClose(c.Channel, consent); err != nil {
				return err
			}
		} else if state := c.payer.State(); state.CloseAt != 0 && time.Now().Unix() >= int64(state.CloseAt) {
			message = contracts.Finish(c.Channel)
		}
		name := fmt.Sprintf("close %s %x", c.Channel.StringRaw(), message.Body.Hash()[:8])
		if err := p.queue.Enqueue(ctx, name, []contracts.Message{message}); err != nil {
			return err
		}
		_, err := p.queue.Wait(ctx, name)
		return err
	}
	return fmt.Errorf("%w at %s", ErrNoChannel, at)
}
