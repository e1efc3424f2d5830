package sandbox

import (
	"fmt"
	"maps"
	"slices"
	"time"

	tontlb "github.com/xssnick/tonutils-go/tlb"
)

// maxAhead bounds what a snapshot copies: with more accounts changed since the
// newest block, it makes the blocks first.
const maxAhead = 256

// Snapshot is a moment of a chain. It shares all that never changes with the
// chain, so that taking one, and going back to it, costs the same in a world of
// ten accounts and of ten million.
type Snapshot struct {
	chain     *Chain
	shards    []shard // in the order of Chain.shards
	extra     masterExtra
	histories map[shardID]*history
	config    settings
	ahead     []round
	pool      []*inbound
	edits     []edit
	skew      time.Duration
	err       error
}

// Snapshot returns the chain as it is: all accounts, blocks and what waits. Mode
// and interval are no part of it.
func (c *Chain) Snapshot() *Snapshot {
	c.mu.Lock()
	defer c.mu.Unlock()
	changed := 0
	for _, s := range c.shards() {
		changed += len(s.front.lanes)
	}
	if changed > maxAhead || len(c.ahead) > maxAhead {
		_ = c.build() // an error is the chain's from now on, and the snapshot's
	}
	out := &Snapshot{
		chain: c, extra: c.extra.copy(), histories: map[shardID]*history{}, config: c.config, ahead: slices.Clip(c.ahead),
		pool: slices.Clone(c.pool), edits: slices.Clone(c.edits), skew: c.skew, err: c.err,
	}
	for _, s := range c.shards() {
		out.shards = append(out.shards, s.copy())
	}
	for id, h := range c.histories {
		out.histories[id] = h.fork()
	}
	return out
}

// Restore makes the chain what it was when the snapshot was taken, and forgets
// all that happened since; a snapshot taken since then stays good. Who waits for
// a message gets [ErrRestored]. A chain that has stopped with an error since goes
// on.
func (c *Chain) Restore(s *Snapshot) error {
	if s == nil || s.chain != c {
		return ErrForeign
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return ErrClosed
	}
	c.abandon(ErrRestored)
	for i, live := range c.shards() {
		*live = s.shards[i].copy()
		live.front.queue = unwatched(live.front.queue)
	}
	*c.extra = s.extra.copy()
	was := maps.Clone(c.histories)
	for id, h := range s.histories {
		c.histories[id] = h.fork()
	}
	c.config, c.ahead, c.edits, c.skew = s.config, s.ahead, slices.Clone(s.edits), s.skew
	c.pool = nil
	for _, p := range s.pool {
		again := *p
		again.flight = newFlight()
		c.pool = append(c.pool, &again)
	}
	c.supply = c.extra.supply
	for _, r := range c.ahead {
		for _, col := range r.collations {
			c.supply = sum(c.supply, col.minted)
		}
	}
	c.err, c.broken = s.err, nil
	if c.store != nil {
		if err := c.rewind(was); err != nil {
			c.err = fmt.Errorf("restore snapshot: %w", err)
			return c.err
		}
	}
	close(c.sealed)
	c.sealed = make(chan struct{})
	return nil
}

// abandon tells everybody who waits for a message that it is no more.
func (c *Chain) abandon(err error) {
	for _, p := range c.pool {
		p.flight.abandon(err)
	}
	for _, s := range c.shards() {
		for _, m := range s.front.queue {
			if m.wait != nil {
				m.wait.flight.abandon(err)
			}
		}
	}
}

// unwatched copies messages for which nobody waits any more.
func unwatched(queue []*message) (out []*message) {
	for _, m := range queue {
		again := *m
		again.wait = nil
		out = append(out, &again)
	}
	return out
}

// copy copies a shard so that a change of one does not show in the other. The
// cache of accounts is not copied: it is only right for one of them.
func (s *shard) copy() shard {
	out := *s
	out.accounts = &tontlb.ShardAccountsAugDict{AugmentedDictionary: s.accounts.Copy()}
	out.warm = map[[32]byte]lane{}
	out.front.lanes = maps.Clone(s.front.lanes)
	return out
}

func (x *masterExtra) copy() masterExtra {
	out := *x
	out.old = x.old.Copy()
	return out
}
