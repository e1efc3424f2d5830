package liteserver

import (
	"fmt"

	"github.com/xssnick/tonutils-go/tl"
	tontlb "github.com/xssnick/tonutils-go/tlb"
	"github.com/xssnick/tonutils-go/ton"
	"github.com/xssnick/tonutils-go/tvm/cell"
)

// blockProof links a masterchain block the client trusts to another one.
//
// A link back shows that a block's state lists an earlier block. A link forward
// shows that the validators named by a key block signed a later one, up to and
// including the next key block. So a proof forward goes back to the last key
// block if it does not start at one, and then from key block to key block; a
// proof back is one link.
func (a *answerer) blockProof(q ton.GetBlockProof) (tl.Serializable, error) {
	from, err := a.proofEnd(q.KnownBlock)
	if err != nil {
		return nil, err
	}
	target := q.TargetBlock
	if q.Mode&1 == 0 || target == nil {
		head := a.src.MasterHead()
		target = &head
	}
	to, err := a.proofEnd(target)
	if err != nil {
		return nil, err
	}

	answer := ton.PartialBlockProof{Complete: true, From: &from.id, To: &to.id, Steps: []any{}}
	if to.id.SeqNo < from.id.SeqNo {
		link, err := a.linkBack(from, to)
		if err != nil {
			return nil, err
		}
		answer.Steps = append(answer.Steps, link)
		return answer, nil
	}
	cur := from
	if !cur.header.KeyBlock && cur.id.SeqNo < to.id.SeqNo {
		key, err := a.masterBySeqno(cur.header.PrevKeyBlockSeqno)
		if err != nil {
			return nil, err
		}
		link, err := a.linkBack(cur, key)
		if err != nil {
			return nil, err
		}
		answer.Steps = append(answer.Steps, link)
		cur = key
	}
	for cur.id.SeqNo < to.id.SeqNo {
		// Before the limit the answer must have got beyond where it started.
		if len(answer.Steps) >= maxProofLinks && cur.id.SeqNo > from.id.SeqNo {
			answer.Complete, answer.To = false, &cur.id
			break
		}
		next, err := a.nextKeyBlock(cur, to)
		if err != nil {
			return nil, err
		}
		link, err := a.linkForward(cur, next)
		if err != nil {
			return nil, err
		}
		answer.Steps = append(answer.Steps, link)
		cur = next
	}
	return answer, nil
}

// proofEnd fetches a block that a proof may start from or lead to: one of the
// masterchain's, or its zero state. That counts as a key block, for it has the
// configuration.
func (a *answerer) proofEnd(id *BlockID) (*block, error) {
	if err := checkID(id); err != nil {
		return nil, err
	}
	if id.SeqNo != 0 || !isMaster(id) {
		return a.masterBlock(id)
	}
	root, err := a.zeroState(id)
	if err != nil {
		return nil, err
	}
	h := new(tontlb.BlockHeader)
	h.KeyBlock = true
	return &block{id: *id.Copy(), root: root, header: h}, nil
}

// nextKeyBlock is the first key block after b and before to, or else to. It
// asks the latest state, which lists all blocks and is always at hand.
func (a *answerer) nextKeyBlock(b, to *block) (*block, error) {
	head := a.src.MasterHead()
	v, err := a.view(&head)
	if err != nil {
		return nil, err
	}
	prev, err := prevBlocks(v.state)
	if err != nil {
		return nil, err
	}
	// Each fork of the list says whether there is a key block below it.
	found := to.id.SeqNo
	_, _, err = prev.TraverseExtra(func(prefix *cell.Cell, extra, value *cell.Slice) (int, error) {
		s, err := prefix.BeginParse()
		if err != nil {
			return 0, err
		}
		known := s.BitsLeft()
		n, err := s.LoadUInt(known)
		if err != nil {
			return 0, err
		}
		last := uint32(n<<(32-known) | (1<<(32-known) - 1)) // the highest block below
		key, err := extra.LoadBoolBit()
		if err != nil || !key || last <= b.id.SeqNo {
			return 0, err
		}
		if value == nil {
			return lowFirst, nil
		}
		found = last
		return 1, nil
	})
	if err != nil {
		return nil, err
	}
	if found >= to.id.SeqNo {
		return to, nil
	}
	return a.masterBySeqno(found)
}

// lowFirst tells a dictionary's traversal to look into both branches of a fork.
const lowFirst = 6

// linkBack proves an earlier block by the state after a later one.
func (a *answerer) linkBack(from, to *block) (ton.BlockLinkBackward, error) {
	var link ton.BlockLinkBackward
	v, err := a.masterViewOf(from, to.id.SeqNo, 0)
	if err != nil {
		return link, err
	}
	proof, err := v.stateProof(func(state *cell.Cell) error {
		// TON's own client looks for the zero state in every such list.
		if _, err := ancestor(state, 0); err != nil {
			return err
		}
		ref, err := ancestor(state, to.id.SeqNo)
		if err != nil {
			return err
		}
		if string(ref.BlkRef.RootHash) != string(to.id.RootHash) {
			return fmt.Errorf("block %d is not an ancestor of %d", to.id.SeqNo, from.id.SeqNo)
		}
		return nil
	})
	if err != nil {
		return link, err
	}
	link = ton.BlockLinkBackward{ToKeyBlock: to.header.KeyBlock, From: &from.id, To: &to.id}
	if to.id.SeqNo > 0 { // a zero state has no header
		if link.DestProof, err = proveHeader(to, 0); err != nil {
			return link, err
		}
	}
	if link.Proof, err = encode(proof[0]); err != nil {
		return link, err
	}
	link.StateProof, err = encode(proof[1])
	return link, err
}

// validatorParams say who signs masterchain blocks: 28 how validators are
// chosen, 34 the validators, and 35 those who stand in for them for a while,
// whom the sandbox does not have. A client may look for them first.
var validatorParams = []int32{28, 34, 35}

// linkForward proves a later block by the signatures of the validators that a
// key block names.
func (a *answerer) linkForward(from, to *block) (ton.BlockLinkForward, error) {
	var link ton.BlockLinkForward
	signatures, err := a.src.Signatures(to.id.SeqNo)
	if err != nil {
		return link, err
	}
	if len(signatures) == 0 {
		return link, fmt.Errorf("%w: masterchain block %d", ErrNoSignatures, to.id.SeqNo)
	}
	config, err := prove(from.root, func(root *cell.Cell) error {
		var config *cell.Dictionary
		var err error
		if from.id.SeqNo == 0 {
			if err = openState(root); err == nil {
				config, err = stateConfig(root)
			}
		} else if err = visitHeader(root); err == nil {
			config, err = blockConfig(root)
		}
		if err != nil {
			return err
		}
		return openParams(config, &validatorParams)
	})
	if err != nil {
		return link, fmt.Errorf("key block %d: %w", from.id.SeqNo, err)
	}
	dest, err := proveHeader(to, 0)
	if err != nil {
		return link, err
	}
	set := ton.SignatureSetOrdinary{
		ValidatorSetHash: int32(to.header.GenValidatorListHashShort),
		CatchainSeqno:    int32(to.header.GenCatchainSeqno),
	}
	for _, s := range signatures {
		set.Signatures = append(set.Signatures, ton.Signature{NodeIDShort: s.Node[:], Signature: s.Signature})
	}
	link = ton.BlockLinkForward{
		ToKeyBlock: to.header.KeyBlock, From: &from.id, To: &to.id, DestProof: dest, SignatureSet: set,
	}
	link.ConfigProof, err = encode(config)
	return link, err
}
