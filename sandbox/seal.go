package sandbox

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"math/big"
	"slices"

	"github.com/xssnick/tonutils-go/tvm"

	"github.com/tussah-network/tussah/tlb"
)

// MaxCascadeBlocks bounds the blocks one call may seal in instant mode.
const MaxCascadeBlocks = 256

// ltAlign: blocks begin at multiples of this logical time.
const ltAlign = 1_000_000

// Seal puts what waits into a new block of every chain, empty ones if nothing
// waits, and returns the master block.
func (c *Chain) Seal(context.Context) (tlb.Block, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if err := c.seal(true); err != nil {
		return tlb.Block{}, err
	}
	if c.opts.Mode == Instant {
		if err := c.cascade(); err != nil {
			return tlb.Block{}, err
		}
	}
	return c.master.last.view(), nil
}

// cascade seals until nothing waits any more.
func (c *Chain) cascade() error {
	for range c.maxCascade {
		if len(c.pool) == 0 && len(c.undelivered()) == 0 {
			return nil
		}
		if err := c.seal(false); err != nil {
			return err
		}
	}
	return fmt.Errorf("%d blocks: %w", c.maxCascade, ErrEndless)
}

// seal builds the next block of every basechain shard, then the master block
// over them. Without force it does nothing when there is nothing to put in.
func (c *Chain) seal(force bool) error {
	if c.err != nil {
		return c.err
	}
	if err := c.trySeal(force); err != nil {
		// Half a step may have been taken, so the chain ends here; what was
		// stored before is whole.
		c.err = fmt.Errorf("seal block %d: %w", c.master.last.seqno+1, err)
		return c.err
	}
	return nil
}

func (c *Chain) trySeal(force bool) error {
	now := uint32(c.now().Unix())
	collations := make([]*collation, 0, len(c.base)+1)
	busy := force || c.masterWaits()
	for _, s := range c.base {
		col, err := c.collate(s, now)
		if err != nil {
			return err
		}
		collations = append(collations, col)
		busy = busy || col.transactions > 0
	}
	if !busy {
		return nil
	}
	done := step{}
	transactions := 0
	for _, col := range collations {
		block, err := c.sealBase(col)
		if err != nil {
			return err
		}
		done.blocks = append(done.blocks, block)
		transactions += col.transactions
	}
	top, err := c.collate(c.master, now)
	if err != nil {
		return err
	}
	block, err := c.sealMaster(top)
	if err != nil {
		return err
	}
	done.blocks = append(done.blocks, block)
	transactions += top.transactions
	done.tip = c.tip()
	if err := c.store.commit(done); err != nil {
		return err
	}
	c.publish(transactions)
	return nil
}

// publish lets the world see a step that is stored.
func (c *Chain) publish(transactions int) {
	for _, s := range c.shards() {
		c.histories[s.id].add(s.last, s.root)
	}
	close(c.sealed)
	c.sealed = make(chan struct{})
	c.opts.Log.Debug("block sealed", "seqno", c.master.last.seqno, "transactions", transactions)
}

// masterWaits tells whether something is bound for the masterchain.
func (c *Chain) masterWaits() bool {
	toMaster := func(id accountID) bool { return c.master.id.contains(id) }
	return slices.ContainsFunc(c.pool, func(p *inbound) bool { return toMaster(p.to) }) ||
		slices.ContainsFunc(c.undelivered(), func(m *message) bool { return toMaster(m.to) })
}

// collate fills the next block of a shard.
func (c *Chain) collate(s *shard, now uint32) (*collation, error) {
	col, err := c.emptyCollation(s, now)
	if err != nil {
		return nil, err
	}
	col.dropDelivered(c.shards())
	if err := col.importQueued(c.shards()); err != nil {
		return nil, err
	}
	if c.pool, err = col.accept(c.pool); err != nil {
		return nil, err
	}
	return col, col.settle()
}

// emptyCollation begins the next block of a shard.
func (c *Chain) emptyCollation(s *shard, now uint32) (*collation, error) {
	limits := baseLimits
	if s.id.master() {
		limits = masterLimits
	}
	last := uint64(0)
	for _, other := range c.shards() {
		last = max(last, other.last.end)
	}
	start := (last/ltAlign + 1) * ltAlign
	seed := s.seed()
	world := Execution{
		Config: c.extra.config, GlobalID: c.opts.GlobalID, Now: now, BlockLT: start, LT: start, Seed: seed, Previous: c.prevBlocks(),
	}
	block, err := c.prepared.NewBlockContext(tvm.BlockOptions{
		Now: now, BlockLT: int64(start), RandSeed: seed[:], GlobalID: world.GlobalID, PrevBlocks: world.Previous,
	})
	if err != nil {
		return nil, err
	}
	return &collation{
		block: block, world: world, watch: c.opts.Observe, shard: s, prev: s.last, limits: limits, most: c.maxTransactions, now: now, start: start, end: start + 1, seed: seed,
		accounts: map[[32]byte]*change{}, queue: slices.Clone(s.queue), done: s.done,
		fees: new(big.Int), minted: new(big.Int), imported: new(big.Int), exported: new(big.Int),
	}, nil
}

// seed is the random seed of the next block: it follows from the last one, so
// that the same messages make the same chain.
func (s *shard) seed() [32]byte {
	return sha256.Sum256(binary.BigEndian.AppendUint32(s.last.root[:], s.last.seqno))
}
