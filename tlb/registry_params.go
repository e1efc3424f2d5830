package tlb

import (
	"fmt"

	"github.com/xssnick/tonutils-go/tvm/cell"
)

// Bounds of RegistryParams that the contract enforces when its owner changes them.
const (
	MinProxyStake = TON / 2        // a stake pays for the storage of its entry for centuries
	MaxTimelock   = 30 * 24 * 3600 // a longer one could lock the owner out
	MaxUnbonding  = 90 * 24 * 3600
)

// RegistryParams are the parameters of a network.
//
// Timelock may be zero, which a test network wants. How long a production network makes its owner wait
// is for its users to judge before they trust it: nodes show the value, and 48 hours is the least that
// lets operators react.
//
//	registry_params#_ network:int32 min_stake:uint64 unbonding:uint32 timelock:uint32
//	    min_close_delay:uint32 max_close_delay:uint32 channel_code:uint256 = RegistryParams;
type RegistryParams struct {
	Network       int32    // global id of the chain
	MinStake      Nano     // least stake of a proxy
	Unbonding     uint32   // seconds from unregistering to getting the stake back
	Timelock      uint32   // seconds from announcing a change to the earliest execution
	MinCloseDelay uint32   // bounds of ChannelConfig.CloseDelay on this network
	MaxCloseDelay uint32   //
	ChannelCode   [32]byte // code hash of the channel contract of this network
}

// Check returns [ErrField] for parameters that the contract would not take.
func (p RegistryParams) Check() error {
	switch {
	case p.MinStake < MinProxyStake:
		return fmt.Errorf("minimum stake %s, at least %s: %w", p.MinStake, MinProxyStake, ErrField)
	case p.Timelock > MaxTimelock:
		return fmt.Errorf("timelock of %d s, at most %d: %w", p.Timelock, MaxTimelock, ErrField)
	case p.Unbonding > MaxUnbonding:
		return fmt.Errorf("unbonding of %d s, at most %d: %w", p.Unbonding, MaxUnbonding, ErrField)
	case p.MinCloseDelay > p.MaxCloseDelay:
		return fmt.Errorf("close delay from %d to %d s: %w", p.MinCloseDelay, p.MaxCloseDelay, ErrField)
	}
	return nil
}

// ToCell encodes the parameters. It returns [ErrField] as Check does.
func (p RegistryParams) ToCell() (*cell.Cell, error) {
	if err := p.Check(); err != nil {
		return nil, fmt.Errorf("encode registry params: %w", err)
	}
	w := newWriter()
	w.int32(p.Network)
	w.amount(p.MinStake)
	w.uint32(p.Unbonding)
	w.uint32(p.Timelock)
	w.uint32(p.MinCloseDelay)
	w.uint32(p.MaxCloseDelay)
	w.bytes(p.ChannelCode[:])
	c, err := w.end()
	if err != nil {
		return nil, fmt.Errorf("encode registry params: %w", err)
	}
	return c, nil
}

// ParseRegistryParams decodes what [RegistryParams.ToCell] writes, and nothing else.
func ParseRegistryParams(c *cell.Cell) (RegistryParams, error) {
	var p RegistryParams
	r := newReader(c)
	p.Network = r.int32()
	p.MinStake = r.amount()
	p.Unbonding = r.uint32()
	p.Timelock = r.uint32()
	p.MinCloseDelay = r.uint32()
	p.MaxCloseDelay = r.uint32()
	p.ChannelCode = r.bits256()
	if err := r.end(); err != nil {
		return RegistryParams{}, fmt.Errorf("registry params: %w", err)
	}
	if err := p.Check(); err != nil {
		return RegistryParams{}, fmt.Errorf("registry params: %w", err)
	}
	return p, nil
}
