package contracts

import (
	"errors"
	"fmt"
	"maps"

	"github.com/xssnick/tonutils-go/address"
	"github.com/xssnick/tonutils-go/tvm/cell"

	"github.com/tussah-network/tussah/tlb"
)

// RegistryReserve is what a registry is deployed with, for its own storage: decades of it at the prices
// of 2026. Anyone may add to it with a plain transfer ([FundRegistry]).
const RegistryReserve tlb.Nano = tlb.TON

// What is attached to each message for gas; the contract returns what it did not use. It asks for more
// than it uses today, so that it still works when its dictionaries are large.
const (
	RegistryOwnerGas = 50_000_000
	RegistryProxyGas = 40_000_000
)

// ErrNotRegistry says that an account is no registry of this system.
var ErrNotRegistry = errors.New("not a registry")

// DeployRegistry deploys a registry that starts with the given policy, without announcements: nobody
// relies on it yet, and its address commits to all of this. The message's To is that address. Anyone
// may send it.
func DeployRegistry(owner *address.Address, params tlb.RegistryParams, images map[[32]byte]tlb.Roles, models ...string) (Message, error) {
	init, addr, err := registryInit(owner, params, images, models)
	if err != nil {
		return Message{}, fmt.Errorf("deploy registry: %w", err)
	}
	return Message{To: addr, Amount: RegistryReserve, Body: cell.BeginCell().EndCell(), Init: init}, nil
}

// RegistryAddress is where [DeployRegistry] would put the registry.
func RegistryAddress(owner *address.Address, params tlb.RegistryParams, images map[[32]byte]tlb.Roles, models ...string) (*address.Address, error) {
	_, addr, err := registryInit(owner, params, images, models)
	return addr, err
}

func registryInit(owner *address.Address, params tlb.RegistryParams, images map[[32]byte]tlb.Roles, models []string) (*cell.Cell, *address.Address, error) {
	genesis := tlb.RegistryState{Owner: owner, Params: params, Images: maps.Clone(images), Models: map[[32]byte]string{}}
	for _, name := range models {
		genesis.Models[tlb.ModelHash(name)] = name
	}
	data, err := genesis.ToCell()
	if err != nil {
		return nil, nil, err
	}
	init, addr := stateInit(RegistryCode(), data)
	return init, addr, nil
}

// FundRegistry pays for the registry's storage. The coins are a gift.
func FundRegistry(registry *address.Address, amount tlb.Nano) Message {
	return Message{To: registry, Amount: amount, Body: cell.BeginCell().EndCell(), Bounce: true}
}

// Announce announces a change. It must come from the owner, as must Execute, Cancel, Revoke and
// TransferOwner.
func Announce(registry *address.Address, change tlb.RegistryChange) (Message, error) {
	return message(registry, RegistryOwnerGas, tlb.RegistryAnnounce{Change: change})
}

// Execute puts an announced change into effect when its timelock is over.
func Execute(registry *address.Address, id uint32) Message {
	return bare(registry, RegistryOwnerGas, tlb.RegistryExecute{ID: id})
}

// Cancel forgets an announced change.
func Cancel(registry *address.Address, id uint32) Message {
	return bare(registry, RegistryOwnerGas, tlb.RegistryCancel{ID: id})
}

// Revoke takes an image or a model off its list, or denies a platform, at once.
func Revoke(registry *address.Address, kind tlb.RevokeKind, key [32]byte) (Message, error) {
	return message(registry, RegistryOwnerGas, tlb.RegistryRevoke{Kind: kind, Key: key})
}

// TransferOwner names the next owner; nil calls that off.
func TransferOwner(registry, to *address.Address) (Message, error) {
	return message(registry, RegistryOwnerGas, tlb.RegistryTransferOwner{To: to})
}

// AcceptOwner must come from the next owner, when the timelock is over.
func AcceptOwner(registry *address.Address) Message {
	return bare(registry, RegistryOwnerGas, tlb.RegistryAcceptOwner{})
}

// RegisterProxy registers the sender's proxy with a stake, or updates its entry and adds to the stake.
// Of the entry it takes Payout, PeerID and Addrs.
func RegisterProxy(registry *address.Address, entry tlb.ProxyEntry, stake tlb.Nano) (Message, error) {
	amount, err := stake.Add(RegistryProxyGas)
	if err != nil {
		return Message{}, fmt.Errorf("register proxy: %w", err)
	}
	return message(registry, amount, tlb.RegistryRegisterProxy{Stake: stake, Payout: entry.Payout, PeerID: entry.PeerID, Addrs: entry.Addrs})
}

// Unregister takes the sender's proxy out of service and starts its unbonding.
func Unregister(registry *address.Address) Message {
	return bare(registry, RegistryProxyGas, tlb.RegistryUnregisterProxy{})
}

// WithdrawStake returns the sender's stake when unbonding is over.
func WithdrawStake(registry *address.Address) Message {
	return bare(registry, RegistryProxyGas, tlb.RegistryWithdrawStake{})
}
