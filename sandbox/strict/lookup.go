package strict

import (
	"context"
	"fmt"
	"math/big"

	tontlb "github.com/xssnick/tonutils-go/tlb"
	"github.com/xssnick/tonutils-go/ton"
	"github.com/xssnick/tonutils-go/tvm/cell"
)

// Ways to look a block up, as bits of a query's mode.
const (
	bySeqno = 1
	byLT    = 2
	byTime  = 4
)

// lookup finds a block by number, or by what else q says, and verifies from the
// newest masterchain block that it is in the chain and the one that was asked for.
func (w *walker) lookup(ctx context.Context, workchain int32, shard int64, q ton.LookupBlockWithProof, seqno uint32) (*ton.BlockIDExt, error) {
	q.ID = &ton.BlockInfoShort{Workchain: workchain, Shard: shard, Seqno: int32(seqno)}
	q.MCBlockID = w.head
	id, err := w.provenLookup(ctx, q)
	if err != nil {
		return nil, fmt.Errorf("look up block %d:%016x, mode %d, number %d, time %d %d: %w", workchain, uint64(shard), q.Mode, seqno, q.LT, q.UTime, err)
	}
	// The same without proof.
	plain, err := ask[ton.BlockHeader](ctx, w, ton.LookupBlock{Mode: q.Mode, ID: q.ID, LT: q.LT, UTime: q.UTime})
	if err != nil {
		return nil, err
	}
	if !plain.ID.Equals(id) {
		return nil, mismatch("block %d looked up without proof, %d with it", plain.ID.SeqNo, id.SeqNo)
	}
	w.report.Lookups++
	return id, nil
}

func (w *walker) provenLookup(ctx context.Context, q ton.LookupBlockWithProof) (*ton.BlockIDExt, error) {
	r, err := ask[ton.LookupBlockResult](ctx, w, q)
	if err != nil {
		return nil, err
	}
	if !r.MCBlockID.Equals(w.head) {
		if err = proveAncestor(w.head, r.MCBlockID, r.ClientMCStateProof, r.MCBlockProof); err != nil {
			return nil, err
		}
	}
	end, err := follow(r.MCBlockID, r.ShardLinks)
	if err != nil {
		return nil, err
	}
	if !end.Equals(r.ID) || end.Workchain != q.ID.Workchain {
		return nil, mismatch("links lead to block %d, found is %d", end.SeqNo, r.ID.SeqNo)
	}
	h, err := header(r.Header, r.ID)
	if err != nil {
		return nil, err
	}
	if q.Mode == bySeqno {
		if h.SeqNo != uint32(q.ID.Seqno) {
			return nil, mismatch("block has number %d", h.SeqNo)
		}
		return r.ID, nil
	}
	if q.Mode == byLT && h.EndLt < q.LT || q.Mode == byTime && h.GenUtime < q.UTime {
		return nil, mismatch("block ends before")
	}
	if h.SeqNo == 1 {
		return r.ID, nil // there is none before it
	}
	parents, err := ton.GetParentBlocks(h)
	if err != nil {
		return nil, err
	}
	before, err := header(r.PrevHeader, parents[0])
	if err != nil {
		return nil, err
	}
	if q.Mode == byLT && before.EndLt >= q.LT || q.Mode == byTime && before.GenUtime >= q.UTime {
		return nil, mismatch("the block before it fits too")
	}
	return r.ID, nil
}

// header verifies the proof of a block's header.
func header(proof []byte, id *ton.BlockIDExt) (*tontlb.BlockHeader, error) {
	b, err := provenBlock(proof, id)
	if err != nil {
		return nil, err
	}
	return &b.BlockInfo, nil
}

func provenBlock(proof []byte, id *ton.BlockIDExt) (*tontlb.Block, error) {
	root, err := cell.FromBOC(proof)
	if err != nil {
		return nil, fmt.Errorf("proof of block %d: %w", id.SeqNo, err)
	}
	b, err := ton.CheckBlockProof(root, id.RootHash)
	if err != nil {
		return nil, fmt.Errorf("proof of block %d: %w", id.SeqNo, err)
	}
	return b, nil
}

// proveAncestor verifies that the state after a masterchain block lists an
// earlier one.
func proveAncestor(from, to *ton.BlockIDExt, blockProof, stateProof []byte) error {
	var roots []*cell.Cell
	for _, data := range [][]byte{blockProof, stateProof} {
		root, err := cell.FromBOC(data)
		if err != nil {
			return fmt.Errorf("proof of state %d: %w", from.SeqNo, err)
		}
		roots = append(roots, root)
	}
	extra, err := ton.CheckShardMcStateExtraProof(from, roots)
	if err != nil {
		return fmt.Errorf("proof of state %d: %w", from.SeqNo, err)
	}
	s, err := extra.Info.BeginParse()
	if err != nil {
		return err
	}
	var info tontlb.McStateExtraBlockInfo
	if err = tontlb.LoadFromCellAsProof(&info, s); err != nil {
		return fmt.Errorf("state %d: %w", from.SeqNo, err)
	}
	value, err := info.PrevBlocks.LoadValueByIntKey(big.NewInt(int64(to.SeqNo)))
	if err != nil {
		return fmt.Errorf("state %d, entry %d: %w", from.SeqNo, to.SeqNo, err)
	}
	var ref tontlb.KeyExtBlkRef
	if err = tontlb.LoadFromCellAsProof(&ref, value); err != nil {
		return err
	}
	if string(ref.BlkRef.RootHash) != string(to.RootHash) || string(ref.BlkRef.FileHash) != string(to.FileHash) {
		return mismatch("block %d is not what block %d says it is", to.SeqNo, from.SeqNo)
	}
	return nil
}

// follow goes from a masterchain block to a shard block: the proof of each block
// names the next.
func follow(from *ton.BlockIDExt, links []ton.ShardBlockLink) (*ton.BlockIDExt, error) {
	at := from
	for _, link := range links {
		b, err := provenBlock(link.Proof, at)
		if err != nil {
			return nil, err
		}
		var named []*ton.BlockIDExt
		if at.Workchain == -1 {
			named, err = ton.LoadShardsFromHashes(b.Extra.Custom.ShardHashes, true)
		} else {
			named, err = ton.GetParentBlocks(&b.BlockInfo)
		}
		if err != nil {
			return nil, err
		}
		if !contains(named, link.ID) {
			return nil, mismatch("block %d does not name block %d", at.SeqNo, link.ID.SeqNo)
		}
		at = link.ID
	}
	return at, nil
}

func contains(ids []*ton.BlockIDExt, id *ton.BlockIDExt) bool {
	for _, other := range ids {
		if other.Equals(id) {
			return true
		}
	}
	return false
}
