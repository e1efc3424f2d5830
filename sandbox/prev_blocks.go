package sandbox

import (
	"math/big"

	"github.com/xssnick/tonutils-go/tvm/tuple"
)

// recentMasterBlocks is how many blocks PREVMCBLOCKS gives a contract.
const recentMasterBlocks = 16

// prevBlocks is what a contract can learn about the masterchain: the last
// blocks, the last key block, and the last ones with a round number.
func (c *Chain) prevBlocks() tuple.Tuple {
	past := c.histories[masterID]
	pick := func(step int) tuple.Tuple {
		var out []any
		for i := past.len() - 1; i >= 0 && len(out) < recentMasterBlocks; i-- {
			if i%step == 0 {
				out = append(out, blockTuple(past.at(i).meta))
			}
		}
		return tuple.NewTupleValue(out...)
	}
	key := past.at(int(c.extra.keySeqno(c.master.last))).meta
	return tuple.NewTupleValue(pick(1), blockTuple(key), pick(100))
}

func blockTuple(m blockMeta) tuple.Tuple {
	return tuple.NewTupleValue(
		big.NewInt(int64(m.shard.workchain)), new(big.Int).SetUint64(m.shard.prefix), big.NewInt(int64(m.seqno)),
		new(big.Int).SetBytes(m.root[:]), new(big.Int).SetBytes(m.file[:]),
	)
}
