package sandbox

import (
	"context"
	"fmt"
	"math/big"

	"github.com/xssnick/tonutils-go/address"
	tontlb "github.com/xssnick/tonutils-go/tlb"
	"github.com/xssnick/tonutils-go/tvm"
	"github.com/xssnick/tonutils-go/tvm/cell"

	"github.com/tussah-network/tussah/tlb"
)

// edit is a change to an account that no message makes. It is part of the next
// block of its shard: the state has it, the list of transactions does not.
type edit struct {
	id    accountID
	adds  tlb.Nano // to the supply, at most
	apply func(*tontlb.AccountState)
	// libraries, if set, changes the public libraries, not the account.
	libraries func(*cell.Cell) (*cell.Cell, error)
}

// SetBalance gives an account this many coins, from nowhere or to nowhere, see
// [Chain.Supply]. An account that does not exist is made. Like all edits, it is
// in the next block; in instant mode that is at once.
func (c *Chain) SetBalance(_ context.Context, a *address.Address, balance tlb.Nano) error {
	if balance > tlb.MaxNano {
		return fmt.Errorf("set balance of %s to %s: %w", a, balance, tlb.ErrOverflow)
	}
	return c.edit(a, balance, func(s *tontlb.AccountState) { s.Balance = coins(uint64(balance)) })
}

// SetCode replaces an account's code. An account that is not active becomes so.
func (c *Chain) SetCode(_ context.Context, a *address.Address, code *cell.Cell) error {
	if err := checkTree(code); err != nil {
		return fmt.Errorf("code of %s: %w", a, err)
	}
	return c.edit(a, 0, func(s *tontlb.AccountState) { activate(s).Code = code })
}

// SetData replaces an account's data. An account that is not active becomes so.
func (c *Chain) SetData(_ context.Context, a *address.Address, data *cell.Cell) error {
	if err := checkTree(data); err != nil {
		return fmt.Errorf("data of %s: %w", a, err)
	}
	return c.edit(a, 0, func(s *tontlb.AccountState) { activate(s).Data = data })
}

// maxTree is how deep a tree of cells may be that comes from outside: as deep as
// the virtual machine allows, with room for what is around it in a state.
const maxTree = 512

// checkTree refuses cells that cannot be part of a state.
func checkTree(c *cell.Cell) error {
	if c != nil && (c.Depth() > maxTree || c.Level() > 0) {
		return fmt.Errorf("%w: depth %d, level %d", ErrTree, c.Depth(), c.Level())
	}
	return nil
}

func activate(s *tontlb.AccountState) *tontlb.StateInit {
	init := tontlb.StateInit{Data: cell.BeginCell().EndCell()}
	if s.StateInit != nil {
		init = *s.StateInit // the state may be shared
	}
	s.Status, s.StateInit, s.StateHash = tontlb.AccountStatusActive, &init, nil
	return s.StateInit
}

func (c *Chain) edit(a *address.Address, adds tlb.Nano, apply func(*tontlb.AccountState)) error {
	id, err := idOf(a)
	if err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.err != nil {
		return c.err
	}
	if _, err := c.shardOf(id); err != nil {
		return err
	}
	if adds > 0 {
		if s, err := c.stateAt(tlb.Block{}, id); err != nil {
			return err
		} else if now, err := viewAccount(id, s); err == nil {
			adds -= min(adds, now.Balance)
		}
	}
	if err := c.mayMint(adds); err != nil {
		return fmt.Errorf("set balance of %s: %w", a, err)
	}
	if len(c.edits) >= c.maxPool {
		return ErrPoolFull
	}
	c.edits = append(c.edits, edit{id: id, adds: adds, apply: apply})
	return c.settle()
}

// mayMint refuses coins that, with all that waits, would be more than a balance
// can hold.
func (c *Chain) mayMint(n tlb.Nano) error {
	total := new(big.Int).Add(c.supply, new(big.Int).SetUint64(uint64(n)))
	for _, e := range c.edits {
		total.Add(total, new(big.Int).SetUint64(uint64(e.adds)))
	}
	for _, p := range c.pool {
		if p.impersonated != nil {
			total.Add(total, p.impersonated.value)
		}
	}
	if total.Cmp(maxSupply) > 0 {
		return tlb.ErrOverflow
	}
	return nil
}

// edit applies those of the edits that are for accounts of this shard, and
// returns the others.
func (c *collation) edit(edits []edit) (rest []edit, err error) {
	for _, e := range edits {
		if !c.shard.id.contains(e.id) {
			rest = append(rest, e)
			continue
		}
		if e.libraries != nil {
			if c.libraries, err = e.libraries(c.libraries); err != nil {
				return nil, fmt.Errorf("libraries: %w", err)
			}
			continue
		}
		if err := c.applyEdit(e); err != nil {
			return nil, fmt.Errorf("set account %s: %w", e.id.address(), err)
		}
	}
	return rest, nil
}

func (c *collation) applyEdit(e edit) error {
	old, err := c.lane(e.id)
	if err != nil {
		return err
	}
	state := tontlb.AccountState{IsValid: true, Address: e.id.address()}
	state.Status = tontlb.AccountStatusUninit
	state.Balance = coins(0)
	was := new(big.Int)
	if old.exists() {
		state = *old.account.State()
		was = state.Balance.Nano()
	} else {
		state.StorageInfo.LastPaid = c.now
	}
	e.apply(&state)
	root, err := buildAccount(state)
	if err != nil {
		return err
	}
	entry := *old.account.ShardAccount()
	entry.Account = root
	prepared, err := tvm.PrepareAccount(&entry, e.id.address())
	if err != nil {
		return err
	}
	if c.accounts[e.id.hash] == nil {
		c.accounts[e.id.hash] = &change{id: e.id, before: old.account.ShardAccount().Account}
	}
	c.accounts[e.id.hash].lane = lane{account: prepared}
	c.minted.Add(c.minted, new(big.Int).Sub(state.Balance.Nano(), was))
	return nil
}
