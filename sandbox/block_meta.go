package sandbox

import (
	"fmt"
	"time"

	tontlb "github.com/xssnick/tonutils-go/tlb"

	"github.com/tussah-network/tussah/tlb"
)

// blockMeta is what the chain remembers of every block for good. For sequence
// number 0 it describes the zero state.
type blockMeta struct {
	shard      shardID
	seqno      uint32
	root, file [32]byte
	start, end uint64 // logical time
	utime      uint32
	key        bool
}

// String is the name block explorers use, without the hashes.
func (m blockMeta) String() string {
	return fmt.Sprintf("(%d,%016x,%d)", m.shard.workchain, m.shard.prefix, m.seqno)
}

func (m blockMeta) view() tlb.Block {
	return tlb.Block{Seqno: m.seqno, RootHash: m.root, FileHash: m.file, Time: time.Unix(int64(m.utime), 0), LT: m.end}
}

func (m blockMeta) id() BlockID {
	return BlockID{
		Workchain: m.shard.workchain, Shard: int64(m.shard.prefix), SeqNo: m.seqno, RootHash: m.root[:], FileHash: m.file[:],
	}
}

// ref is how other blocks refer to this one.
func (m blockMeta) ref() *tontlb.ExtBlkRef {
	return &tontlb.ExtBlkRef{EndLt: m.end, SeqNo: m.seqno, RootHash: m.root[:], FileHash: m.file[:]}
}
