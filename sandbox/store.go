package sandbox

import "github.com/xssnick/tonutils-go/tvm/cell"

// stored is a chain as it is found in a database, but for the states the tip
// names.
type stored struct {
	tip   tip
	metas map[shardID][]blockMeta
}

// step is what one seal adds to the chain: a block of every shard, and what
// the next step builds on.
type step struct {
	blocks []sealedBlock
	// again are blocks that were stored before, and are part of the chain again.
	again []blockMeta
	tip   tip
}

// sealedBlock is a block with the state after it.
type sealedBlock struct {
	meta  blockMeta
	root  *cell.Cell // nil for a zero state
	boc   []byte
	state *cell.Cell
}

// sound returns an error when part of a state could not be read: then what was
// executed since may be wrong.
func (c *Chain) sound() error {
	if c.store == nil {
		return nil
	}
	return c.store.sound()
}
