package liteserver

import (
	"errors"

	"github.com/xssnick/tonutils-go/tl"
	"github.com/xssnick/tonutils-go/ton"
	"github.com/xssnick/tonutils-go/tvm/cell"

	"github.com/tussah-network/tussah/sandbox"
)

// shardBlockProof leads from a masterchain block to a shard block: the proof of
// each block names the next one.
func (a *answerer) shardBlockProof(q ton.GetShardBlockProof) (tl.Serializable, error) {
	b, err := a.block(q.ID)
	if err != nil {
		return nil, err
	}
	if isMaster(&b.id) {
		return ton.ShardBlockProof{MasterchainID: &b.id, Links: []ton.ShardBlockLink{}}, nil
	}
	master, links, err := a.shardLinks(b)
	if err != nil {
		return nil, err
	}
	return ton.ShardBlockProof{MasterchainID: &master.id, Links: links}, nil
}

// shardLinks finds the first masterchain block that includes b, and the chain
// of proofs from it back to b.
func (a *answerer) shardLinks(b *block) (*block, []ton.ShardBlockLink, error) {
	if b.header.MasterRef == nil {
		return nil, nil, errors.New("shard block without a masterchain reference")
	}
	master, top, err := a.includingMaster(b)
	if err != nil {
		return nil, nil, err
	}
	proof, err := prove(master.root, func(root *cell.Cell) error {
		if err := visitHeader(root); err != nil {
			return err
		}
		x, err := blockMasterExtra(root)
		if err != nil {
			return err
		}
		_, _, err = findShard(x.shards, b.id.Workchain, uint64(b.id.Shard))
		return err
	})
	if err != nil {
		return nil, nil, err
	}
	links, err := appendLink(nil, top, proof)
	if err != nil {
		return nil, nil, err
	}
	for id := top; !id.Equals(&b.id); {
		if len(links) == maxShardSearch || id.SeqNo <= b.id.SeqNo {
			return nil, nil, ErrNotFound
		}
		cur, err := a.block(&id)
		if err != nil {
			return nil, nil, err
		}
		next, err := parentOf(cur, b.id.Shard)
		if err != nil {
			return nil, nil, err
		}
		if proof, err = prove(cur.root, visitHeader); err != nil {
			return nil, nil, err
		}
		if links, err = appendLink(links, *next, proof); err != nil {
			return nil, nil, err
		}
		id = *next
	}
	return master, links, nil
}

// parentOf is the block before b, after a merge the one with the given shard.
func parentOf(b *block, shard int64) (*BlockID, error) {
	parents, err := ton.GetParentBlocks(b.header)
	if err != nil {
		return nil, err
	}
	for _, p := range parents {
		if contains(p.Shard, uint64(shard)) {
			return p, nil
		}
	}
	return parents[0], nil
}

func appendLink(links []ton.ShardBlockLink, id BlockID, proof *cell.Cell) ([]ton.ShardBlockLink, error) {
	data, err := encode(proof)
	if err != nil {
		return nil, err
	}
	return append(links, ton.ShardBlockLink{ID: &id, Proof: data}), nil
}

// includingMaster finds the first masterchain block that lists b's shard at b
// or later. A shard block refers to an earlier masterchain block, so the search
// starts behind that one.
func (a *answerer) includingMaster(b *block) (*block, BlockID, error) {
	head := a.src.MasterHead()
	from := b.header.MasterRef.SeqNo + 1
	for seqno := from; seqno <= head.SeqNo && seqno-from < maxShardSearch; seqno++ {
		id, err := a.src.Lookup(masterchain, masterShard, Lookup{Mode: sandbox.BySeqno, Seqno: seqno})
		if err != nil {
			return nil, BlockID{}, err
		}
		master, err := a.block(&id)
		if err != nil {
			return nil, BlockID{}, err
		}
		x, err := blockMasterExtra(master.root)
		if err != nil {
			return nil, BlockID{}, err
		}
		top, _, err := findShard(x.shards, b.id.Workchain, uint64(b.id.Shard))
		if err != nil {
			return nil, BlockID{}, err
		}
		if top.SeqNo >= b.id.SeqNo {
			return master, top, nil
		}
	}
	return nil, BlockID{}, ErrNotFound
}
