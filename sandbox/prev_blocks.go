package sandbox

import (
	"math/big"

	"github.com/xssnick/tonutils-go/tvm/tuple"
)

// recentMasterBlocks is how many blocks PREVMCBLOCKS gives a contract.
const recentMasterBlocks = 16

// PreviousBlocks is what code can learn about the masterchain, see
// [Execution.Previous]: the last blocks, the last key block, and the last ones
// with a round number. It is made from the newest block, the last key block up
// to that, and whatever knows the ones before.
func PreviousBlocks(newest, key BlockID, at func(seqno uint32) (BlockID, error)) (tuple.Tuple, error) {
	pick := func(step uint32) (tuple.Tuple, error) {
		var out []any
		for n := int64(newest.SeqNo - newest.SeqNo%step); n >= 0 && len(out) < recentMasterBlocks; n -= int64(step) {
			id := newest
			if uint32(n) != newest.SeqNo {
				var err error
				if id, err = at(uint32(n)); err != nil {
					return tuple.Tuple{}, err
				}
			}
			out = append(out, blockTuple(id))
		}
		return tuple.NewTupleValue(out...), nil
	}
	last, err := pick(1)
	if err != nil {
		return tuple.Tuple{}, err
	}
	round, err := pick(100)
	return tuple.NewTupleValue(last, blockTuple(key), round), err
}

func blockTuple(id BlockID) tuple.Tuple {
	return tuple.NewTupleValue(
		big.NewInt(int64(id.Workchain)), new(big.Int).SetUint64(uint64(id.Shard)), big.NewInt(int64(id.SeqNo)),
		new(big.Int).SetBytes(id.RootHash), new(big.Int).SetBytes(id.FileHash),
	)
}

// prevBlocks are the blocks before the next one.
func (c *Chain) prevBlocks() (tuple.Tuple, error) {
	past := c.histories[masterID]
	at := func(seqno uint32) (BlockID, error) { return past.at(int(seqno)).meta.id(), nil }
	key := past.at(int(c.extra.keySeqno(c.master.last))).meta
	return PreviousBlocks(c.master.last.id(), key.id(), at)
}
