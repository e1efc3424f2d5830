package sandbox

import (
	"github.com/xssnick/tonutils-go/tvm/cell"
)

// store keeps what a chain is made of.
type store interface {
	// load returns what is stored, or ErrNotFound if nothing is.
	load() (*stored, error)
	// commit stores one step, whole or not at all.
	commit(step) error
	// block returns a stored block. It may be called at any time.
	block(blockMeta) (*cell.Cell, error)
	close() error
}

// stored is a chain as a store has it.
type stored struct {
	tip      tip
	config   *cell.Cell
	metas    map[shardID][]blockMeta
	accounts []storedAccount
}

type storedAccount struct {
	id    accountID
	entry *cell.Cell // ShardAccount
}

// step is what one seal adds to the chain: a block of every shard, and what
// the next step builds on.
type step struct {
	blocks []sealedBlock
	tip    tip
	config *cell.Cell // if it changed
}

// sealedBlock is a block with what it changed in the accounts.
type sealedBlock struct {
	meta     blockMeta
	root     *cell.Cell // nil for a zero state
	state    *cell.Cell // the shard's state after it
	boc      []byte
	accounts map[[32]byte]*cell.Cell // ShardAccount, nil for one that is gone
}
