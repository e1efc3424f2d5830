package liteserver

import (
	"bytes"
	"math"

	"github.com/xssnick/tonutils-go/tl"
	"github.com/xssnick/tonutils-go/ton"
	"github.com/xssnick/tonutils-go/tvm/cell"
)

// listQuery is what listBlockTransactions and ...Ext have in common.
type listQuery struct {
	id    *BlockID
	mode  uint32
	count uint32
	after *ton.TransactionID3
}

// Bits of a list query's mode. The lowest three also say which fields of a
// transaction ID are wanted.
const (
	listFields    = 7
	listWantProof = 1 << 5
	listReverse   = 1 << 6
	listAfter     = 1 << 7
)

// listed is one transaction of a block.
type listed struct {
	account []byte
	lt      uint64
	tx      *cell.Cell
}

// list collects the transactions of a block in the order of account and logical
// time, from the query's starting point on. more tells that there are others.
func (q listQuery) list(root *cell.Cell) (items []listed, more bool, err error) {
	count := int(min(q.count, maxBlockTransactions))
	reverse := q.mode&listReverse != 0
	accounts, err := accountBlocks(root)
	if err != nil {
		return nil, false, err
	}
	var after []byte
	edge := uint64(0) // where an account's transactions start in this order
	if reverse {
		edge = math.MaxUint64
	}
	var blocks *cell.AugDictIterator
	if q.mode&listAfter != 0 && q.after != nil {
		if len(q.after.Account) != 32 {
			return nil, false, badQuery("incomplete account id")
		}
		after = q.after.Account
		key := cell.BeginCell().MustStoreSlice(after, 256).EndCell()
		blocks, err = accounts.IteratorExtraAt(key, reverse, false, true)
	} else {
		blocks, err = accounts.IteratorExtra(reverse, false)
	}
	if err != nil {
		return nil, false, err
	}
	for blocks.Next() {
		item := blocks.Item()
		key, err := item.Key.BeginParse()
		if err != nil {
			return nil, false, err
		}
		account, err := key.LoadSlice(256)
		if err != nil {
			return nil, false, err
		}
		from := edge
		if bytes.Equal(account, after) {
			from = q.after.LT
		}
		txs, err := accountTransactions(item.Value, from, reverse)
		if err != nil {
			return nil, false, err
		}
		for txs.Next() {
			lt, tx, err := transactionItem(txs.Item())
			if err != nil {
				return nil, false, err
			}
			if bytes.Equal(account, after) && lt == q.after.LT {
				continue
			}
			if len(items) == count {
				return items, true, nil
			}
			items = append(items, listed{account, lt, tx.WithoutTrace()})
		}
		if err = txs.Err(); err != nil {
			return nil, false, err
		}
	}
	return items, false, blocks.Err()
}

// run lists, with a proof if the query wants one.
func (a *answerer) runList(q listQuery) (b *block, items []listed, more bool, proof *cell.Cell, err error) {
	if b, err = a.block(q.id); err != nil {
		return
	}
	if q.mode&listWantProof == 0 {
		items, more, err = q.list(b.root)
		return
	}
	proof, err = prove(b.root, func(root *cell.Cell) error {
		if err := visitHeader(root); err != nil {
			return err
		}
		items, more, err = q.list(root)
		return err
	})
	return
}

func (a *answerer) blockTransactions(q listQuery) (tl.Serializable, error) {
	b, items, more, proof, err := a.runList(q)
	if err != nil {
		return nil, err
	}
	ids := make([]ton.TransactionID, 0, len(items))
	for _, it := range items {
		ids = append(ids, ton.TransactionID{
			Flags: q.mode & listFields, Account: it.account, LT: it.lt, Hash: it.tx.Hash(),
		})
	}
	return ton.BlockTransactions{
		ID: &b.id, ReqCount: int32(q.count), Incomplete: more, TransactionIds: ids, Proof: proof,
	}, nil
}

func (a *answerer) blockTransactionsExt(q listQuery) (tl.Serializable, error) {
	b, items, more, proof, err := a.runList(q)
	if err != nil {
		return nil, err
	}
	answer := ton.BlockTransactionsExt{ID: &b.id, ReqCount: int32(q.count), Incomplete: more}
	for _, it := range items {
		answer.Transactions = append(answer.Transactions, it.tx)
	}
	if proof != nil {
		answer.Proof, err = encode(proof)
	}
	return answer, err
}
