package channel

import (
	"fmt"
	"time"

	"github.com/tussah-network/tussah/contracts"
	"github.com/tussah-network/tussah/tlb"
)

// Options tune a [Payer] or a [Payee]; the zero value works.
type Options struct {
	// Window is the payer's credit step W: what it risks per running request.
	// Default: [DefaultWindow] of the deposit.
	Window tlb.Nano
	// MaxRequests bounds the requests running at once. Default 1024.
	MaxRequests int
	// SaveEvery bounds how long a payee's charges of running requests stay
	// unwritten; a crash forgets at most that much service. Default 1 s.
	SaveEvery time.Duration
}

func (o Options) withDefaults() Options {
	if o.MaxRequests == 0 {
		o.MaxRequests = 1024
	}
	if o.SaveEvery == 0 {
		o.SaveEvery = time.Second
	}
	return o
}

// claimMargin is some blocks: a claim has to be noticed as due, sent and included.
const claimMargin = 30

// terms of the channel that cfg describes.
func (o Options) terms(cfg tlb.ChannelConfig) (Terms, error) {
	channel, err := contracts.ChannelAddress(cfg)
	if err != nil {
		return Terms{}, fmt.Errorf("channel address: %w", err)
	}
	if tlb.WeakKey(cfg.PayeeKey[:]) {
		return Terms{}, fmt.Errorf("payee key %x: %w", cfg.PayeeKey, ErrWeakKey)
	}
	if tlb.WeakKey(cfg.SessionKey[:]) {
		return Terms{}, fmt.Errorf("session key %x: %w", cfg.SessionKey, ErrWeakKey)
	}
	return Terms{
		Channel: channel, Network: cfg.Network, PayeeKey: cfg.PayeeKey,
		Window: o.Window, MaxRequests: o.MaxRequests, ClaimMargin: min(claimMargin, cfg.CloseDelay/2),
	}, nil
}

// observe checks that a state seen on chain is the channel's own.
func (t Terms) observe(state tlb.ChannelState) (Observe, error) {
	channel, err := contracts.ChannelAddress(state.Config)
	if err != nil || !channel.Equals(t.Channel) {
		return Observe{}, fmt.Errorf("%w: the state is of %v", ErrStateChannel, channel)
	}
	if !state.Opened {
		return Observe{}, fmt.Errorf("the channel has no deposit yet: %w", ErrUnconfirmed)
	}
	return Observe{
		Deposit: state.Deposit, Settled: state.Settled, Epoch: state.Epoch,
		SessionKey: state.SessionKey, CloseAt: state.CloseAt,
	}, nil
}
