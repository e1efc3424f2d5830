package sandbox

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"math/big"
	"slices"

	"github.com/xssnick/tonutils-go/tvm/cell"

	"github.com/tussah-network/tussah/tlb"
)

// MaxCascadeBlocks bounds the blocks one call may seal in instant mode.
const MaxCascadeBlocks = 256

// ltAlign: blocks begin at multiples of this logical time.
const ltAlign = 1_000_000

// round is one step of the chain as it was executed: a collation for each shard
// of the basechain, in order, and the masterchain's last. It becomes a block of
// each, see build.go.
type round struct {
	collations []*collation
	config     *cell.Cell // the configuration from then on, nil if it stays
}

// Seal puts what waits into a new block of every chain, empty ones if nothing
// waits, and returns the master block.
func (c *Chain) Seal(ctx context.Context) (tlb.Block, error) { return c.Mine(ctx, 1) }

// Mine seals n blocks, of which all but the first are most likely empty, and
// returns the last.
func (c *Chain) Mine(ctx context.Context, n int) (tlb.Block, error) {
	for range n {
		if err := c.mine(); err != nil {
			return tlb.Block{}, err
		}
		if err := ctx.Err(); err != nil {
			return tlb.Block{}, err
		}
	}
	return c.Head(ctx)
}

func (c *Chain) mine() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if err := c.seal(true); err != nil {
		return err
	}
	return c.settle()
}

// settle brings what waits to rest, in instant mode.
func (c *Chain) settle() error {
	if c.opts.Mode != Instant {
		return nil
	}
	for range c.maxCascade {
		if !c.waits() {
			return nil
		}
		if err := c.seal(false); err != nil {
			return err
		}
	}
	if !c.waits() {
		return nil
	}
	return fmt.Errorf("%d blocks: %w", c.maxCascade, ErrEndless)
}

// waits tells whether the next block has something to do.
func (c *Chain) waits() bool {
	return c.config.next != nil || len(c.edits) > 0 || len(c.undelivered()) > 0 ||
		slices.ContainsFunc(c.pool, c.due)
}

// due tells whether a message of the pool may be in the next block.
func (c *Chain) due(p *inbound) bool { return p.notBefore <= c.master.front.seqno+1 }

// seal executes a round. Without force it does nothing when there is nothing to
// put in.
func (c *Chain) seal(force bool) error {
	if c.err != nil {
		return c.err
	}
	if err := c.trySeal(force); err != nil {
		// Half a round may have been executed, so the chain ends here; what was
		// before is whole.
		c.err = fmt.Errorf("seal block %d: %w", c.master.front.seqno+1, err)
		c.abandon(c.err)
		return c.err
	}
	return nil
}

func (c *Chain) trySeal(force bool) error {
	now := uint32(c.now().Unix())
	busy := force || c.masterWaits()
	var r round
	for _, s := range c.base {
		col, err := c.collate(s, now)
		if err != nil {
			return err
		}
		r.collations = append(r.collations, col)
		busy = busy || len(col.accounts) > 0
	}
	if !busy {
		return nil
	}
	for _, col := range r.collations {
		c.advance(col)
	}
	top, err := c.collate(c.master, now)
	if err != nil {
		return err
	}
	c.advance(top)
	r.collations = append(r.collations, top)
	if next := c.config.next; next != nil {
		// As on any TON network, a configuration counts after its block.
		r.config = next.root
		c.config = *next
	}
	c.ahead = append(c.ahead, r)
	if c.store != nil {
		if err := c.build(); err != nil {
			return err
		}
	}
	close(c.sealed)
	c.sealed = make(chan struct{})
	return nil
}

func (c *Chain) advance(col *collation) {
	col.shard.advance(col)
	col.block = nil // the executor's view of the block is no longer needed
	c.supply = sum(c.supply, col.minted)
}

// masterWaits tells whether something is bound for the masterchain.
func (c *Chain) masterWaits() bool {
	toMaster := func(id accountID) bool { return c.master.id.contains(id) }
	return c.config.next != nil ||
		slices.ContainsFunc(c.edits, func(e edit) bool { return toMaster(e.id) }) ||
		slices.ContainsFunc(c.pool, func(p *inbound) bool { return toMaster(p.to) && c.due(p) }) ||
		slices.ContainsFunc(c.undelivered(), func(m *message) bool { return toMaster(m.to) })
}

// collate fills the next block of a shard.
func (c *Chain) collate(s *shard, now uint32) (*collation, error) {
	col := c.emptyCollation(s, now)
	edits, err := col.edit(c.edits)
	if err != nil {
		return nil, err
	}
	c.edits = edits
	col.dropDelivered(c.shards())
	if err := col.importQueued(c.shards()); err != nil {
		return nil, err
	}
	rest, err := col.accept(c.pool)
	if err != nil {
		return nil, err
	}
	c.pool = rest
	if err := col.settle(); err != nil {
		return nil, err
	}
	return col, col.publish()
}

// emptyCollation begins the next block of a shard.
func (c *Chain) emptyCollation(s *shard, now uint32) *collation {
	last := uint64(0)
	for _, other := range c.shards() {
		last = max(last, other.front.end)
	}
	start := (last/ltAlign + 1) * ltAlign
	world := Execution{ // Previous is filled in when a contract looks back
		Config: c.config.root, GlobalID: c.opts.GlobalID, Now: now, BlockLT: start, LT: start, Seed: c.seed(s),
		Libraries: c.libraries(),
	}
	return &collation{
		chain: c, world: world, shard: s, limits: c.config.limits(s.id), software: c.config.software, most: c.maxTransactions, now: now,
		start: start, end: start + 1, seed: world.Seed,
		accounts: map[[32]byte]*change{}, queue: slices.Clone(s.front.queue), done: s.front.done, libraries: s.front.libraries,
		fees: new(big.Int), minted: new(big.Int), imported: new(big.Int), exported: new(big.Int),
	}
}

// seed is the random seed of the next block of a shard. It follows from the
// chain's beginning and the block's place in it, so that the same messages make
// the same chain.
func (c *Chain) seed(s *shard) [32]byte {
	text := append([]byte(nil), c.genesis[:]...)
	text = binary.BigEndian.AppendUint32(text, uint32(s.id.workchain))
	text = binary.BigEndian.AppendUint64(text, s.id.prefix)
	return sha256.Sum256(binary.BigEndian.AppendUint32(text, s.front.seqno+1))
}
