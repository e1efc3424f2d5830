package sandbox

import (
	"fmt"
	"sync"

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
	boc      []byte
	accounts map[[32]byte]*cell.Cell // ShardAccount, nil for one that is gone
}

// memory keeps all blocks as they are, for as long as the process lives.
type memory struct {
	mu     sync.Mutex
	blocks map[blockMeta]*cell.Cell
}

func (*memory) load() (*stored, error) { return nil, ErrNotFound }

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
	root := s.blocks[m]
	if root == nil {
		return nil, fmt.Errorf("block %s: %w", m, ErrNotFound)
	}
	return root, nil
}

func (*memory) close() error { return nil }
