package node

import (
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/xssnick/tonutils-go/address"

	"github.com/tussah-network/tussah/contracts"
	"github.com/tussah-network/tussah/p2p/session"
	"github.com/tussah-network/tussah/registry"
	"github.com/tussah-network/tussah/tlb"
	"github.com/tussah-network/tussah/wallet"
	"github.com/tussah-network/tussah/wallet/channel"
)

// payees are the channels that pay this node.
type payees struct {
	records    records
	store      *Table // journals
	index      *registry.Index
	account    func(context.Context, *address.Address) (tlb.Account, error) // proven, at the newest block
	queue      *wallet.Queue
	payout     *address.Address
	key        ed25519.PrivateKey // payee key
	network    int32
	minDeposit tlb.Nano
	delay      time.Duration
	log        *slog.Logger

	confirming chan struct{} // one for each announcement of an unknown channel; its capacity bounds them

	mu struct {
		sync.Mutex
		byChannel map[string]*payeeChannel
		busy      map[string]chan struct{} // closed when who has the channel for itself is done
	}
}

// payeeChannel is one channel that pays us. Only the peer that proved to hold its
// session key may use it: what is authorised and not yet spent is worth something.
type payeeChannel struct {
	record
	payee *channel.Payee
}

func (p *payees) load() error {
	p.mu.byChannel, p.mu.busy = map[string]*payeeChannel{}, map[string]chan struct{}{}
	p.confirming = make(chan struct{}, maxConfirming)
	all, err := p.records.all(earning)
	if err != nil {
		return err
	}
	for _, rec := range all {
		payee, err := channel.OpenPayee(p.store, rec.Config, channel.Options{})
		if err != nil {
			return fmt.Errorf("reopen channel %s: %w", rec.Channel, err)
		}
		p.add(&payeeChannel{record: rec, payee: payee})
	}
	return nil
}

func (p *payees) add(c *payeeChannel) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.mu.byChannel[c.Channel.StringRaw()] = c
}

