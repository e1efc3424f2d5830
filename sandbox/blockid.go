package sandbox

import (
	"github.com/xssnick/tonutils-go/ton"
	"github.com/xssnick/tonutils-go/tvm/cell"
)

// BlockID names a block of any chain, as liteservers do.
type BlockID = ton.BlockIDExt

// LookupMode says which field of a [Lookup] decides.
type LookupMode uint8

// The ways to look a block up.
const (
	BySeqno LookupMode = iota
	ByLT
	ByTime
)

// Lookup describes a block wanted of a shard. By time or logical time it is
// the first block that ends at or after the given moment.
type Lookup struct {
	Mode  LookupMode
	Seqno uint32
	LT    uint64
	Time  uint32 // Unix seconds
}

// Signature is a validator's signature under a master block: the validator's
// short node id and 64 bytes of Ed25519.
type Signature struct {
	Node      [32]byte
	Signature []byte
}

// BlockBOC serialises a block or a zero state the way its file hash is taken:
// the hash of these bytes is the FileHash of its id.
func BlockBOC(root *cell.Cell) []byte {
	return root.ToBOCWithOptions(cell.BOCSerializeOptions{
		WithCRC32C: true, WithIndex: true, WithCacheBits: true, WithTopHash: true, WithIntHashes: true,
	})
}
