package sandbox

import (
	"crypto/sha256"
	"fmt"
	"math/big"

	"github.com/xssnick/tonutils-go/tvm/cell"
)

// build makes blocks of the rounds that were executed since the newest block.
//
// A chain in memory does this when somebody looks at a block, a state or a
// proof, since the tests of a contract seldom do and making blocks takes longer
// than most transactions. Nothing that is executed depends on when it happens:
// what a contract can learn of earlier blocks, see machine.go, makes them.
func (c *Chain) build() error {
	for len(c.ahead) > 0 {
		if err := c.buildRound(c.ahead[0]); err != nil {
			c.ahead = nil
			c.broken = fmt.Errorf("build block %d: %w", c.master.last.seqno+1, err)
			c.err = c.broken
			return c.broken
		}
		c.ahead = c.ahead[1:]
	}
	c.ahead = nil
	return c.broken
}

func (c *Chain) buildRound(r round) error {
	done := step{}
	transactions := 0
	for _, col := range r.collations {
		seal := c.sealBase
		if col.shard.id.master() {
			seal = func(col *collation) (sealedBlock, error) { return c.sealMaster(col, r.config) }
		}
		block, err := seal(col)
		if err != nil {
			return err
		}
		done.blocks = append(done.blocks, block)
		transactions += col.transactions
	}
	if err := c.keep(done); err != nil {
		return err
	}
	c.opts.Log.Debug("block sealed", "seqno", c.master.last.seqno, "transactions", transactions)
	return nil
}

// keep stores a step and adds it to the histories. A chain that is stored keeps
// nothing else of it in memory, and goes on from what it stored.
func (c *Chain) keep(done step) error {
	if c.store != nil {
		done.tip = c.tip()
		if err := c.store.commit(done); err != nil {
			return err
		}
	}
	for _, b := range done.blocks {
		past := pastBlock{meta: b.meta}
		if c.store == nil {
			past.block, past.state = b.root, b.state
		}
		c.histories[b.meta.shard].add(past)
	}
	if c.store != nil {
		return c.rest()
	}
	return nil
}

// sealBase turns a collation into the next block of a basechain shard, and
// into the shard's newest state.
func (c *Chain) sealBase(col *collation) (sealedBlock, error) {
	s, master := col.shard, c.master.last
	flow := col.flow()
	before, prev := s.root, s.last
	err := s.apply(col, master.seqno)
	if err != nil {
		return sealedBlock{}, err
	}
	s.minRef = master.seqno
	c.extra.supply = sum(c.extra.supply, col.minted)
	flow.after = s.balance()
	if s.root, err = s.buildState(c.opts.GlobalID, s.minRef, master.ref(), nil); err != nil {
		return sealedBlock{}, err
	}
	return c.finish(col, blockParts{
		prev: prev, master: &master, keySeqno: c.extra.keySeqno(master), minRef: s.minRef, flow: flow,
	}, before)
}

// sealMaster does the same in the masterchain, whose block also takes in the
// newest blocks of all shards.
func (c *Chain) sealMaster(col *collation, config *cell.Cell) (sealedBlock, error) {
	s, x, prev := col.shard, c.extra, col.shard.last
	flow := col.flow()
	before := s.root
	for _, b := range c.base {
		flow.feesImported = sum(flow.feesImported, b.lastFees)
	}
	flow.fees = sum(flow.fees, flow.feesImported)
	err := s.apply(col, prev.seqno)
	if err != nil {
		return sealedBlock{}, err
	}
	s.fees, s.lastFees = sum(s.fees, flow.feesImported), flow.fees
	s.minRef = prev.seqno
	x.supply = sum(x.supply, col.minted)
	flow.after = s.balance()
	if prev.key && prev.seqno > 0 {
		x.keyRef = prev.ref()
	}
	if err := x.remember(prev); err != nil {
		return sealedBlock{}, err
	}
	x.key = prev.seqno == 0 || config != nil // the first block proclaims the configuration too
	if config != nil {
		x.config = config
	}
	s.last.key = x.key
	if x.shards, err = shardHashes(c.base, s.last.seqno); err != nil {
		return sealedBlock{}, err
	}
	extra, err := x.build()
	if err != nil {
		return sealedBlock{}, err
	}
	if s.root, err = s.buildState(c.opts.GlobalID, s.minRef, nil, extra); err != nil {
		return sealedBlock{}, err
	}
	custom, err := buildMasterBlockExtra(x, c.base)
	if err != nil {
		return sealedBlock{}, err
	}
	return c.finish(col, blockParts{
		prev: prev, keySeqno: x.keySeqno(prev), minRef: s.minRef, flow: flow, custom: custom, key: x.key,
	}, before)
}

// finish writes the block itself and names it.
func (c *Chain) finish(col *collation, parts blockParts, before *cell.Cell) (sealedBlock, error) {
	s := col.shard
	if err := parts.flow.check(); err != nil {
		return sealedBlock{}, err
	}
	parts.globalID, parts.setHash, parts.software = c.opts.GlobalID, c.signer.setHash, col.software
	var err error
	if parts.update, err = merkleUpdate(before, s.root); err != nil {
		return sealedBlock{}, err
	}
	root, err := parts.build(col)
	if err != nil {
		return sealedBlock{}, err
	}
	boc := BlockBOC(root)
	s.last.root, s.last.file = root.HashKey(), sha256.Sum256(boc)
	return sealedBlock{meta: s.last, root: root, boc: boc, state: s.root}, nil
}

// apply takes the outcome of a collation into the shard, but for its root and
// the hashes of its block.
func (s *shard) apply(col *collation, masterSeqno uint32) error {
	var changes []augChange
	for _, hash := range col.sorted() {
		ch := col.accounts[hash]
		change := augChange{key: hash}
		exists := ch.lane.exists()
		if exists {
			change.value = func() (*cell.Cell, error) { return ch.lane.account.ShardAccountCell(), nil }
		}
		changes = append(changes, change)
		s.keep(hash, ch.lane, exists)
		if s.front.lanes[hash].account == ch.lane.account {
			delete(s.front.lanes, hash)
		}
	}
	if err := s.setAccounts(changes, false); err != nil {
		return fmt.Errorf("accounts: %w", err)
	}
	if col.done != s.done {
		s.doneAt = masterSeqno
	}
	s.queue, s.done, s.libraries = col.queue, col.done, col.libraries
	s.fees, s.lastFees = sum(s.fees, col.fees), col.fees
	s.last = blockMeta{shard: s.id, seqno: s.last.seqno + 1, start: col.start, end: col.end, utime: col.now}
	return nil
}

// flow is the value flow as far as the collation knows it.
func (c *collation) flow() valueFlow {
	return valueFlow{
		before: c.shard.balance(), imported: c.imported, exported: c.exported, fees: c.fees, minted: c.minted,
		feesImported: new(big.Int),
	}
}

// keySeqno is the last key block, up to the given block.
func (x *masterExtra) keySeqno(upTo blockMeta) uint32 {
	if upTo.key {
		return upTo.seqno
	}
	if x.keyRef != nil {
		return x.keyRef.SeqNo
	}
	return 0
}

// txCell is a transaction with its place in its account's block.
type txCell struct {
	lt   uint64
	cell *cell.Cell
}