// exclusive waits until nobody else admits, moves or drops the channel: its
// journal must have one [channel.Payee] at a time.
func (p *payees) exclusive(ctx context.Context, at string) (release func(), err error) {
	for {
		p.mu.Lock()
		other, taken := p.mu.busy[at]
		if !taken {
			own := make(chan struct{})
			p.mu.busy[at] = own
			p.mu.Unlock()
			return func() {
				p.mu.Lock()
				delete(p.mu.busy, at)
				p.mu.Unlock()
				close(own)
			}, nil
		}
		p.mu.Unlock()
		select {
		case <-other:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

func (p *payees) close() error {
	var errs []error
	for _, c := range p.list() {
		errs = append(errs, c.payee.Close())
	}
	return errors.Join(errs...)
}

func (p *payees) list() []*payeeChannel {
	p.mu.Lock()
	defer p.mu.Unlock()
	var all []*payeeChannel
	for _, c := range p.mu.byChannel {
		all = append(all, c)
	}
	return all
}

func (p *payees) at(channel string) (*payeeChannel, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	c, ok := p.mu.byChannel[channel]
	return c, ok
}

// maxConfirming bounds the announcements that wait for the chain, of all peers
// together: they cost their senders nothing.
const maxConfirming = 16

// announced takes a payer's word for a channel and checks it on chain. The
// session protocol has verified that the peer holds the channel's session key.
func (p *payees) announced(ctx context.Context, peer session.Peer, cfg tlb.ChannelConfig) (session.ChannelStatus, error) {
	at, err := contracts.ChannelAddress(cfg)
	if err != nil {
		return session.ChannelStatus{}, refused(session.CodeChannelRefused, "%v", err)
	}
	c, known := p.at(at.StringRaw())
	if known && c.Peer == peer.ID {
		return c.status()
	}
	overloaded := &session.Error{Code: session.CodeOverloaded, Message: "too many channels wait to be confirmed", Hint: "announce again in a few seconds"}
	stranger := !known
	if stranger {
		if err := p.takes(cfg); err != nil {
			return session.ChannelStatus{}, err
		}
		select {
		case p.confirming <- struct{}{}:
			defer func() { <-p.confirming }()
		default:
			return session.ChannelStatus{}, overloaded
		}
	}
	release, err := p.exclusive(ctx, at.StringRaw())
	if err != nil {
		return session.ChannelStatus{}, err
	}
	defer release()
	switch c, known = p.at(at.StringRaw()); {
	case !known && !stranger: // it was dropped meanwhile
		return session.ChannelStatus{}, overloaded
	case !known:
		c, err = p.admit(ctx, record{Channel: at, Config: cfg, Peer: peer.ID})
	case c.Peer != peer.ID:
		// A payer may come back under another peer id: it is the key that counts.
		moved := c.record
		moved.Peer = peer.ID
		if err = p.records.put(earning, moved); err == nil {
			c = &payeeChannel{record: moved, payee: c.payee}
			p.add(c)
		}
	}
	if err != nil {
		return session.ChannelStatus{}, err
	}
	return c.status()
}

func refused(code session.Code, format string, args ...any) error {
	return &session.Error{Code: code, Message: fmt.Sprintf(format, args...)}
}

// takes tells whether the terms of a channel are such that we want to be paid on it.
func (p *payees) takes(cfg tlb.ChannelConfig) error {
	switch {
	case cfg.Network != p.network:
		return refused(session.CodeWrongNetwork, "channel of network %d, this node is on %d", cfg.Network, p.network)
	case cfg.PayeeKey != [32]byte(p.key.Public().(ed25519.PublicKey)):
		return refused(session.CodeChannelRefused, "the channel names another payee key")
	case !cfg.Payout.Equals(p.payout):
		return refused(session.CodeChannelRefused, "the channel pays another address")
	case time.Duration(cfg.CloseDelay)*time.Second < p.delay:
		return refused(session.CodeChannelRefused, "close delay %d s is below %s", cfg.CloseDelay, p.delay)
	}
	return nil
}

// admit takes a channel that the chain confirms. Nobody can use it before it is
// on disk, so that after a crash whatever was earned on it is still followed.
func (p *payees) admit(ctx context.Context, rec record) (*payeeChannel, error) {
	state, err := p.confirm(ctx, rec.Channel)
	if err != nil {
		return nil, err
	}
	if state.Deposit < p.minDeposit {
		return nil, refused(session.CodeDepositLow, "deposit %s is below %s; open a channel with more", state.Deposit, p.minDeposit)
	}
	rec.Deposit = state.Deposit
	payee, err := channel.OpenPayee(p.store, rec.Config, channel.Options{})
	if err != nil {
		return nil, err
	}
	// A channel that we agreed to close, or saw closed, stays closed in its journal, even if its
	// address is opened again: an old consent would close it at an old amount. The status says so.
	if err = payee.UpdateDeposit(state); errors.Is(err, channel.ErrClosed) || errors.Is(err, channel.ErrClosing) {
		err = nil
	}
	if err == nil {
		err = p.records.put(earning, rec)
	}
	if err == nil {
		err = p.index.Watch(rec.Channel)
	}
	if err != nil {
		return nil, errors.Join(err, payee.Close())
	}
	c := &payeeChannel{record: rec, payee: payee}
	p.add(c)
	return c, nil
}

// confirm waits until the chain shows the channel; a payer is often a block ahead
// of us. The index does not watch it yet: anybody can announce what does not exist.
func (p *payees) confirm(ctx context.Context, at *address.Address) (tlb.ChannelState, error) {
	ctx, stop := context.WithTimeout(ctx, confirmTimeout)
	defer stop()
	for {
		changed := p.index.Changed()
		acc, err := p.account(ctx, at)
		if err != nil {
			return tlb.ChannelState{}, err
		}
		state, err := contracts.ParseChannel(acc)
		if err == nil && state.Opened {
			return state, nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return tlb.ChannelState{}, &session.Error{Code: session.CodeChannelUnknown,
				Message: fmt.Sprintf("no open channel at %s", at), Hint: "wait until the deposit is on chain, then announce again"}
		}
	}
}

// confirmTimeout is some blocks long, and below the time a control call may take.
const confirmTimeout = 8 * time.Second

func (c *payeeChannel) status() (session.ChannelStatus, error) {
	state, err := c.payee.Status()
	if err != nil {
		return session.ChannelStatus{}, err
	}
	status := session.ChannelStatus{Channel: c.Channel.StringRaw(), Authorised: state.Authorised, Spent: state.Spent}
	if state.Holds() {
		held := state.Held
		status.Highest = &held
	}
	switch state.Phase {
	case channel.Open:
	case channel.Unconfirmed:
		status.Problem, status.Hint = session.CodeChannelUnknown, "the channel is not confirmed on chain yet; announce it again"
	default:
		status.Problem, status.Hint = session.CodeChannelClosing, "open a new channel"
	}
	return status, nil
}

// consent agrees to close a channel at what was spent on it.
func (p *payees) consent(peer session.Peer, at string) (tlb.SignedCoopClose, error) {
	c, ok := p.at(at)
	if !ok || c.Peer != peer.ID {
		return tlb.SignedCoopClose{}, session.ErrChannelUnknown
	}
	consent, err := c.payee.ConsentClose(p.key)
	if errors.Is(err, channel.ErrRequestsRunning) {
		return consent, &session.Error{Code: session.CodeOverloaded, Message: err.Error()}
	}
	return consent, err
}

// follow tells the channels what the chain says of them, and claims what was
// earned when a payer closes without asking.
func (p *payees) follow(ctx context.Context) error {
	for {
		changed := p.index.Changed()
		for _, c := range p.list() {
			if err := p.observe(ctx, c); err != nil {
				p.log.Warn("follow a channel that pays us", slog.String("channel", c.Channel.String()), slog.Any("error", err))
			}
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func (p *payees) observe(ctx context.Context, c *payeeChannel) error {
	state, err := p.index.Channel(c.Channel)
	switch {
	case errors.Is(err, registry.ErrUnwatched):
		return p.index.Watch(c.Channel)
	case errors.Is(err, contracts.ErrNotChannel):
		return p.gone(ctx, c)
	case err != nil:
		return err
	}
	return p.seen(ctx, c, state)
}

// seen claims what would be lost if it was not claimed in time: all of it when
// the payer closes, and what the old key signed when the payer changes its key.
func (p *payees) seen(ctx context.Context, c *payeeChannel, state tlb.ChannelState) error {
	if err := c.payee.UpdateDeposit(state); err != nil {
		return err
	}
	voucher, held := c.payee.Highest()
	if state.CloseAt == 0 && (!held || voucher.Voucher.Epoch >= state.Epoch) {
		return nil
	}
	_, err := p.claim(ctx, c, state)
	return err
}

// gone follows a contract that is destroyed: the channel is closed, and forgotten
// at the next block.
func (p *payees) gone(ctx context.Context, c *payeeChannel) error {
	if c.payee.State().Phase != channel.Closed {
		return c.payee.Gone()
	}
	release, err := p.exclusive(ctx, c.Channel.StringRaw())
	if err != nil {
		return err
	}
	defer release()
	if err := errors.Join(p.records.drop(earning, c.Channel), p.index.Unwatch(c.Channel)); err != nil {
		return err
	}
	err = c.payee.Close() // before another one may open the journal
	p.mu.Lock()
	delete(p.mu.byChannel, c.Channel.StringRaw())
	p.mu.Unlock()
	return err
}

// claim puts the highest voucher on chain if it is worth something there. The
// queue takes each voucher once, so a claim may be repeated at every block.
func (p *payees) claim(ctx context.Context, c *payeeChannel, state tlb.ChannelState) (name string, err error) {
	voucher, ok := c.payee.Highest()
	if !ok || voucher.Voucher.Cumulative <= state.Settled {
		return "", nil
	}
	if _, alive := state.KeyOf(voucher.Voucher.Epoch, uint32(time.Now().Unix())); !alive {
		return "", nil // the contract takes it no more
	}
	message, err := contracts.Claim(c.Channel, voucher)
	if err != nil {
		return "", err
	}
	name = fmt.Sprintf("claim %s %d %d", c.Channel.StringRaw(), voucher.Voucher.Epoch, voucher.Voucher.Cumulative)
	if err := p.queue.Enqueue(ctx, name, []contracts.Message{message}); err != nil {
		return "", fmt.Errorf("claim %s on %s: %w", voucher.Voucher.Cumulative, c.Channel, err)
	}
	return name, nil
}

// settle claims now what a payer authorised on one channel.
func (p *payees) settle(ctx context.Context, at *address.Address) error {
	c, ok := p.at(at.StringRaw())
	if !ok {
		return fmt.Errorf("%w at %s", ErrNoChannel, at)
	}
	state, err := p.index.Channel(at)
	if err != nil {
		return err
	}
	name, err := p.claim(ctx, c, state)
	if err != nil || name == "" {
		return err
	}
	_, err = p.queue.Wait(ctx, name)
	return err
}
