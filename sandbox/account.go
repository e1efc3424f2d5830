package sandbox

import (
	"context"
	"errors"
	"fmt"
	"math/big"

	"github.com/xssnick/tonutils-go/address"
	tontlb "github.com/xssnick/tonutils-go/tlb"
	"github.com/xssnick/tonutils-go/tvm/cell"

	"github.com/tussah-network/tussah/tlb"
)

// noAccount is account_none$0, the state of an account that does not exist.
var noAccount = cell.BeginCell().MustStoreBoolBit(false).EndCell()

// readAccount looks an account up in a state's dictionary.
func readAccount(accounts *tontlb.ShardAccountsAugDict, id accountID) (*tontlb.ShardAccount, error) {
	if accounts.IsEmpty() {
		return absentAccount(), nil
	}
	value, err := accounts.LoadValue(hashKey(id.hash))
	if errors.Is(err, cell.ErrNoSuchKeyInDict) {
		return absentAccount(), nil
	}
	var state tontlb.ShardAccount
	if err == nil {
		err = tontlb.LoadFromCell(&state, value)
	}
	if err != nil {
		return nil, fmt.Errorf("account %s in state: %w", id.address(), err)
	}
	return &state, nil
}

func absentAccount() *tontlb.ShardAccount {
	return &tontlb.ShardAccount{Account: noAccount, LastTransHash: make([]byte, 32)}
}

// viewAccount turns an account's state into the value the rest of the system
// speaks of.
func viewAccount(id accountID, state *tontlb.ShardAccount) (tlb.Account, error) {
	var parsed tontlb.AccountState
	if err := tontlb.Parse(&parsed, state.Account); err != nil {
		return tlb.Account{}, fmt.Errorf("account %s: %w", id.address(), err)
	}
	view := tlb.Account{
		Address: id.address(), Status: statusOf(&parsed), Balance: nano(parsed.Balance),
		LastLT: state.LastTransLT, LastHash: [32]byte(state.LastTransHash),
	}
	if parsed.StateInit != nil {
		view.Code, view.Data = parsed.StateInit.Code, parsed.StateInit.Data
	}
	return view, nil
}

func statusOf(a *tontlb.AccountState) tlb.AccountStatus {
	if !a.IsValid {
		return tlb.AccountAbsent
	}
	switch a.Status {
	case tontlb.AccountStatusActive:
		return tlb.AccountActive
	case tontlb.AccountStatusFrozen:
		return tlb.AccountFrozen
	}
	return tlb.AccountUninit
}

// nano narrows an amount of the library's to ours. Nothing on this chain can
// hold more than [tlb.MaxNano], since genesis is checked and minting too.
func nano(c tontlb.Coins) tlb.Nano { return tlb.Nano(c.Nano().Uint64()) }

// Account returns an account after the given master block; the zero block
// means the newest. One that does not exist is [tlb.AccountAbsent], not an
// error.
func (c *Chain) Account(_ context.Context, at tlb.Block, a *address.Address) (tlb.Account, error) {
	id, err := idOf(a)
	if err != nil {
		return tlb.Account{}, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	state, err := c.stateAt(at, id)
	if err != nil {
		return tlb.Account{}, err
	}
	if c.store != nil { // the caller is not to depend on the disk
		whole := *state
		if whole.Account, err = state.Account.PrewarmRecursive(0); err != nil {
			return tlb.Account{}, fmt.Errorf("account %s: %w", id.address(), err)
		}
		state = &whole
	}
	return viewAccount(id, state)
}

// stateAt reads an account as the given master block has it: in the state of
// the shard block it refers to.
func (c *Chain) stateAt(at tlb.Block, id accountID) (*tontlb.ShardAccount, error) {
	s, err := c.shardOf(id)
	if err != nil {
		return nil, err
	}
	if at == (tlb.Block{}) {
		return s.account(id)
	}
	if err := c.build(); err != nil {
		return nil, err
	}
	if at.RootHash == c.master.last.root {
		return s.account(id)
	}
	m, err := c.histories[masterID].exact(BlockID{
		Workchain: masterchain, SeqNo: at.Seqno, RootHash: at.RootHash[:], FileHash: at.FileHash[:],
	})
	if err != nil {
		return nil, err
	}
	if !s.id.master() {
		m = c.histories[s.id].before(m.start)
	}
	root, err := c.state(m)
	if err != nil {
		return nil, err
	}
	var state tontlb.ShardStateUnsplit
	if err := tontlb.Parse(&state, root); err != nil {
		return nil, fmt.Errorf("state: %w", err)
	}
	return readAccount(state.Accounts.ShardAccounts, id)
}

// genesisState builds the first state of an account.
func genesisState(g GenesisAccount, now uint32) (*cell.Cell, error) {
	s := tontlb.AccountStorage{Status: tontlb.AccountStatusUninit, Balance: coins(uint64(g.Balance))}
	if g.Code != nil {
		data := g.Data
		if data == nil {
			data = cell.BeginCell().EndCell()
		}
		s.Status = tontlb.AccountStatusActive
		s.StateInit = &tontlb.StateInit{Code: g.Code, Data: data}
	}
	return buildAccount(tontlb.AccountState{
		IsValid: true, Address: g.Address, AccountStorage: s, StorageInfo: tontlb.StorageInfo{LastPaid: now},
	})
}

// buildAccount writes an account's state, and counts its cells for that.
func buildAccount(state tontlb.AccountState) (*cell.Cell, error) {
	stored, err := tontlb.ToCell(state.AccountStorage)
	if err != nil {
		return nil, err
	}
	cells, bits, err := measure(stored)
	if err != nil {
		return nil, err
	}
	state.StorageInfo.StorageUsed = tontlb.StorageUsed{CellsUsed: new(big.Int).SetUint64(cells), BitsUsed: new(big.Int).SetUint64(bits)}
	state.StorageInfo.StorageExtra = tontlb.StorageExtraNone{}
	return tontlb.ToCell(state)
}

// genesisEntry is the account as the dictionary of accounts has it.
func genesisEntry(g GenesisAccount, now uint32) (*cell.Cell, error) {
	state, err := genesisState(g, now)
	if err != nil {
		return nil, err
	}
	return tontlb.ToCell(tontlb.ShardAccount{Account: state, LastTransHash: make([]byte, 32)})
}

// measure counts the distinct cells below a root, and their bits, which is
// what storage is charged for.
func measure(root *cell.Cell) (cells, bits uint64, err error) {
	seen := map[cell.Hash]bool{}
	var walk func(*cell.Cell) error
	walk = func(c *cell.Cell) error {
		if seen[c.HashKey()] {
			return nil
		}
		seen[c.HashKey()] = true
		c, err := c.Prewarm()
		if err != nil {
			return err
		}
		cells++
		bits += uint64(c.BitsSize())
		for i := range int(c.RefsNum()) {
			ref, err := c.PeekRef(i)
			if err != nil {
				return err
			}
			if err := walk(ref); err != nil {
				return err
			}
		}
		return nil
	}
	err = walk(root)
	return cells, bits, err
}
