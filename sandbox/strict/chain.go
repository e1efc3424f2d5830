package strict

import (
	"context"
	"fmt"

	"github.com/xssnick/tonutils-go/ton"
)

// masterShard is the one shard of the masterchain.
const masterShard = int64(-1 << 63)

// chain follows the masterchain over each of its key blocks, back from the
// newest block, and between pairs of blocks picked at random.
func (w *walker) chain(ctx context.Context) error {
	keys, err := w.keyBlocks(ctx)
	if err != nil {
		return err
	}
	w.report.KeyBlocks = len(keys)
	for i := 1; i < len(keys); i++ {
		if err = w.prove(ctx, keys[i-1], keys[i]); err != nil {
			return err
		}
	}
	if err = w.prove(ctx, w.head, w.opt.Trusted); err != nil {
		return err
	}
	for range 2 {
		a, err := w.master(ctx, w.pick())
		if err != nil {
			return err
		}
		b, err := w.master(ctx, w.pick())
		if err != nil {
			return err
		}
		if err = w.prove(ctx, a, b); err != nil {
			return err
		}
	}
	return nil
}

func (w *walker) prove(ctx context.Context, from, to *ton.BlockIDExt) error {
	if err := w.api.VerifyProofChain(ctx, from, to); err != nil {
		return fmt.Errorf("from masterchain block %d to %d: %w", from.SeqNo, to.SeqNo, err)
	}
	return nil
}

// keyBlocks finds the key blocks from the newest block back to the trusted one:
// each block's proven header names the key block before it.
func (w *walker) keyBlocks(ctx context.Context) ([]*ton.BlockIDExt, error) {
	var keys []*ton.BlockIDExt
	for at := w.head; ; {
		h, err := w.api.GetBlockHeader(ctx, at)
		if err != nil {
			return nil, fmt.Errorf("header of masterchain block %d: %w", at.SeqNo, err)
		}
		if h.SeqNo != at.SeqNo {
			return nil, mismatch("masterchain block %d has number %d", at.SeqNo, h.SeqNo)
		}
		if h.KeyBlock {
			keys = append([]*ton.BlockIDExt{at}, keys...)
		}
		if at.SeqNo <= w.opt.Trusted.SeqNo || h.PrevKeyBlockSeqno < w.opt.Trusted.SeqNo {
			break
		}
		before, err := w.api.LookupBlock(ctx, -1, masterShard, h.PrevKeyBlockSeqno)
		if err != nil {
			return nil, fmt.Errorf("key block %d: %w", h.PrevKeyBlockSeqno, err)
		}
		if err = w.prove(ctx, at, before); err != nil {
			return nil, err
		}
		at = before
	}
	return keys, nil
}

// pick is the number of some block between the trusted and the newest.
func (w *walker) pick() uint32 {
	first := w.opt.Trusted.SeqNo
	return first + w.rand.Uint32N(w.head.SeqNo-first+1)
}

// master finds a masterchain block by its number and verifies it.
func (w *walker) master(ctx context.Context, seqno uint32) (*ton.BlockIDExt, error) {
	return w.lookup(ctx, -1, masterShard, ton.LookupBlockWithProof{Mode: bySeqno}, seqno)
}
