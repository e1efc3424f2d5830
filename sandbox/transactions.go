package sandbox

import (
	"context"
	"fmt"
	"time"

	"github.com/xssnick/tonutils-go/address"
	tontlb "github.com/xssnick/tonutils-go/tlb"
	"github.com/xssnick/tonutils-go/tvm/cell"

	"github.com/tussah-network/tussah/tlb"
)

// Transactions returns transactions of an account, newest first, beginning
// with the one at (lt, hash) and at most limit. An account names its newest in
// [tlb.Account]'s LastLT and LastHash.
func (c *Chain) Transactions(_ context.Context, a *address.Address, lt uint64, hash [32]byte, limit int) ([]tlb.Tx, error) {
	id, err := idOf(a)
	if err != nil {
		return nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	var out []tlb.Tx
	for lt != 0 && len(out) < limit {
		tx, err := c.transaction(id, lt)
		if err != nil {
			return nil, fmt.Errorf("transaction of %s at lt %d: %w", a, lt, err)
		}
		if tx.Hash != hash {
			return nil, fmt.Errorf("transaction of %s at lt %d has hash %x, not %x: %w", a, lt, tx.Hash, hash, ErrNotFound)
		}
		out = append(out, tx)
		lt, hash = tx.PrevLT, tx.PrevHash
	}
	return out, nil
}

// transaction finds the transaction of an account at a logical time, in the
// block of its shard around that time.
func (c *Chain) transaction(id accountID, lt uint64) (tlb.Tx, error) {
	s, err := c.shardOf(id)
	if err != nil {
		return tlb.Tx{}, err
	}
	// A block's end is after everything in it.
	if err := c.build(); err != nil {
		return tlb.Tx{}, err
	}
	m, err := c.histories[s.id].find(Lookup{Mode: ByLT, LT: lt + 1})
	if err != nil {
		return tlb.Tx{}, err
	}
	if m.seqno == 0 || lt < m.start {
		return tlb.Tx{}, ErrNotFound
	}
	root, err := c.block(m)
	if err != nil {
		return tlb.Tx{}, err
	}
	return transactionIn(root, id, lt)
}

// transactionIn finds a transaction in a block.
func transactionIn(root *cell.Cell, id accountID, lt uint64) (tlb.Tx, error) {
	blocks, err := accountBlocks(root)
	if err != nil {
		return tlb.Tx{}, err
	}
	value, err := blocks.LoadValue(hashKey(id.hash))
	if err != nil {
		return tlb.Tx{}, ErrNotFound
	}
	var block tontlb.AccountBlock
	if err := tontlb.LoadFromCell(&block, value); err != nil {
		return tlb.Tx{}, fmt.Errorf("account block: %w", err)
	}
	value, err = block.Transactions.LoadValue(cell.BeginCell().MustStoreUInt(lt, 64).EndCell())
	if err != nil {
		return tlb.Tx{}, ErrNotFound
	}
	tx, err := value.LoadRefCell()
	if err != nil {
		return tlb.Tx{}, err
	}
	return viewTransaction(id, tx)
}

// accountBlocks are a block's transactions, by account.
func accountBlocks(root *cell.Cell) (*tontlb.ShardAccountBlocksAugDict, error) {
	extra, err := root.PeekRef(3)
	if err != nil {
		return nil, fmt.Errorf("block extra: %w", err)
	}
	list, err := extra.PeekRef(2)
	if err != nil {
		return nil, fmt.Errorf("account blocks: %w", err)
	}
	var blocks tontlb.ShardAccountBlocks
	if err := tontlb.Parse(&blocks, list); err != nil {
		return nil, fmt.Errorf("account blocks: %w", err)
	}
	return blocks.Accounts, nil
}

// stateAfter is the hash of the state a block leads to: the new side of its
// Merkle update.
func stateAfter(root *cell.Cell) ([32]byte, error) {
	update, err := root.PeekRef(2)
	if err != nil {
		return [32]byte{}, fmt.Errorf("state update: %w", err)
	}
	state, err := update.PeekRef(1)
	if err != nil {
		return [32]byte{}, fmt.Errorf("state update: %w", err)
	}
	return state.HashKey(0), nil
}

// viewTransaction reads the head of a transaction cell.
func viewTransaction(id accountID, root *cell.Cell) (tlb.Tx, error) {
	var tx tontlb.Transaction
	if err := tontlb.Parse(&tx, root); err != nil {
		return tlb.Tx{}, fmt.Errorf("parse transaction: %w", err)
	}
	return tlb.Tx{
		Account: id.address(), LT: tx.LT, Hash: root.HashKey(), PrevLT: tx.PrevTxLT, PrevHash: [32]byte(tx.PrevTxHash),
		Time: time.Unix(int64(tx.Now), 0), Root: root,
	}, nil
}
