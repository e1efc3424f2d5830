package liteserver

import (
	"math/big"

	"github.com/xssnick/tonutils-go/tl"
	tontlb "github.com/xssnick/tonutils-go/tlb"
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
				if _, _, err = blockMasterExtra(root); err != nil {
					return err
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
// client trusts: from there to the masterchain block that includes the found
// one, from that through shard blocks to the found one, and by the header of
// the block before it that no earlier block fits.
func (a *answerer) lookupBlockWithProof(q ton.LookupBlockWithProof) (tl.Serializable, error) {
	trusted, err := a.masterView(q.MCBlockID)
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
		var links []ton.ShardBlockLink
		if master, links, err = a.shardLinks(b); err != nil {
			return nil, err
		}
		// The first link is the masterchain block's own proof.
		answer.MCBlockProof, answer.ShardLinks = links[0].Proof, links[1:]
	}
	answer.MCBlockID = &master.id
	if master.id.SeqNo > trusted.block.id.SeqNo {
		return nil, badQuery("block found is newer than the reference block")
	}
	if master.id.SeqNo < trusted.block.id.SeqNo {
		proof, err := trusted.stateProof(func(state *cell.Cell) error {
			_, err := ancestor(state, master.id.SeqNo)
			return err
		})
		if err != nil {
			return nil, err
		}
		if answer.ClientMCStateProof, err = encode(proof...); err != nil {
			return nil, err
		}
	}
	if answer.Header, err = proveHeader(b, q.Mode>>4); err != nil {
		return nil, err
	}
	if q.Mode&lookupMask == lookupSeqno || b.id.SeqNo <= 1 {
		return answer, nil
	}
	parents, err := ton.GetParentBlocks(b.header)
	if err != nil {
		return nil, err
	}
	prev, err := a.block(parents[0])
	if err != nil {
		return nil, err
	}
	answer.PrevHeader, err = proveHeader(prev, 0)
	return answer, err
}

// prevBlocks opens the list of earlier masterchain blocks in a masterchain state.
func prevBlocks(state *cell.Cell) (*tontlb.OldMcBlocksInfoAugDict, error) {
	s, err := masterExtra(state)
	if err != nil {
		return nil, err
	}
	if _, err = shardHashes(s); err != nil {
		return nil, err
	}
	if _, err = s.LoadSlice(256); err != nil { // config address
		return nil, err
	}
	if _, err = s.LoadRefCell(); err != nil { // config
		return nil, err
	}
	info, err := s.LoadRef()
	if err != nil {
		return nil, err
	}
	// flags:(## 16) validator_info:(32+32+1 bits) prev_blocks:OldMcBlocksInfo
	if _, err = info.LoadSlice(16 + 32 + 32 + 1); err != nil {
		return nil, err
	}
	var prev tontlb.OldMcBlocksInfoAugDict
	if err = prev.LoadFromCell(info); err != nil {
		return nil, err
	}
	return &prev, nil
}

// ancestor opens the entry of an earlier masterchain block.
func ancestor(state *cell.Cell, seqno uint32) (*tontlb.KeyExtBlkRef, error) {
	prev, err := prevBlocks(state)
	if err != nil {
		return nil, err
	}
	value, err := prev.LoadValueByIntKey(new(big.Int).SetUint64(uint64(seqno)))
	if err != nil {
		return nil, err
	}
	var ref tontlb.KeyExtBlkRef
	if err = tontlb.LoadFromCell(&ref, value); err != nil {
		return nil, err
	}
	return &ref, nil
}
