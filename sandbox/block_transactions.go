package sandbox

import (
	"fmt"

	tontlb "github.com/xssnick/tonutils-go/tlb"

	"github.com/tussah-network/tussah/tlb"
)

// BlockTransactions returns all transactions of a block, by account and then by
// logical time. It is how to see the end of an account that is no more.
func (c *Chain) BlockTransactions(id BlockID) ([]tlb.Tx, error) {
	root, err := c.Block(id)
	if err != nil {
		return nil, err
	}
	blocks, err := accountBlocks(root)
	if err != nil {
		return nil, err
	}
	accounts, err := blocks.IteratorExtra(false, false)
	if err != nil {
		return nil, fmt.Errorf("account blocks: %w", err)
	}
	var all []tlb.Tx
	for accounts.Next() {
		item := accounts.Item()
		hash, err := item.Key.MustBeginParse().LoadSlice(256)
		if err != nil {
			return nil, err
		}
		var block tontlb.AccountBlock
		if err := tontlb.LoadFromCell(&block, item.Value); err != nil {
			return nil, fmt.Errorf("account block: %w", err)
		}
		txs, err := block.Transactions.IteratorExtra(false, false)
		if err != nil {
			return nil, fmt.Errorf("account block: %w", err)
		}
		for txs.Next() {
			root, err := txs.Item().Value.PeekRefCell()
			if err != nil {
				return nil, err
			}
			seen, err := viewTransaction(accountID{workchain: id.Workchain, hash: [32]byte(hash)}, root)
			if err != nil {
				return nil, err
			}
			all = append(all, seen)
		}
		if err := txs.Err(); err != nil {
			return nil, err
		}
	}
	if err := accounts.Err(); err != nil {
		return nil, err
	}
	return all, nil
}
