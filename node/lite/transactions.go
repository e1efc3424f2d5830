package lite

import (
	"bytes"
	"context"
	"fmt"
	"time"

	"github.com/xssnick/tonutils-go/address"
	"github.com/xssnick/tonutils-go/ton"
	"github.com/xssnick/tonutils-go/tvm/cell"

	"github.com/tussah-network/tussah/tlb"
)

// Transactions returns up to limit transactions of an account, newest first, from
// the one named on. A proven account names its newest one, and each names the one
// before it, so hashes prove the whole chain. There may be fewer than asked for;
// the last one returned names where to go on.
func (c *Client) Transactions(ctx context.Context, a *address.Address, lt uint64, hash [32]byte, limit int) ([]tlb.Tx, error) {
	if err := checkAddress(a); err != nil {
		return nil, err
	}
	if lt == 0 || limit <= 0 {
		return nil, nil
	}
	id := accountID(a)
	limit = min(limit, maxIDs)
	query := encode(ton.GetTransactions{Limit: int32(limit), AccID: &id, LT: int64(lt), TxHash: hash[:]})
	var txs []tlb.Tx
	err := c.each(ctx, func(ctx context.Context, ask asker) error {
		answer, err := ask(ctx, query)
		if err == nil {
			txs, err = readTransactions(answer, a, lt, hash, limit)
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("transactions of %s from %d: %w", a.StringRaw(), lt, err)
	}
	return txs, nil
}

func readTransactions(answer []byte, a *address.Address, lt uint64, hash [32]byte, limit int) ([]tlb.Tx, error) {
	r, err := open(answer, tagTransactions)
	if err != nil {
		return nil, err
	}
	n := r.count(maxIDs)
	for range n {
		r.block() // where it happened, unproven and not needed
	}
	boc := r.bytes()
	if err = r.close(); err != nil {
		return nil, err
	}
	if n == 0 || n > limit {
		return nil, fmt.Errorf("%w: %d transactions, asked for at least 1 and at most %d", ErrHistory, n, limit)
	}
	roots, err := parse(boc, n)
	if err != nil {
		return nil, err
	}
	txs := make([]tlb.Tx, 0, n)
	for _, root := range roots {
		if lt == 0 {
			return nil, fmt.Errorf("%w: more of them than there are", ErrHistory)
		}
		if root.HashKey() != hash {
			return nil, fmt.Errorf("%w: hash of %d is another", ErrHistory, lt)
		}
		tx, err := readTransaction(root, a)
		if err != nil {
			return nil, err
		}
		if tx.LT != lt || tx.PrevLT >= tx.LT {
			return nil, fmt.Errorf("%w: %d after %d, want %d", ErrHistory, tx.LT, tx.PrevLT, lt)
		}
		txs = append(txs, tx)
		lt, hash = tx.PrevLT, tx.PrevHash
	}
	return txs, nil
}

// readTransaction reads how a transaction begins.
//
//	transaction$0111 account_addr:bits256 lt:uint64 prev_trans_hash:bits256
//	  prev_trans_lt:uint64 now:uint32 … = Transaction
func readTransaction(root *cell.Cell, a *address.Address) (tlb.Tx, error) {
	s, err := read(root)
	if err != nil {
		return tlb.Tx{}, err
	}
	head, err := s.LoadSlice(4 + 256 + 64 + 256 + 64 + 32)
	if err != nil {
		return tlb.Tx{}, fmt.Errorf("%w: not a transaction", ErrHistory)
	}
	h := cell.BeginCell().MustStoreSlice(head, 4+256+64+256+64+32).ToSlice()
	if h.MustLoadUInt(4) != 0b0111 {
		return tlb.Tx{}, fmt.Errorf("%w: not a transaction", ErrHistory)
	}
	if !bytes.Equal(h.MustLoadSlice(256), a.Data()) {
		return tlb.Tx{}, fmt.Errorf("%w: transaction of another account", ErrHistory)
	}
	tx := tlb.Tx{Account: a, Root: root, Hash: root.HashKey()}
	tx.LT = h.MustLoadUInt(64)
	tx.PrevHash = [32]byte(h.MustLoadSlice(256))
	tx.PrevLT = h.MustLoadUInt(64)
	tx.Time = time.Unix(int64(h.MustLoadUInt(32)), 0)
	return tx, nil
}
