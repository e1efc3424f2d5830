package contracts

import (
	"fmt"
	"math/big"
	"time"

	"github.com/xssnick/tonutils-go/address"

	"github.com/tussah-network/tussah/tlb"
	"github.com/tussah-network/tussah/tlb/get"
)

// ParseRegistry reads the state of a registry from an account whose state was proven. It returns
// [ErrNotRegistry] for anything else.
//
// Unlike a channel's, a registry's storage cannot be traced to its beginning. Which registry to trust
// is the user's choice of an address, and that address commits to how it began.
func ParseRegistry(acc tlb.Account) (tlb.RegistryState, error) {
	if acc.Status != tlb.AccountActive || acc.Code == nil || acc.Data == nil {
		return tlb.RegistryState{}, fmt.Errorf("account %s is %s: %w", acc.Address, acc.Status, ErrNotRegistry)
	}
	if acc.Code.HashKey() != RegistryCode().HashKey() {
		return tlb.RegistryState{}, fmt.Errorf("account %s has other code: %w", acc.Address, ErrNotRegistry)
	}
	state, err := tlb.ParseRegistryState(acc.Data)
	if err != nil {
		return tlb.RegistryState{}, fmt.Errorf("account %s: %w: %w", acc.Address, ErrNotRegistry, err)
	}
	return state, nil
}

// RegistryView answers from the contract's own get methods, run locally: one entry each, without
// reading the whole storage. An account with other code makes every answer [ErrNotRegistry].
type RegistryView struct {
	acc tlb.Account
	now time.Time
}

// ViewRegistry is for asking an account at a time.
func ViewRegistry(acc tlb.Account, now time.Time) RegistryView { return RegistryView{acc, now} }

func (v RegistryView) run(method string, args ...any) (get.Result, error) {
	if v.acc.Code == nil || v.acc.Code.HashKey() != RegistryCode().HashKey() {
		return get.Result{}, fmt.Errorf("account %s: %w", v.acc.Address, ErrNotRegistry)
	}
	return run(v.acc, v.now, method, args...)
}

// Version is the number of changes so far (get_version).
func (v RegistryView) Version() (uint64, error) {
	r, err := v.run("get_version")
	if err != nil {
		return 0, err
	}
	return r.Uint64(0)
}

// Owner is the present owner (get_owner).
func (v RegistryView) Owner() (*address.Address, error) {
	r, err := v.run("get_owner")
	if err != nil {
		return nil, err
	}
	return r.Address(0)
}

// Params are the network's parameters (get_params).
func (v RegistryView) Params() (tlb.RegistryParams, error) {
	r, err := v.run("get_params")
	if err != nil {
		return tlb.RegistryParams{}, err
	}
	network, err := r.Int(0)
	if err != nil {
		return tlb.RegistryParams{}, err
	}
	s := stackReader{r.Stack, nil}
	p := tlb.RegistryParams{
		Network: int32(network.Int64()), MinStake: tlb.Nano(s.uint(1)), Unbonding: uint32(s.uint(2)), Timelock: uint32(s.uint(3)),
		MinCloseDelay: uint32(s.uint(4)), MaxCloseDelay: uint32(s.uint(5)), ChannelCode: s.bits256(6),
	}
	return p, s.err
}

// Image returns the roles an image may play, zero if none (get_image).
func (v RegistryView) Image(image [32]byte) (tlb.Roles, error) {
	r, err := v.run("get_image", new(big.Int).SetBytes(image[:]))
	if err != nil {
		return 0, err
	}
	roles, err := r.Uint64(0)
	return tlb.Roles(roles), err
}

// Model tells whether a model is allowed (get_model).
func (v RegistryView) Model(name string) (bool, error) {
	id := tlb.ModelHash(name)
	r, err := v.run("get_model", new(big.Int).SetBytes(id[:]))
	if err != nil {
		return false, err
	}
	value, err := r.Value(0)
	return value != nil, err
}

// Platform tells whether a platform is allowed or denied; known is false if it is neither (get_platform).
func (v RegistryView) Platform(platform [32]byte) (allowed, known bool, err error) {
	r, err := v.run("get_platform", new(big.Int).SetBytes(platform[:]))
	if err != nil {
		return false, false, err
	}
	verdict, err := r.Int(0)
	if err != nil {
		return false, false, err
	}
	return verdict.Sign() > 0, verdict.Sign() != 0, nil
}

// Proxy returns the entry of an owner, or ok false if there is none (get_proxy).
func (v RegistryView) Proxy(owner *address.Address) (entry tlb.ProxyEntry, ok bool, err error) {
	r, err := v.run("get_proxy", new(big.Int).SetBytes(owner.Data()))
	if err != nil {
		return tlb.ProxyEntry{}, false, err
	}
	if value, err := r.Value(0); err != nil || value == nil {
		return tlb.ProxyEntry{}, false, err
	}
	c, err := r.Cell(0)
	if err != nil {
		return tlb.ProxyEntry{}, false, err
	}
	entry, err = tlb.ParseProxyEntry(owner, c)
	return entry, err == nil, err
}

// Change returns an announced change, or ok false if there is none (get_change).
func (v RegistryView) Change(id uint32) (change tlb.PendingChange, ok bool, err error) {
	r, err := v.run("get_change", uint64(id))
	if err != nil {
		return tlb.PendingChange{}, false, err
	}
	if value, err := r.Value(1); err != nil || value == nil {
		return tlb.PendingChange{}, false, err
	}
	c, err := r.Cell(1)
	if err != nil {
		return tlb.PendingChange{}, false, err
	}
	ready, err := r.Uint64(0)
	if err != nil {
		return tlb.PendingChange{}, false, err
	}
	what, err := tlb.ParseRegistryChange(c)
	return tlb.PendingChange{ID: id, ReadyAt: uint32(ready), Change: what}, err == nil, err
}
