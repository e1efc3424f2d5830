package toncenter

import (
	"context"
	"fmt"
	"math/big"

	tontlb "github.com/xssnick/tonutils-go/tlb"
	"github.com/xssnick/tonutils-go/ton"
	"github.com/xssnick/tonutils-go/tvm/cell"

	"github.com/tussah-network/tussah/sandbox"
)

type shardBlockProofResult struct {
	Type   string      `json:"@type"`
	From   blockID     `json:"from"`
	Master blockID     `json:"mc_id"`
	Links  []shardLink `json:"links"`
	Back   []linkBack  `json:"mc_proof"`
}

// shardLink is a proof of one block that names the next one, its ID.
type shardLink struct {
	Type  string  `json:"@type"`
	ID    blockID `json:"id"`
	Proof boc     `json:"proof"`
}

// linkBack proves an earlier master block by the state after a later one.
type linkBack struct {
	Type        string  `json:"@type"`
	ToKeyBlock  bool    `json:"to_key_block"`
	From        blockID `json:"from"`
	To          blockID `json:"to"`
	Destination boc     `json:"dest_proof"`  // the header of To
	Proof       boc     `json:"proof"`       // from From to its state
	State       boc     `json:"state_proof"` // from the state to To
}

// shardBlockProof leads from a master block that the caller trusts to a shard
// block: back to the master block that first included it, from there to the
// newest block of its shard, and along its ancestors.
func shardBlockProof(_ context.Context, chain Source, p *params) (any, error) {
	workchain, shard := p.shard()
	seqno := uint32(p.required("seqno", 1, 1<<31-1))
	trusted, hasTrusted := p.number("from_seqno", 0, 1<<31-1)
	if p.err != nil {
		return nil, p.err
	}
	if workchain == masterchain {
		return nil, badRequest("workchain: block is of the masterchain")
	}
	id, err := chain.Lookup(workchain, shard, Lookup{Mode: sandbox.BySeqno, Seqno: seqno})
	if err != nil {
		return nil, err
	}
	from := chain.MasterHead()
	if hasTrusted && trusted != 0 {
		if from, err = chain.Lookup(masterchain, wholeChain, Lookup{Mode: sandbox.BySeqno, Seqno: uint32(trusted)}); err != nil {
			return nil, err
		}
	}
	out := shardBlockProofResult{Type: "blocks.shardBlockProof", From: viewBlockID(from), Links: []shardLink{}, Back: []linkBack{}}
	master, top, err := includedBy(chain, id)
	if err != nil {
		return nil, err
	}
	if master.SeqNo > from.SeqNo {
		return nil, badRequest("from_seqno: from mc block is too old")
	}
	out.Master = viewBlockID(master)
	if out.Links, err = shardLinks(chain, master, top, id); err != nil {
		return nil, err
	}
	if master.SeqNo < from.SeqNo {
		link, err := proveBack(chain, from, master)
		if err != nil {
			return nil, err
		}
		out.Back = append(out.Back, link)
	}
	return out, nil
}

// includedBy finds the first master block that has seen a shard block, and the
// newest block of that shard it has seen.
func includedBy(chain Source, id BlockID) (master, top BlockID, err error) {
	b, err := readBlock(chain, id)
	if err != nil {
		return master, top, err
	}
	if b.BlockInfo.MasterRef == nil {
		return master, top, fmt.Errorf("shard block %d without a reference to the masterchain", id.SeqNo)
	}
	// It refers to an earlier one, so the search starts behind that.
	first, last := b.BlockInfo.MasterRef.SeqNo+1, chain.MasterHead().SeqNo
	for seqno := first; seqno <= last && seqno-first < maxProofLinks; seqno++ {
		if master, err = chain.Lookup(masterchain, wholeChain, Lookup{Mode: sandbox.BySeqno, Seqno: seqno}); err != nil {
			return master, top, err
		}
		b, err := readBlock(chain, master)
		if err != nil {
			return master, top, err
		}
		shards, err := ton.LoadShardsFromHashes(b.Extra.Custom.ShardHashes, false)
		if err != nil {
			return master, top, fmt.Errorf("master block %d: %w", seqno, err)
		}
		for _, s := range shards {
			if s.Workchain == id.Workchain && s.Shard == id.Shard && s.SeqNo >= id.SeqNo {
				return master, *s, nil
			}
		}
	}
	return master, top, sandbox.ErrNotFound
}

// shardLinks are the proofs from a master block to a shard block.
func shardLinks(chain Source, master, top, target BlockID) ([]shardLink, error) {
	root, err := chain.Block(master)
	if err != nil {
		return nil, err
	}
	proof, err := prove(root, func(root *cell.Cell) error {
		if err := openHeader(root); err != nil {
			return err
		}
		return openShard(root, top)
	})
	if err != nil {
		return nil, fmt.Errorf("proof of master block %d: %w", master.SeqNo, err)
	}
	links := []shardLink{{Type: "blocks.shardBlockLink", ID: viewBlockID(top), Proof: boc{proof}}}
	for id := top; id.SeqNo != target.SeqNo; {
		if len(links) > maxProofLinks {
			return nil, sandbox.ErrNotFound
		}
		b, err := readBlock(chain, id)
		if err != nil {
			return nil, err
		}
		prev, err := ton.GetParentBlocks(&b.BlockInfo)
		if err != nil {
			return nil, fmt.Errorf("block %d: %w", id.SeqNo, err)
		}
		if root, err = chain.Block(id); err != nil {
			return nil, err
		}
		if proof, err = prove(root, openHeader); err != nil {
			return nil, fmt.Errorf("proof of block %d: %w", id.SeqNo, err)
		}
		id = *prev[0]
		links = append(links, shardLink{Type: "blocks.shardBlockLink", ID: viewBlockID(id), Proof: boc{proof}})
	}
	return links, nil
}

