package sandbox

import (
	"time"

	"github.com/tussah-network/tussah/tlb"
)

// blockMeta is what the chain remembers of every block for good.
type blockMeta struct {
	shard      shardID
	seqno      uint32
	root, file [32]byte
	start, end uint64 // logical time
	utime      uint32
}

func (m blockMeta) view() tlb.Block {
	return tlb.Block{Seqno: m.seqno, RootHash: m.root, FileHash: m.file, Time: time.Unix(int64(m.utime), 0), LT: m.end}
}

func (m blockMeta) id() BlockID {
	return BlockID{
		Workchain: m.shard.workchain, Shard: int64(m.shard.prefix), SeqNo: m.seqno, RootHash: m.root[:], FileHash: m.file[:],
	}
}
