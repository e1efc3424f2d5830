package contracts

import (
	"errors"
	"fmt"

	"github.com/xssnick/tonutils-go/address"
	"github.com/xssnick/tonutils-go/tvm/cell"

	"github.com/tussah-network/tussah/tlb"
)

// Amounts that the channel contract fixes.
const (
	// ChannelReserve stays in a channel for its storage, on top of the deposit. It is the payer's, who
	// puts it in when it opens and gets back at the end what storage did not cost.
	ChannelReserve tlb.Nano = 50_000_000
	// MinDeposit is the least deposit, and the least top-up.
	MinDeposit tlb.Nano = tlb.TON / 10
	// CloseNoticeValue is what a payee's address is sent with the notice of a close.
	CloseNoticeValue tlb.Nano = tlb.TON / 100
)

// What is attached to each message for gas: three times what it needs at the prices of 2026, most of
// which comes back. Tests pin the need.
const (
	OpenGas         tlb.Nano = 20_000_000
	TopUpGas        tlb.Nano = 15_000_000
	ClaimGas        tlb.Nano = 15_000_000
	RotateGas       tlb.Nano = 15_000_000
	RequestCloseGas tlb.Nano = 15_000_000
	FinishGas       tlb.Nano = 15_000_000
	CoopCloseGas    tlb.Nano = 15_000_000
)

var (
	// ErrDepositTooSmall says that a deposit or top-up is below [MinDeposit].
	ErrDepositTooSmall = errors.New("deposit too small")
	// ErrOtherChannel says that something was signed for another channel than it is sent to.
	ErrOtherChannel = errors.New("signed for another channel")
	// ErrNotChannel says that an account is no channel of this system.
	ErrNotChannel = errors.New("not a channel")
)

// ChannelAddress is where the channel with this config is, or will be.
func ChannelAddress(cfg tlb.ChannelConfig) (*address.Address, error) {
	_, addr, err := channelInit(cfg)
	return addr, err
}

func channelInit(cfg tlb.ChannelConfig) (*cell.Cell, *address.Address, error) {
	data, err := cfg.Data()
	if err != nil {
		return nil, nil, err
	}
	init, addr := stateInit(ChannelCode(), data)
	return init, addr, nil
}

// OpenChannel deploys a channel and makes the first deposit. The message must come from cfg.Payer. It
// refuses what the contract would refuse: see [tlb.ChannelConfig.Check], and [ErrDepositTooSmall].
func OpenChannel(cfg tlb.ChannelConfig, deposit tlb.Nano) (Message, error) {
	if err := cfg.Check(); err != nil {
		return Message{}, fmt.Errorf("open channel: %w", err)
	}
	amount, err := withDeposit(deposit, ChannelReserve+OpenGas)
	if err != nil {
		return Message{}, fmt.Errorf("open channel: %w", err)
	}
	init, addr, err := channelInit(cfg)
	if err != nil {
		return Message{}, fmt.Errorf("open channel: %w", err)
	}
	body, err := tlb.ChannelOpen{Deposit: deposit}.ToCell()
	if err != nil {
		return Message{}, fmt.Errorf("open channel: %w", err)
	}
	return Message{To: addr, Amount: amount, Body: body, Init: init, Bounce: true}, nil
}

// TopUp adds to the deposit of a channel. Anyone may send it.
func TopUp(channel *address.Address, amount tlb.Nano) (Message, error) {
	value, err := withDeposit(amount, TopUpGas)
	if err != nil {
		return Message{}, fmt.Errorf("top up channel: %w", err)
	}
	return message(channel, value, tlb.ChannelTopUp{Amount: amount})
}

// Claim pays a voucher out to the payee's address. Anyone may send it.
func Claim(channel *address.Address, v tlb.SignedVoucher) (Message, error) {
	if !channel.Equals(v.Voucher.Channel) {
		return Message{}, fmt.Errorf("claim from %s: %w", channel, ErrOtherChannel)
	}
	return message(channel, ClaimGas, tlb.ChannelClaim{Voucher: v})
}

// Rotate replaces the session key. It must come from the payer.
func Rotate(channel *address.Address, sessionKey [32]byte) (Message, error) {
	if tlb.WeakKey(sessionKey[:]) {
		return Message{}, fmt.Errorf("rotate to %x: %w", sessionKey, tlb.ErrWeakKey)
	}
	return message(channel, RotateGas, tlb.ChannelRotate{SessionKey: sessionKey})
}

// RequestClose starts the close window. It must come from the payer.
func RequestClose(channel *address.Address) Message {
	return bare(channel, CloseNoticeValue+RequestCloseGas, tlb.ChannelRequestClose{})
}

// Finish ends a channel whose close window is over. Anyone may send it.
func Finish(channel *address.Address) Message {
	return bare(channel, FinishGas, tlb.ChannelFinish{})
}

// CoopClose ends a channel at once with the payee's consent. It must come from the payer.
func CoopClose(channel *address.Address, consent tlb.SignedCoopClose) (Message, error) {
	if !channel.Equals(consent.CoopClose.Channel) {
		return Message{}, fmt.Errorf("close %s: %w", channel, ErrOtherChannel)
	}
	return message(channel, CoopCloseGas, tlb.ChannelCoopClose{Consent: consent})
}

func withDeposit(deposit, gas tlb.Nano) (tlb.Nano, error) {
	if deposit < MinDeposit {
		return 0, fmt.Errorf("%s, at least %s: %w", deposit, MinDeposit, ErrDepositTooSmall)
	}
	return deposit.Add(gas)
}
