package lite

import (
	"bytes"
	"context"
	"errors"
	"fmt"

	"github.com/xssnick/tonutils-go/address"
	tontlb "github.com/xssnick/tonutils-go/tlb"
	"github.com/xssnick/tonutils-go/ton"
	"github.com/xssnick/tonutils-go/tvm/cell"

	"github.com/tussah-network/tussah/tlb"
)

// Account returns an account's state after a masterchain block; the zero block
// means the newest. One that is proven not to exist has the status Absent.
//
// Code and data hash to what the network agreed on. They may contain cells of
// special kinds, as the contract has them; pass them through tlb.CheckCell where
// that matters.
func (c *Client) Account(ctx context.Context, at tlb.Block, a *address.Address) (tlb.Account, error) {
	if err := checkAddress(a); err != nil {
		return tlb.Account{}, err
	}
	at, err := c.orHead(ctx, at)
	if err != nil {
		return tlb.Account{}, err
	}
	query := c.queryAt(at, ton.GetAccountState{ID: idOf(at), Account: accountID(a)})
	var account tlb.Account
	err = c.each(ctx, func(ctx context.Context, ask asker) error {
		answer, err := ask(ctx, query)
		if err == nil {
			account, err = c.readAccount(answer, idOf(at), a)
		}
		return err
	})
	if err != nil {
		return tlb.Account{}, fmt.Errorf("account %s at block %d: %w", a.StringRaw(), at.Seqno, err)
	}
	return account, nil
}

// orHead replaces the zero block by the newest.
func (c *Client) orHead(ctx context.Context, at tlb.Block) (tlb.Block, error) {
	if at != (tlb.Block{}) {
		return at, nil
	}
	return c.Head(ctx)
}

// queryAt makes a query about a block that wait for it: the block may come from one
// server and the query go to another, a little behind.
func (c *Client) queryAt(at tlb.Block, query any) []byte {
	return append(waitPrefix(at.Seqno, c.o.Timeout/2), encode(query)...)
}

func checkAddress(a *address.Address) error {
	if a == nil || a.Type() != address.StdAddress || (a.Workchain() != 0 && a.Workchain() != masterchain) {
		return ErrAddress
	}
	return nil
}

func accountID(a *address.Address) ton.AccountID {
	return ton.AccountID{Workchain: a.Workchain(), ID: a.Data()}
}

func (c *Client) readAccount(answer []byte, at *blockID, a *address.Address) (tlb.Account, error) {
	r, err := open(answer, tagAccountState)
	if err != nil {
		return tlb.Account{}, err
	}
	id, shard, shardProof, proof, state := r.block(), r.block(), r.bytes(), r.bytes(), r.bytes()
	if err = r.close(); err != nil {
		return tlb.Account{}, err
	}
	if !id.Equals(at) {
		return tlb.Account{}, fmt.Errorf("%w: state at another block", ErrAnswer)
	}
	holder := at
	if a.Workchain() != masterchain {
		if holder, err = c.holder(shardProof, at, a); err != nil {
			return tlb.Account{}, err
		}
	}
	if !shard.Equals(holder) {
		return tlb.Account{}, fmt.Errorf("%w: state from another shard's block", ErrAnswer)
	}
	roots, err := parse(proof, 2)
	if err != nil {
		return tlb.Account{}, err
	}
	proven, err := c.state(roots[0], roots[1], holder)
	if err != nil {
		return tlb.Account{}, err
	}
	return account(proven, a, state)
}

// holder is the shard block with the account's state, as the masterchain block lists it.
func (c *Client) holder(proof []byte, at *blockID, a *address.Address) (*blockID, error) {
	roots, err := parse(proof, 2)
	if err != nil {
		return nil, err
	}
	state, err := c.state(roots[0], roots[1], at)
	if err != nil {
		return nil, err
	}
	shards, _, err := state.masterExtra()
	if err != nil {
		return nil, err
	}
	return shardOf(shards, a.Workchain(), a.Data())
}

// account reads an account's state, given in full, and compares it with the proof.
func account(proven *shardState, a *address.Address, boc []byte) (tlb.Account, error) {
	entry, ok, err := findAccount(proven.accounts, a)
	if err != nil {
		// Under this name, because a client that takes it for absence can be robbed.
		if errors.Is(err, ErrPruned) {
			err = fmt.Errorf("%w: %w", ErrAbsence, err)
		}
		return tlb.Account{}, err
	}
	if !ok {
		if len(boc) > 0 {
			return tlb.Account{}, fmt.Errorf("%w: given, but proven absent", ErrState)
		}
		return tlb.Account{Address: a}, nil
	}
	if len(boc) == 0 {
		return tlb.Account{}, fmt.Errorf("%w: withheld", ErrState)
	}
	root, err := parseOne(boc)
	if err != nil {
		return tlb.Account{}, err
	}
	if root.HashKey() != entry.Account.HashKey(0) {
		return tlb.Account{}, fmt.Errorf("%w: another hash", ErrState)
	}
	s, err := read(root)
	if err != nil {
		return tlb.Account{}, err
	}
	var state tontlb.AccountState
	if err = state.LoadFromCell(s); err != nil {
		return tlb.Account{}, fmt.Errorf("%w: %v", ErrState, err)
	}
	account := tlb.Account{Address: a, LastLT: entry.LastTransLT, LastHash: [32]byte(entry.LastTransHash)}
	if !state.IsValid {
		return account, nil
	}
	if state.Address == nil || state.Address.Workchain() != a.Workchain() || !bytes.Equal(state.Address.Data(), a.Data()) {
		return tlb.Account{}, fmt.Errorf("%w: of another account", ErrState)
	}
	balance := state.Balance.Nano()
	if !balance.IsUint64() || balance.Uint64() > uint64(tlb.MaxNano) {
		return tlb.Account{}, fmt.Errorf("%w: %s", ErrAmount, balance)
	}
	account.Balance = tlb.Nano(balance.Uint64())
	switch state.Status {
	case tontlb.AccountStatusActive:
		account.Status = tlb.AccountActive
		account.Code, account.Data = state.StateInit.Code, state.StateInit.Data
	case tontlb.AccountStatusFrozen:
		account.Status = tlb.AccountFrozen
	default:
		account.Status = tlb.AccountUninit
	}
	return account, nil
}

// findAccount follows the path to an account, or to the place where it would be.
//
//	_ (HashmapAugE 256 ShardAccount DepthBalanceInfo) = ShardAccounts
//	account_descr$_ account:^Account last_trans_hash:bits256 last_trans_lt:uint64 = ShardAccount
func findAccount(accounts *cell.Cell, a *address.Address) (entry tontlb.ShardAccount, ok bool, err error) {
	s, err := read(accounts)
	if err != nil {
		return entry, false, fmt.Errorf("accounts: %w", err)
	}
	dict, err := s.LoadDict(256)
	if err != nil {
		return entry, false, fmt.Errorf("%w: accounts: %v", ErrProof, err)
	}
	value, ok, err := find(dict, cell.BeginCell().MustStoreSlice(a.Data(), 256).EndCell())
	if !ok || err != nil {
		return entry, false, err
	}
	var extra tontlb.DepthBalanceInfo
	if err = tontlb.LoadFromCell(&extra, value); err == nil {
		err = tontlb.LoadFromCell(&entry, value)
	}
	if err != nil {
		return entry, false, fmt.Errorf("%w: entry of the account: %v", ErrProof, err)
	}
	return entry, true, nil
}
