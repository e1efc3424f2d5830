package sandbox

import (
	"fmt"
	"sync"

	"github.com/xssnick/tonutils-go/tvm/cell"
)

// store keeps what a chain is made of.
type store interface {
	// commit stores one step, whole or not at all.
	commit(step) error
	// block returns a stored block.
	block(blockMeta) (*cell.Cell, error)
	close() error
}

// step is what one seal adds to the chain: a block of every shard, and what
// the next step builds on.
type step struct {
	blocks []sealedBlock
	tip    tip
}

// sealedBlock is a block with what it changed in the accounts.
type sealedBlock struct {
	meta     blockMeta
	root     *cell.Cell
	boc      []byte
	accounts map[[32]byte]*cell.Cell // ShardAccount, nil for one that is gone
}

// memory keeps all blocks as they are, for as long as the process lives.
type memory struct {
	mu     sync.Mutex
	blocks map[blockMeta]*cell.Cell
}

func (s *memory) commit(st step) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, b := range st.blocks {
		s.blocks[b.meta] = b.root
	}
	return nil
}

func (s *memory) block(m blockMeta) (*cell.Cell, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	root, ok := s.blocks[m]
	if !ok {
		return nil, fmt.Errorf("block %d:%016x:%d: %w", m.shard.workchain, m.shard.prefix, m.seqno, ErrNotFound)
	}
	return root, nil
}

func (*memory) close() error { return nil }
