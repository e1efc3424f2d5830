package strict

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"

	"github.com/xssnick/tonutils-go/address"
	tontlb "github.com/xssnick/tonutils-go/tlb"
	"github.com/xssnick/tonutils-go/ton"
	"github.com/xssnick/tonutils-go/tvm/cell"
)

// blocks reads a masterchain block and the shard blocks it lists. It returns the
// accounts that had transactions in them.
func (w *walker) blocks(ctx context.Context) ([]*address.Address, error) {
	master, err := w.master(ctx, w.pick())
	if err != nil {
		return nil, err
	}
	shards, err := w.api.GetBlockShardsInfo(ctx, master)
	if err != nil {
		return nil, fmt.Errorf("shards of block %d: %w", master.SeqNo, err)
	}
	var touched []*address.Address
	for _, id := range append(shards, master) {
		if id.SeqNo == 0 {
			continue // a zero state is no block
		}
		seen, err := w.block(ctx, id)
		if err != nil {
			return nil, fmt.Errorf("block %d:%016x:%d: %w", id.Workchain, uint64(id.Shard), id.SeqNo, err)
		}
		touched = append(touched, seen...)
	}
	w.report.Shards += len(shards)
	return touched, w.config(ctx)
}

// block reads one block in every way there is.
func (w *walker) block(ctx context.Context, id *ton.BlockIDExt) ([]*address.Address, error) {
	data, err := ask[ton.BlockData](ctx, w, ton.GetBlockData{ID: id})
	if err != nil {
		return nil, err
	}
	if sum := sha256.Sum256(data.Payload); !bytes.Equal(sum[:], id.FileHash) {
		return nil, mismatch("bytes hash to %x, not %x", sum, id.FileHash)
	}
	root, err := cell.FromBOC(data.Payload)
	if err != nil {
		return nil, err
	}
	if !bytes.Equal(root.Hash(), id.RootHash) {
		return nil, mismatch("root hash is %x, not %x", root.Hash(), id.RootHash)
	}
	var block tontlb.Block
	if err = tontlb.Parse(&block, root); err != nil {
		return nil, err
	}
	h, err := w.api.GetBlockHeader(ctx, id)
	if err != nil {
		return nil, fmt.Errorf("header: %w", err)
	}
	if h.SeqNo != id.SeqNo || h.EndLt != block.BlockInfo.EndLt || h.GenUtime != block.BlockInfo.GenUtime {
		return nil, mismatch("header of block %d at %d, not of the block", h.SeqNo, h.EndLt)
	}
	if err = w.findAgain(ctx, id, h); err != nil {
		return nil, err
	}
	w.report.Blocks++
	return w.transactionsOf(ctx, id)
}

// findAgain looks a block up in every way, and its parent.
func (w *walker) findAgain(ctx context.Context, id *ton.BlockIDExt, h *tontlb.BlockHeader) error {
	for _, q := range []ton.LookupBlockWithProof{{Mode: bySeqno}, {Mode: byLT, LT: h.EndLt}, {Mode: byTime, UTime: h.GenUtime}} {
		found, err := w.lookup(ctx, id.Workchain, id.Shard, q, id.SeqNo)
		if err != nil {
			return err
		}
		// Several blocks may have the same second; the first of them is found.
		if !found.Equals(id) && (q.Mode != byTime || found.SeqNo > id.SeqNo) {
			return mismatch("looked up in mode %d, block %d is block %d", q.Mode, id.SeqNo, found.SeqNo)
		}
	}
	parents, err := ton.GetParentBlocks(h)
	if err != nil {
		return err
	}
	if id.SeqNo > 1 {
		found, err := w.lookup(ctx, id.Workchain, id.Shard, ton.LookupBlockWithProof{Mode: bySeqno}, id.SeqNo-1)
		if err != nil {
			return err
		}
		if !contains(parents, found) {
			return mismatch("the block before is not block %d", found.SeqNo)
		}
	}
	if id.Workchain == -1 {
		return nil
	}
	proof, err := ask[ton.ShardBlockProof](ctx, w, ton.GetShardBlockProof{ID: id})
	if err != nil {
		return err
	}
	if err = w.prove(ctx, w.head, proof.MasterchainID); err != nil {
		return err
	}
	end, err := follow(proof.MasterchainID, proof.Links)
	if err == nil && !end.Equals(id) {
		err = mismatch("proof of a shard block leads to block %d", end.SeqNo)
	}
	return err
}

// transactionsOf lists the transactions of a block, page by page, and reads each.
func (w *walker) transactionsOf(ctx context.Context, id *ton.BlockIDExt) ([]*address.Address, error) {
	const page = 16
	var touched []*address.Address
	var after *ton.TransactionID3
	for more := true; more; {
		var list []ton.TransactionShortInfo
		var err error
		if list, more, err = w.api.GetBlockTransactionsV2(ctx, id, page, after); err != nil {
			return nil, fmt.Errorf("transactions: %w", err)
		}
		for _, it := range list {
			account := address.NewAddress(0, byte(id.Workchain), it.Account)
			tx, err := w.api.GetTransaction(ctx, id, account, it.LT)
			if err != nil {
				return nil, fmt.Errorf("transaction %d of %s: %w", it.LT, account, err)
			}
			if !bytes.Equal(tx.Hash, it.Hash) || tx.LT != it.LT {
				return nil, mismatch("transaction %d of %s differs from the list's", it.LT, account)
			}
			w.report.Transactions++
			after = it.ID3()
			if n := len(touched); n == 0 || !touched[n-1].Equals(account) {
				touched = append(touched, account)
			}
		}
		if more && len(list) == 0 {
			return nil, mismatch("an empty page of transactions, and more after it")
		}
	}
	return touched, nil
}

// config reads the configuration as of the newest block, whole and in part.
func (w *walker) config(ctx context.Context) error {
	all, err := w.api.GetBlockchainConfig(ctx, w.head)
	if err != nil {
		return fmt.Errorf("configuration: %w", err)
	}
	some := []int32{8, 34}
	part, err := w.api.GetBlockchainConfig(ctx, w.head, some...)
	if err != nil {
		return fmt.Errorf("configuration: %w", err)
	}
	for _, n := range some {
		a, b := all.Get(n), part.Get(n)
		if a == nil || b == nil || !bytes.Equal(a.Hash(0), b.Hash(0)) {
			return mismatch("configuration parameter %d", n)
		}
	}
	return nil
}
