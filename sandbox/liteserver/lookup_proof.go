package liteserver

import (
	"github.com/xssnick/tonutils-go/tl"
	"github.com/xssnick/tonutils-go/ton"
	"github.com/xssnick/tonutils-go/tvm/cell"
)

// proveHeader is the serialized proof of a block's header and of the parts that
// mode asks for.
func proveHeader(b *block, mode uint32) ([]byte, error) {
	proof, err := prove(b.root, func(root *cell.Cell) error {
		if err := visitHeader(root); err != nil {
			return err
		}
		if mode&withUpdate != 0 {
			if _, err := stateHash(root); err != nil {
				return err
			}
		}
		if mode&withValueFlow != 0 {
			flow, err := child(root, blockValueFlow)
			if err != nil {
				return err
			}
			if err = openAll(flow); err != nil {
				return err
			}
		}
		if mode&withExtra != 0 {
			extra, err := child(root, blockExtra)
			if err != nil {
				return err
			}
			if err = open(extra); err != nil {
				return err
			}
			if b.id.Workchain == masterchain {
				x, err := blockMasterExtra(root)
				if err != nil {
					return err
				}
				if mode&withShards != 0 && !x.shards.IsEmpty() {
					if err = openAll(x.shards.AsCell()); err != nil {
						return err
					}
				}
				if mode&withSignatures != 0 {
					if err = openRefs(x.signatures, make(map[cell.Hash]bool)); err != nil {
						return err
					}
				}
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return encode(proof)
}

// lookupBlockWithProof proves a looked-up block from a masterchain block the
// client trusts: that one's state lists the masterchain block that includes the
// found one, from there shard blocks lead to the found one, and the header of
// the block before it shows that no earlier block fits.
func (a *answerer) lookupBlockWithProof(q ton.LookupBlockWithProof) (tl.Serializable, error) {
	trusted, err := a.masterBlock(q.MCBlockID)
	if err != nil {
		return nil, err
	}
	id, err := a.lookup(q.Mode, q.ID, q.LT, q.UTime)
	if err != nil {
		return nil, err
	}
	b, err := a.block(&id)
	if err != nil {
		return nil, err
	}
	answer := ton.LookupBlockResult{ID: &b.id, Mode: q.Mode, ShardLinks: []ton.ShardBlockLink{}}
	master := b
	if !isMaster(&b.id) {
		if master, answer.ShardLinks, err = a.shardLinks(b); err != nil {
			return nil, err
		}
	}
	answer.MCBlockID = &master.id
	if master.id.SeqNo > trusted.id.SeqNo {
		return nil, badQuery("block found is newer than the reference block")
	}
	if master.id.SeqNo < trusted.id.SeqNo {
		v, err := a.masterViewOf(trusted, master.id.SeqNo)
		if err != nil {
			return nil, err
		}
		proof, err := v.stateProof(func(state *cell.Cell) error {
			_, err := ancestor(state, master.id.SeqNo)
			return err
		})
		if err != nil {
			return nil, err
		}
		if answer.ClientMCStateProof, err = encode(proof[0]); err != nil {
			return nil, err
		}
		if answer.MCBlockProof, err = encode(proof[1]); err != nil {
			return nil, err
		}
	}
	if answer.Header, err = proveHeader(b, q.Mode>>4); err != nil {
		return nil, err
	}
	if q.Mode&lookupMask == lookupSeqno || b.id.SeqNo <= 1 {
		return answer, nil
	}
	parent, err := parentOf(b, q.ID.Shard)
	if err != nil {
		return nil, err
	}
	prev, err := a.block(parent)
	if err != nil {
		return nil, err
	}
	answer.PrevHeader, err = proveHeader(prev, 0)
	return answer, err
}
