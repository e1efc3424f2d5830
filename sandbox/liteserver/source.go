package liteserver

import (
	"context"
	"time"

	"github.com/xssnick/tonutils-go/tvm/cell"

	"github.com/tussah-network/tussah/sandbox"
)

// Values a [Source] speaks of.
type (
	BlockID   = sandbox.BlockID
	Lookup    = sandbox.Lookup
	Signature = sandbox.Signature
)

// Source is the chain a [Server] answers from. All methods may be called
// concurrently; the cells they return are shared and never changed. A block or
// state the source does not have, or whose hashes differ from its own, is an
// error for which errors.Is(err, sandbox.ErrNotFound) holds.
type Source interface {
	// MasterHead is the latest masterchain block.
	MasterHead() BlockID
	// Lookup finds one block of a shard. By LT or time it is the first block
	// that ends at or after the given moment. Sequence number 0 is the zero
	// state.
	Lookup(workchain int32, shard int64, by Lookup) (BlockID, error)
	// Block is the root cell of a block.
	Block(id BlockID) (*cell.Cell, error)
	// State is the root of the ShardStateUnsplit after that block.
	State(id BlockID) (*cell.Cell, error)
	// Signatures are the validators' signatures under a masterchain block.
	Signatures(masterSeqno uint32) ([]Signature, error)
	// Send offers an external message to the chain.
	Send(ctx context.Context, msg *cell.Cell) error
	// Wait returns once the masterchain has reached masterSeqno.
	Wait(ctx context.Context, masterSeqno uint32) error
	// Now is the chain's clock.
	Now() time.Time
}
