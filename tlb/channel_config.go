package tlb

import (
	"errors"
	"fmt"

	"github.com/xssnick/tonutils-go/address"
	"github.com/xssnick/tonutils-go/tvm/cell"
)

// ChannelConfig is all that is fixed when a channel is opened. The initial
// storage of the contract is made of it and of nothing else, so the address of
// a channel commits to every field.
//
// Salt tells channels between the same two parties apart. Draw it at random for
// each new channel and never use it again: a closed channel leaves no trace on
// chain, so only the payer's care (and the payee's memory) keeps an address from
// being used twice. See [ChannelState] for what the contract itself guarantees then.
//
//	channel_terms#_ session_key:uint256 payee_key:uint256 close_delay:uint32
//	    network:int32 salt:uint64 = ChannelTerms;
type ChannelConfig struct {
	Payer      *address.Address // opens, tops up, rotates, closes; gets the remainder
	Payout     *address.Address // the payee's fixed address; every payment goes here
	SessionKey [32]byte         // the payer's first Ed25519 key for vouchers
	PayeeKey   [32]byte         // the payee's Ed25519 key for consent to a cooperative close
	CloseDelay uint32           // seconds from a request to close to the close
	Network    int32            // global id of the chain
	Salt       uint64
}

// Bounds of ChannelConfig.CloseDelay that the contract enforces. On mainnet a payee is promised at
// least six hours to notice a close and to claim; anywhere else a minute will do, so that whole life
// cycles fit into a test. A registry narrows the bounds further for its network ([RegistryParams]).
const (
	MinCloseDelay        = 60
	MinCloseDelayMainnet = 6 * 3600
	MaxCloseDelay        = 72 * 3600
)

// Mainnet is the global id of TON's main network.
const Mainnet int32 = -239

// ErrCloseDelay says that the close delay of a channel is out of bounds.
var ErrCloseDelay = errors.New("close delay out of bounds")

// Check returns [ErrAddress], [ErrWorkchain], [ErrCloseDelay] or [ErrWeakKey] for a config that the
// contract refuses to open.
func (c ChannelConfig) Check() error {
	if err := checkAccount(c.Payer); err != nil {
		return fmt.Errorf("payer: %w", err)
	}
	if err := checkAccount(c.Payout); err != nil {
		return fmt.Errorf("payout address: %w", err)
	}
	least := uint32(MinCloseDelay)
	if c.Network == Mainnet {
		least = MinCloseDelayMainnet
	}
	if c.CloseDelay < least || c.CloseDelay > MaxCloseDelay {
		return fmt.Errorf("%d s, not %d to %d: %w", c.CloseDelay, least, MaxCloseDelay, ErrCloseDelay)
	}
	if WeakKey(c.SessionKey[:]) {
		return fmt.Errorf("session key %x: %w", c.SessionKey, ErrWeakKey)
	}
	if WeakKey(c.PayeeKey[:]) {
		return fmt.Errorf("payee key %x: %w", c.PayeeKey, ErrWeakKey)
	}
	return nil
}

// terms is the cold part of the storage, written once.
func (c ChannelConfig) terms() (*cell.Cell, error) {
	w := newWriter()
	w.bytes(c.SessionKey[:])
	w.bytes(c.PayeeKey[:])
	w.uint32(c.CloseDelay)
	w.int32(c.Network)
	w.uint(c.Salt, 64)
	return w.end()
}

func (c *ChannelConfig) parseTerms(terms *cell.Cell) error {
	r := newReader(terms)
	c.SessionKey = r.bits256()
	c.PayeeKey = r.bits256()
	c.CloseDelay = r.uint32()
	c.Network = r.int32()
	c.Salt = r.uint(64)
	return r.end()
}

// Data is the storage a channel is deployed with, before it is opened.
func (c ChannelConfig) Data() (*cell.Cell, error) {
	data, err := ChannelState{Config: c, SessionKey: c.SessionKey}.ToCell()
	if err != nil {
		return nil, fmt.Errorf("channel config: %w", err)
	}
	return data, nil
}
