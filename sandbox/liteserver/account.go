package liteserver

import (
	"errors"
	"fmt"

	"github.com/xssnick/tonutils-go/tl"
	tontlb "github.com/xssnick/tonutils-go/tlb"
	"github.com/xssnick/tonutils-go/ton"
	"github.com/xssnick/tonutils-go/tvm/cell"
)

// located is an account found, or proven to be absent, in a state.
type located struct {
	ref     *view       // the block the client referred to
	shard   *view       // the block whose state has the account; ref in the masterchain; nil: no such workchain
	entry   *shardEntry // from ref to shard; nil when they are the same
	proof   []*cell.Cell
	account *cell.Cell // nil: absent
	lastLT  uint64
	last    [32]byte
}

// locate finds an account as of a block, which may be a masterchain block or
// one of the account's own shard.
func (a *answerer) locate(id *BlockID, account ton.AccountID) (*located, error) {
	if len(account.ID) != 32 {
		return nil, badQuery("incomplete account id")
	}
	ref, err := a.view(id)
	if err != nil {
		return nil, err
	}
	l := &located{ref: ref, shard: ref}
	prefix := accountPrefix(account.ID)
	switch at := &ref.block.id; {
	case isMaster(at) && account.Workchain != masterchain:
		if l.entry, err = ref.shard(account.Workchain, prefix); err != nil {
			return nil, err
		}
		if l.entry.leaf == nil {
			l.shard = nil
			return l, nil
		}
		if l.shard, err = a.view(&l.entry.id); err != nil {
			return nil, err
		}
	case at.Workchain != account.Workchain || !contains(at.Shard, prefix):
		return nil, badQuery("account is not in the shard of the reference block")
	}

	l.proof, err = l.shard.stateProof(func(state *cell.Cell) error {
		found, err := findAccount(state, account.ID)
		if err != nil || found == nil {
			return err
		}
		// Clients get it whole, and what a method makes of it is not to depend on
		// whether the chain can be read meanwhile.
		if l.account, err = whole(found.Account.WithoutTrace()); err != nil {
			return fmt.Errorf("account: %w", err)
		}
		l.lastLT, l.last = found.LastTransLT, [32]byte(found.LastTransHash)
		return nil
	})
	return l, err
}

// findAccount opens the path to an account in a state; nil if it is absent, in
// which case the path opened proves that.
func findAccount(state *cell.Cell, address []byte) (*tontlb.ShardAccount, error) {
	c, err := child(state, stateAccounts)
	if err != nil {
		return nil, err
	}
	s, err := c.BeginParse()
	if err != nil {
		return nil, err
	}
	var accounts tontlb.ShardAccountsAugDict
	if err = accounts.LoadFromCell(s); err != nil {
		return nil, fmt.Errorf("shard accounts: %w", err)
	}
	key := cell.BeginCell().MustStoreSlice(address, 256).EndCell()
	value, err := accounts.LoadValue(key)
	if errors.Is(err, cell.ErrNoSuchKeyInDict) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("shard accounts: %w", err)
	}
	var found tontlb.ShardAccount
	if err = tontlb.LoadFromCell(&found, value); err != nil {
		return nil, fmt.Errorf("shard account: %w", err)
	}
	return &found, nil
}

// shardID names the block whose state was looked into.
func (l *located) shardID() *BlockID {
	if l.shard == nil {
		none := noBlock()
		return &none
	}
	return &l.shard.block.id
}

// shardProof leads from ref to shard; nothing where they are the same.
func (l *located) shardProof() []*cell.Cell {
	if l.entry == nil {
		return nil
	}
	return l.entry.proof
}

func (a *answerer) accountState(id *BlockID, account ton.AccountID, pruned bool) (tl.Serializable, error) {
	l, err := a.locate(id, account)
	if err != nil {
		return nil, err
	}
	answer := ton.AccountState{ID: &l.ref.block.id, Shard: l.shardID(), ShardProof: l.shardProof(), Proof: l.proof, State: l.account}
	if pruned && l.account != nil {
		// Balance, status and the hashes of code and data, but not their content.
		if answer.State, err = prove(l.account, open); err != nil {
			return nil, err
		}
	}
	return answer, nil
}
