package sandbox

import (
	"context"
	"fmt"

	"github.com/xssnick/tonutils-go/tvm/cell"
)

// The methods in this file are what a liteserver needs of a chain.

// MasterHead is the newest master block.
func (c *Chain) MasterHead() BlockID {
	c.mu.Lock()
	defer c.mu.Unlock()
	_ = c.build() // what failed shows in whatever is asked next
	return c.master.last.id()
}

// Lookup finds a block of a shard, or ErrNotFound. Sequence number 0 is the
// zero state.
func (c *Chain) Lookup(workchain int32, shard int64, by Lookup) (BlockID, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if err := c.build(); err != nil {
		return BlockID{}, err
	}
	h, err := c.historyOf(workchain, shard)
	if err != nil {
		return BlockID{}, err
	}
	m, err := h.find(by)
	if err != nil {
		return BlockID{}, err
	}
	return m.id(), nil
}

// Block returns a block as a cell, or ErrNotFound. There is none with sequence
// number 0: a chain begins with a state.
func (c *Chain) Block(id BlockID) (*cell.Cell, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	m, err := c.meta(id)
	if err != nil {
		return nil, err
	}
	return c.block(m)
}

// State returns the state after a block, or ErrNotFound; in a chain in memory,
// for blocks older than [StatesKept], [ErrStateGone]. In a stored chain it is a
// lazy tree, which is read from the disk as it is followed, until the chain is
// closed.
func (c *Chain) State(id BlockID) (*cell.Cell, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	m, err := c.meta(id)
	if err != nil {
		return nil, err
	}
	return c.state(m)
}

// Signatures returns the validators' signatures under a master block.
func (c *Chain) Signatures(masterSeqno uint32) ([]Signature, error) {
	c.mu.Lock()
	err := c.build()
	if err != nil {
		c.mu.Unlock()
		return nil, err
	}
	m, err := c.histories[masterID].find(Lookup{Mode: BySeqno, Seqno: masterSeqno})
	c.mu.Unlock()
	if err == nil && masterSeqno == 0 {
		err = ErrNotFound
	}
	if err != nil {
		return nil, fmt.Errorf("signatures of block %d: %w", masterSeqno, err)
	}
	s, err := c.signer.sign(m)
	return []Signature{s}, err
}

// Wait returns when the masterchain has reached a block.
func (c *Chain) Wait(ctx context.Context, masterSeqno uint32) error {
	for {
		c.mu.Lock()
		reached, sealed, err := c.master.front.seqno >= masterSeqno, c.sealed, c.err
		c.mu.Unlock()
		if reached {
			return nil
		}
		if err != nil {
			return err
		}
		select {
		case <-sealed:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func (c *Chain) historyOf(workchain int32, shard int64) (*history, error) {
	h, ok := c.histories[shardID{workchain, uint64(shard)}]
	if !ok {
		return nil, fmt.Errorf("shard %d:%016x: %w", workchain, uint64(shard), ErrNotFound)
	}
	return h, nil
}

func (c *Chain) meta(id BlockID) (blockMeta, error) {
	h, err := c.historyOf(id.Workchain, id.Shard)
	if err != nil {
		return blockMeta{}, err
	}
	return h.exact(id)
}
