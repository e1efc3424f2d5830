package liteserver

import (
	"bytes"
	"errors"
	"fmt"

	"github.com/xssnick/tonutils-go/tl"
	tontlb "github.com/xssnick/tonutils-go/tlb"
	"github.com/xssnick/tonutils-go/ton"
	"github.com/xssnick/tonutils-go/tvm/cell"

	"github.com/tussah-network/tussah/sandbox"
)

// accountBlocks opens the transactions of a block, by account.
func accountBlocks(block *cell.Cell) (*tontlb.ShardAccountBlocksAugDict, error) {
	extra, err := child(block, blockExtra)
	if err != nil {
		return nil, err
	}
	c, err := child(extra, extraAccounts)
	if err != nil {
		return nil, err
	}
	s, err := c.BeginParse()
	if err != nil {
		return nil, err
	}
	var accounts tontlb.ShardAccountBlocksAugDict
	if err = accounts.LoadFromCell(s); err != nil {
		return nil, fmt.Errorf("account blocks: %w", err)
	}
	return &accounts, nil
}

// accountTransactions walks the transactions in an AccountBlock from lt on,
// upwards or downwards:
//
//	acc_trans#5 account_addr:bits256 transactions:(HashmapAug 64 ^Transaction CurrencyCollection) ...
//
// The dictionary stands inline, so the iterator reads it in place: that keeps
// track of what is opened for a proof.
func accountTransactions(s *cell.Slice, lt uint64, reverse bool) (*cell.AugDictIterator, error) {
	if tag, err := s.LoadUInt(4); err != nil || tag != 5 {
		return nil, errors.New("malformed account block")
	}
	if _, err := s.LoadSlice(256); err != nil {
		return nil, err
	}
	skipRef := func(s *cell.Slice) error {
		_, err := s.LoadRefCell()
		return err
	}
	key := cell.BeginCell().MustStoreUInt(lt, 64).EndCell()
	return s.AugDictInlineIteratorAt(64, tontlb.AugAccountTransactions{}, skipRef, key, reverse, false, true)
}

// findTransaction opens the path to a transaction in a block, without the
// transaction itself; nil if there is none.
func findTransaction(block *cell.Cell, account []byte, lt uint64) (*cell.Cell, error) {
	accounts, err := accountBlocks(block)
	if err != nil {
		return nil, err
	}
	value, _, err := accounts.LoadValueExtra(cell.BeginCell().MustStoreSlice(account, 256).EndCell())
	if errors.Is(err, cell.ErrNoSuchKeyInDict) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	txs, err := accountTransactions(value, lt, false)
	if err != nil {
		return nil, err
	}
	if !txs.Next() {
		return nil, txs.Err()
	}
	found, tx, err := transactionItem(txs.Item())
	if err != nil || found != lt {
		return nil, err
	}
	return tx, nil
}

func transactionItem(item cell.AugDictItem) (uint64, *cell.Cell, error) {
	key, err := item.Key.BeginParse()
	if err != nil {
		return 0, nil, err
	}
	lt, err := key.LoadUInt(64)
	if err != nil {
		return 0, nil, err
	}
	tx, err := item.Value.PeekRefCell()
	return lt, tx, err
}

// previous reads which transaction of the account came before tx:
//
//	transaction$0111 account_addr:bits256 lt:uint64 prev_trans_hash:bits256 prev_trans_lt:uint64 ...
func previous(tx *cell.Cell) (lt uint64, hash []byte, err error) {
	s, err := tx.BeginParse()
	if err != nil {
		return 0, nil, err
	}
	if _, err = s.LoadSlice(4 + 256 + 64); err != nil {
		return 0, nil, err
	}
	if hash, err = s.LoadSlice(256); err != nil {
		return 0, nil, err
	}
	lt, err = s.LoadUInt(64)
	return lt, hash, err
}

func (a *answerer) oneTransaction(q ton.GetOneTransaction) (tl.Serializable, error) {
	b, err := a.block(q.ID)
	if err != nil {
		return nil, err
	}
	if q.AccID == nil || len(q.AccID.ID) != 32 {
		return nil, badQuery("incomplete account id")
	}
	if b.id.Workchain != q.AccID.Workchain || !contains(b.id.Shard, accountPrefix(q.AccID.ID)) {
		return nil, badQuery("account is not in the shard of the block")
	}
	var tx *cell.Cell
	proof, err := prove(b.root, func(root *cell.Cell) error {
		if err := visitHeader(root); err != nil {
			return err
		}
		tx, err = findTransaction(root, q.AccID.ID, uint64(q.LT))
		return err
	})
	if err != nil {
		return nil, err
	}
	answer := ton.TransactionInfo{ID: &b.id}
	if answer.Proof, err = encode(proof); err != nil {
		return nil, err
	}
	if tx != nil {
		answer.Transaction, err = encode(tx.WithoutTrace())
	}
	return answer, err
}

// transactions walks an account's history back from one transaction.
func (a *answerer) transactions(q ton.GetTransactions) (tl.Serializable, error) {
	if q.AccID == nil || len(q.AccID.ID) != 32 || len(q.TxHash) != 32 {
		return nil, badQuery("incomplete account id")
	}
	if q.Limit <= 0 {
		return nil, badQuery("count must be positive")
	}
	limit := min(int(q.Limit), maxTransactions)
	account, lt, hash := *q.AccID, uint64(q.LT), q.TxHash

	shard, err := a.shardOf(account.Workchain, int64(accountPrefix(account.ID)))
	if errors.Is(err, ErrNotFound) {
		return nil, ErrNoTransaction
	}
	if err != nil {
		return nil, err
	}

	var ids []*BlockID
	var txs []*cell.Cell
	var b *block
	for len(txs) < limit && lt != 0 {
		tx, at, err := a.transactionAt(b, account, shard, lt)
		if err == nil && !bytes.Equal(tx.Hash(), hash) {
			err = fmt.Errorf("%w: transaction hash mismatch", ErrNoTransaction)
		}
		if err != nil {
			if len(txs) > 0 {
				break // history is shorter than asked for
			}
			return nil, err
		}
		b = at
		ids, txs = append(ids, &at.id), append(txs, tx)
		if lt, hash, err = previous(tx); err != nil {
			return nil, err
		}
	}
	if len(txs) == 0 {
		return ton.TransactionList{}, nil
	}
	data, err := encode(txs...)
	if err != nil {
		return nil, err
	}
	return ton.TransactionList{IDs: ids, Transactions: data}, nil
}

// transactionAt finds a transaction by its logical time. near, if not nil, is a
// block that may well have it.
func (a *answerer) transactionAt(near *block, account ton.AccountID, shard int64, lt uint64) (*cell.Cell, *block, error) {
	if near == nil || lt < near.header.StartLt || lt > near.header.EndLt {
		id, err := a.src.Lookup(account.Workchain, shard, Lookup{Mode: sandbox.ByLT, LT: lt})
		if errors.Is(err, ErrNotFound) {
			return nil, nil, ErrNoTransaction
		}
		if err != nil {
			return nil, nil, err
		}
		if near, err = a.block(&id); err != nil {
			return nil, nil, err
		}
	}
	tx, err := findTransaction(near.root, account.ID, lt)
	if err != nil {
		return nil, nil, err
	}
	if tx == nil {
		return nil, nil, ErrNoTransaction
	}
	return tx, near, nil
}
