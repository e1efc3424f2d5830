package toncenter

import (
	"context"
	"time"

	"github.com/xssnick/tonutils-go/address"
	"github.com/xssnick/tonutils-go/tvm/cell"

	"github.com/tussah-network/tussah/sandbox"
	"github.com/tussah-network/tussah/tlb"
)

// Values a [Source] speaks of.
type (
	BlockID   = sandbox.BlockID
	Lookup    = sandbox.Lookup
	Signature = sandbox.Signature
)

// Source is the chain a [Handler] answers from; *[sandbox.Chain] is one. All
// methods may be called concurrently, and the cells they return are never
// changed. What the chain does not have is [sandbox.ErrNotFound].
type Source interface {
	// MasterHead is the newest master block.
	MasterHead() BlockID
	// Lookup finds a block of a shard. By LT or time it is the first one that
	// ends at or after the given moment.
	Lookup(workchain int32, shard int64, by Lookup) (BlockID, error)
	// Block is the root cell of a block.
	Block(id BlockID) (*cell.Cell, error)
	// State is the root of the ShardStateUnsplit after that block, or
	// [sandbox.ErrStateGone].
	State(id BlockID) (*cell.Cell, error)
	// Signatures are the validators' signatures under a master block.
	Signatures(masterSeqno uint32) ([]Signature, error)
	// Transactions lists transactions of an account, newest first, beginning
	// with the one at (lt, hash).
	Transactions(ctx context.Context, account *address.Address, lt uint64, hash [32]byte, limit int) ([]tlb.Tx, error)
	// Send offers an external message to the chain.
	Send(ctx context.Context, msg *cell.Cell) error
	// Now is the chain's clock.
	Now() time.Time
}

var _ Source = (*sandbox.Chain)(nil)
