package sandbox

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"math/big"
	"slices"

	tontlb "github.com/xssnick/tonutils-go/tlb"
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
	for range MaxCascadeBlocks {
		if len(c.pool) == 0 && len(c.undelivered()) == 0 {
			return nil
		}
		if err := c.seal(false); err != nil {
			return err
		}
	}
	return fmt.Errorf("%d blocks: %w", MaxCascadeBlocks, ErrEndless)
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
	transactions := 0
	for _, col := range collations {
		if err := c.apply(col); err != nil {
			return err
		}
		transactions += col.transactions
	}
	top, err := c.collate(c.master, now)
	if err != nil {
		return err
	}
	if err := c.apply(top); err != nil {
		return err
	}
	close(c.sealed)
	c.sealed = make(chan struct{})
	if c.opts.OnSeal != nil {
		c.opts.OnSeal(Sealed{Block: c.master.last.view(), Transactions: transactions + top.transactions})
	}
	return nil
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
	block, err := c.prepared.NewBlockContext(tvm.BlockOptions{
		Now: now, BlockLT: int64(start), RandSeed: seed[:], GlobalID: c.opts.GlobalID,
	})
	if err != nil {
		return nil, err
	}
	return &collation{
		vm: c.vm, block: block, shard: s, limits: limits, now: now, start: start, end: start + 1, seed: seed,
		accounts: map[[32]byte]*change{}, queue: slices.Clone(s.queue), done: s.done,
		fees: new(big.Int), minted: new(big.Int), imported: new(big.Int), exported: new(big.Int),
	}, nil
}

// seed is the random seed of the next block: it follows from the last one, so
// that the same messages make the same chain.
func (s *shard) seed() [32]byte {
	return sha256.Sum256(binary.BigEndian.AppendUint32(s.last.root[:], s.last.seqno))
}

// apply makes a collation the newest state of its shard.
func (c *Chain) apply(col *collation) error {
	s := col.shard
	for _, hash := range col.sorted() {
		ch := col.accounts[hash]
		var err error
		if ch.lane.account.State().IsValid {
			err = s.accounts.Set(hashKey(hash), ch.lane.account.ShardAccountCell())
		} else {
			err = s.accounts.Delete(hashKey(hash))
		}
		if err != nil {
			return fmt.Errorf("account %s: %w", ch.id.address(), err)
		}
		s.keep(hash, ch.lane)
		for _, tx := range ch.txs {
			view, err := viewTransaction(ch.id, tx)
			if err != nil {
				return err
			}
			if c.byLT[ch.id] == nil {
				c.byLT[ch.id] = map[uint64]tlb.Tx{}
			}
			c.byLT[ch.id][view.LT] = view
		}
	}
	s.queue, s.done = col.queue, col.done
	s.fees = new(big.Int).Add(s.fees, col.fees)
	c.supply = new(big.Int).Add(c.supply, col.minted)
	s.last = blockMeta{shard: s.id, seqno: s.last.seqno + 1, start: col.start, end: col.end, utime: col.now}
	return nil
}

// balance is the sum over the accounts of a shard.
func (s *shard) balance() *big.Int {
	extra, err := s.accounts.LoadRootExtra()
	if err != nil {
		return new(big.Int)
	}
	var sum tontlb.DepthBalanceInfo
	if err := tontlb.LoadFromCell(&sum, extra); err != nil {
		return new(big.Int)
	}
	return sum.Currencies.Coins.Nano()
}
