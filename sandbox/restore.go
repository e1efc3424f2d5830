package sandbox

import (
	"fmt"
	"math/big"

	tontlb "github.com/xssnick/tonutils-go/tlb"
	"github.com/xssnick/tonutils-go/tvm/cell"
)

// restore takes a stored chain up where it stopped: it builds the states anew
// from what they are made of, and checks that they come out as they were.
func (c *Chain) restore(from *stored) error {
	if from.tip.GlobalID != c.opts.GlobalID {
		return fmt.Errorf("%w: %d, not %d", ErrNetwork, from.tip.GlobalID, c.opts.GlobalID)
	}
	if from.config.HashKey() != from.tip.Config {
		return fmt.Errorf("configuration: %w", ErrCorrupt)
	}
	var err error
	if c.config, err = prepareSettings(from.config); err != nil {
		return err
	}
	c.skew = from.tip.Skew
	for _, t := range from.tip.Shards {
		if err := c.restoreShard(t, from.metas[t.id()]); err != nil {
			return err
		}
	}
	if c.master == nil || len(c.base) == 0 {
		return fmt.Errorf("shards are missing: %w", ErrCorrupt)
	}
	for _, a := range from.accounts {
		s, err := c.shardOf(a.id)
		if err != nil {
			return err
		}
		if err := s.accounts.Set(hashKey(a.id.hash), a.entry); err != nil {
			return fmt.Errorf("account %s: %w", a.id.address(), err)
		}
	}
	if c.extra, err = c.restoreExtra(from); err != nil {
		return err
	}
	if err := c.rebuild(from.tip); err != nil {
		return err
	}
	c.begin()
	return nil
}

func (c *Chain) restoreShard(t shardTip, metas []blockMeta) error {
	s, err := t.shard()
	if err != nil {
		return fmt.Errorf("%w: %v", ErrCorrupt, err) // callers match ErrCorrupt only
	}
	if len(metas) == 0 {
		return fmt.Errorf("shard %d:%016x has no blocks: %w", t.Workchain, t.Prefix, ErrCorrupt)
	}
	h := new(history)
	for _, m := range metas {
		h.add(pastBlock{meta: m})
	}
	s.last = metas[len(metas)-1]
	c.histories[s.id] = h
	if s.id.master() {
		c.master = s
	} else {
		c.base = append(c.base, s)
	}
	return nil
}

// restoreExtra follows the chain of master blocks once more.
func (c *Chain) restoreExtra(from *stored) (*masterExtra, error) {
	old, err := cell.NewAugDict(32, oldBlocks{})
	if err != nil {
		return nil, err
	}
	past := c.histories[masterID]
	last := c.master.last
	x := &masterExtra{
		config: from.config, old: old, key: last.key, supply: new(big.Int).SetUint64(from.tip.Supply), signer: c.signer,
	}
	for i := range past.len() - 1 {
		m := past.at(i).meta
		if err := x.remember(m); err != nil {
			return nil, err
		}
		if m.key && m.seqno > 0 {
			x.keyRef = m.ref()
		}
	}
	x.shards, err = shardHashes(c.base, last.seqno)
	return x, err
}

// rebuild writes the states of all shards and compares them with the tip.
func (c *Chain) rebuild(t tip) error {
	extra, err := c.extra.build()
	if err != nil {
		return err
	}
	for i, s := range c.shards() {
		var ref *tontlb.ExtBlkRef
		var custom *cell.Cell
		switch {
		case s.id.master():
			custom = extra
		case s.last.seqno > 0:
			m := c.histories[masterID].before(s.last.start)
			ref = m.ref()
		}
		if s.root, err = s.buildState(c.opts.GlobalID, s.minRef, ref, custom); err != nil {
			return err
		}
		if i >= len(t.Shards) || t.Shards[i].id() != s.id || s.root.HashKey() != t.Shards[i].State {
			return fmt.Errorf("state of shard %d:%016x: %w", s.id.workchain, s.id.prefix, ErrCorrupt)
		}
	}
	return nil
}