func proveBack(chain Source, from, to BlockID) (linkBack, error) {
	link := linkBack{Type: "blocks.blockLinkBack", From: viewBlockID(from), To: viewBlockID(to)}
	older, err := chain.Block(to)
	if err != nil {
		return link, err
	}
	b, err := parseBlock(older)
	if err != nil {
		return link, err
	}
	link.ToKeyBlock = b.BlockInfo.KeyBlock
	newer, err := chain.Block(from)
	if err != nil {
		return link, err
	}
	state, err := chain.State(from)
	if err != nil {
		return link, err
	}
	for _, part := range []struct {
		into  *boc
		root  *cell.Cell
		visit func(*cell.Cell) error
	}{
		{&link.Destination, older, openHeader},
		{&link.Proof, newer, openStateHash},
		{&link.State, state, func(root *cell.Cell) error { return openAncestor(root, to) }},
	} {
		if part.into.cell, err = prove(part.root, part.visit); err != nil {
			return link, fmt.Errorf("proof from master block %d to %d: %w", from.SeqNo, to.SeqNo, err)
		}
	}
	return link, nil
}

// prove makes a Merkle proof of root with the cells that visit opens.
func prove(root *cell.Cell, visit func(root *cell.Cell) error) (*cell.Cell, error) {
	b := cell.NewMerkleProofBuilder(root)
	if err := visit(b.Root()); err != nil {
		return nil, err
	}
	return b.CreateProof()
}

// child opens a cell and returns one of its references.
func child(c *cell.Cell, i int) (*cell.Cell, error) {
	s, err := c.BeginParse()
	if err != nil {
		return nil, err
	}
	return s.PeekRefCellAt(i)
}

// References of a block, of its extra, and of a state.
const (
	blockInfo, blockUpdate, blockExtra = 0, 2, 3
	extraMaster                        = 3
	stateMaster                        = 3
)

// openHeader opens BlockInfo, with its references to the blocks before.
func openHeader(block *cell.Cell) error {
	info, err := child(block, blockInfo)
	if err != nil {
		return err
	}
	return openAll(info)
}

func openAll(c *cell.Cell) error {
	s, err := c.BeginParse()
	if err != nil {
		return err
	}
	for s.RefsNum() > 0 {
		ref, err := s.LoadRefCell()
		if err != nil {
			return err
		}
		if err := openAll(ref); err != nil {
			return err
		}
	}
	return nil
}

// openStateHash opens a block as far as the hash of the state after it.
func openStateHash(block *cell.Cell) error {
	if err := openHeader(block); err != nil {
		return err
	}
	update, err := child(block, blockUpdate)
	if err != nil {
		return err
	}
	_, err = child(update, 1)
	return err
}

// openShard opens the path to a shard in a master block:
//
//	masterchain_block_extra#cca5 key_block:(## 1) shard_hashes:(HashmapE 32 ^(BinTree ShardDescr)) …
func openShard(block *cell.Cell, shard BlockID) error {
	extra, err := child(block, blockExtra)
	if err != nil {
		return err
	}
	master, err := child(extra, extraMaster)
	if err != nil {
		return err
	}
	s, err := master.BeginParse()
	if err != nil {
		return err
	}
	if err := s.SkipBits(16 + 1); err != nil {
		return err
	}
	shards, err := s.LoadDict(32)
	if err != nil {
		return err
	}
	value, err := shards.LoadValueByIntKey(big.NewInt(int64(shard.Workchain)))
	if err != nil {
		return err
	}
	node, err := value.LoadRefCell()
	if err != nil {
		return err
	}
	// A bit of the shard's prefix for each fork, until the last one of its id,
	// which is always set.
	for prefix := uint64(shard.Shard); ; prefix <<= 1 {
		s, err := node.BeginParse()
		if err != nil {
			return err
		}
		fork, err := s.LoadBoolBit()
		if err != nil || !fork {
			return err
		}
		if node, err = s.PeekRefCellAt(int(prefix >> 63)); err != nil {
			return err
		}
	}
}

// openAncestor opens the entry of an earlier block in a master state, and that
// of the zero state, which TON's own client looks for in every such list:
//
//	^[ flags:(## 16) validator_info:ValidatorInfo prev_blocks:OldMcBlocksInfo … ]
func openAncestor(state *cell.Cell, to BlockID) error {
	extra, err := child(state, stateMaster)
	if err != nil {
		return err
	}
	var parsed tontlb.McStateExtra
	s, err := extra.BeginParse()
	if err != nil {
		return err
	}
	if err := tontlb.LoadFromCell(&parsed, s); err != nil {
		return err
	}
	info, err := parsed.Info.BeginParse()
	if err != nil {
		return err
	}
	if err := info.SkipBits(16 + 32 + 32 + 1); err != nil {
		return err
	}
	var list tontlb.OldMcBlocksInfoAugDict
	if err := list.LoadFromCell(info); err != nil {
		return err
	}
	for _, seqno := range []uint32{0, to.SeqNo} {
		value, err := list.LoadValueByIntKey(new(big.Int).SetUint64(uint64(seqno)))
		if err != nil {
			return err
		}
		if err := tontlb.LoadFromCell(new(tontlb.KeyExtBlkRef), value); err != nil {
			return err
		}
	}
	return nil
}
