package sandbox

import (
	"context"
	"errors"
	"fmt"
	"math/big"
	"sync"
	"sync/atomic"
	"time"

	"github.com/xssnick/tonutils-go/tvm"
	"github.com/xssnick/tonutils-go/tvm/cell"

	"github.com/tussah-network/tussah/tlb"
)

// Chain is a TON network in this process. Its methods may be called from any
// goroutine; they take turns.
type Chain struct {
	opts   Options
	signer *signer
	store  *database     // nil: in memory
	nonce  atomic.Uint64 // makes faucet messages differ

	// Set to [MaxPool], [MaxCascadeBlocks] and maxBlockTransactions, but for
	// tests.
	maxPool, maxCascade, maxTransactions int
	executor                             executor // tonutils, but for tests

	mu        sync.Mutex
	genesis   [32]byte // hash of the masterchain's zero state
	config    settings
	supply    *big.Int // as of the newest round
	master    *shard
	extra     *masterExtra
	base      []*shard // the shards of the basechain, in order of their prefix
	histories map[shardID]*history
	ahead     []round // executed, and not yet blocks
	pool      []*inbound
	edits     []edit
	skew      time.Duration // time travelled
	paced     chan struct{} // closed and replaced when the mode changes
	sealed    chan struct{} // closed and replaced by each seal
	err       error         // set when the chain can no longer go on
	fault     error         // the newest [ErrExecutor], nil: none
	closed    bool
	broken    error // set when a round that was executed makes no block
}

// inbound is a message from outside that waits for a block.
type inbound struct {
	to           accountID
	prepared     *tvm.PreparedMessage
	impersonated *message // set if it is an internal message nobody sent
	flight       *flight
	notBefore    uint32 // master block, 0: the next
}

// TB is the part of testing.TB that [New] needs.
type TB interface {
	Helper()
	Cleanup(func())
	Fatalf(format string, args ...any)
}

// New returns a fresh chain in memory, in instant mode, that lives as long as
// the test.
func New(t TB) *Chain {
	t.Helper()
	c, err := Open(Options{})
	if err != nil {
		t.Fatalf("open sandbox: %v", err)
		return nil
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}

// Open opens the chain stored in o.Dir, or creates one. A crash while it creates
// one can leave a folder that does not open any more: there is nothing in it to
// lose, delete it.
func Open(o Options) (*Chain, error) {
	o = o.withDefaults()
	c := &Chain{
		opts: o, sealed: make(chan struct{}), paced: make(chan struct{}), histories: map[shardID]*history{},
		maxPool: MaxPool, maxCascade: MaxCascadeBlocks, maxTransactions: maxBlockTransactions,
		executor: tonutils,
	}
	if err := c.open(); err != nil {
		return nil, fmt.Errorf("open sandbox: %w", err)
	}
	return c, nil
}

func (c *Chain) open() (err error) {
	if c.signer, err = newSigner(c.opts.GlobalID); err != nil {
		return err
	}
	if c.opts.FS == nil {
		return c.create()
	}
	if c.store, err = openDatabase(c.opts.FS, c.opts.Dir, c.opts.CacheBytes); err != nil {
		return err
	}
	from, err := c.store.load()
	switch {
	case errors.Is(err, ErrNotFound):
		err = c.create()
	case err == nil && c.opts.Load != nil:
		err = ErrExists
	case err == nil:
		err = c.restore(from)
	}
	if err != nil {
		return errors.Join(err, c.store.close())
	}
	return nil
}

// Run seals blocks by the clock while the chain is in [Interval] mode, until
// the context ends, and returns nil then. A block that cannot be sealed ends it
// with that error; after [Chain.Restore] the chain can be Run again.
func (c *Chain) Run(ctx context.Context) error {
	for {
		c.mu.Lock()
		mode, every, paced := c.opts.Mode, c.opts.Interval, c.paced
		c.mu.Unlock()
		var tick <-chan time.Time
		if mode == Interval {
			tick = time.After(every)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-paced:
		case <-tick:
			// Made at once: nobody may look for days.
			if _, err := c.Mine(ctx, 1); err != nil && ctx.Err() == nil {
				return err
			}
		}
	}
}

// Close releases the chain's files. What waits for a block waits in vain, and is
// not there when the chain is opened again.
func (c *Chain) Close() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return nil
	}
	c.closed, c.err = true, ErrClosed
	if c.store != nil && len(c.pool)+len(c.edits) > 0 {
		c.opts.Log.Warn("closing a chain loses what waits for a block", "messages", len(c.pool), "edits", len(c.edits))
	}
	close(c.sealed) // whoever waits for a block finds the chain closed
	c.sealed = make(chan struct{})
	if c.store == nil {
		return nil
	}
	return c.store.close()
}

// Head returns the newest master block.
func (c *Chain) Head(context.Context) (tlb.Block, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	err := c.build()
	return c.master.last.view(), err
}

// Config returns the network's configuration dictionary.
func (c *Chain) Config() *cell.Cell {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.config.root
}

// Now is the time the next block will have: the clock plus what was travelled,
// and never before the newest block.
func (c *Chain) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now()
}

func (c *Chain) now() time.Time {
	now := c.opts.Now().Add(c.skew)
	if last := time.Unix(int64(c.master.front.utime), 0); now.Before(last) {
		return last
	}
	return now
}

// Fees returns all fees collected since the beginning. With [Chain.Supply] it
// accounts for every nanoTON: the balances of all accounts, the messages under
// way and the fees add up to the supply.
func (c *Chain) Fees() tlb.Nano {
	c.mu.Lock()
	defer c.mu.Unlock()
	_ = c.build() // a failure shows in the sum
	return tlb.Nano(c.master.fees.Uint64())
}

// Supply returns how many coins there are: those of the genesis accounts and
// those that came with impersonated messages, see [Chain.SendInternal].
func (c *Chain) Supply() tlb.Nano {
	c.mu.Lock()
	defer c.mu.Unlock()
	return tlb.Nano(c.supply.Uint64())
}

// Balances returns the sum over all accounts.
func (c *Chain) Balances() tlb.Nano {
	c.mu.Lock()
	defer c.mu.Unlock()
	_ = c.build() // as in Fees
	total := new(big.Int)
	for _, s := range c.shards() {
		total.Add(total, s.balance())
	}
	return tlb.Nano(total.Uint64())
}

// InFlight returns the coins of messages that left a shard and were not yet
// delivered, their forward fees included.
func (c *Chain) InFlight() tlb.Nano {
	c.mu.Lock()
	defer c.mu.Unlock()
	total := new(big.Int)
	for _, m := range c.undelivered() {
		total.Add(total, m.value)
		total.Add(total, m.fee)
	}
	return tlb.Nano(total.Uint64())
}

// shards are all of them, the masterchain last.
func (c *Chain) shards() []*shard {
	return append(append(make([]*shard, 0, len(c.base)+1), c.base...), c.master)
}

// shardOf is the shard an account lives in.
func (c *Chain) shardOf(id accountID) (*shard, error) {
	for _, s := range c.shards() {
		if s.id.contains(id) {
			return s, nil
		}
	}
	return nil, fmt.Errorf("workchain %d: %w", id.workchain, ErrNoWorkchain)
}

// undelivered are the queued messages nobody imported yet.
func (c *Chain) undelivered() (out []*message) {
	for _, from := range c.shards() {
		for _, m := range from.front.queue {
			if to, err := c.shardOf(m.to); err == nil && to.front.done.compare(m.mark()) < 0 {
				out = append(out, m)
			}
		}
	}
	return out
}
