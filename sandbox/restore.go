package sandbox

import (
	"fmt"
	"slices"

	tontlb "github.com/xssnick/tonutils-go/tlb"
	"github.com/xssnick/tonutils-go/tvm"
	"github.com/xssnick/tonutils-go/tvm/cell"
)

// restore takes a stored chain up where it stopped. Everything but the clock is
// read out of the newest states; the accounts stay where they are until
// somebody asks for them.
func (c *Chain) restore(from *stored) error {
	if from.tip.GlobalID != c.opts.GlobalID {
		return fmt.Errorf("%w: %d, not %d", ErrNetwork, from.tip.GlobalID, c.opts.GlobalID)
	}
	c.skew = from.tip.Skew
	for _, t := range from.tip.Shards {
		if err := c.restoreShard(t, from.metas[t.id()]); err != nil {
			return fmt.Errorf("state of shard %d:%016x: %w", t.Workchain, t.Prefix, err)
		}
	}
	if c.master == nil || len(c.base) == 0 {
		return fmt.Errorf("shards are missing: %w", ErrCorrupt)
	}
	x, err := readExtra(c.master.root)
	if err != nil {
		return fmt.Errorf("state of the masterchain: %w", err)
	}
	if x.config, err = x.config.PrewarmRecursive(0); err != nil {
		return fmt.Errorf("configuration: %w", err)
	}
	x.signer = c.signer
	c.extra = x
	if c.config, err = prepareSettings(x.config); err != nil {
		return err
	}
	c.begin()
	return nil
}

func (c *Chain) restoreShard(t shardTip, metas []blockMeta) error {
	root, err := c.store.tree(t.State)
	if err != nil {
		return err
	}
	s, err := readShard(t.id(), root)
	if err != nil {
		return err
	}
	after := s.last
	if s.last = metas[t.Seqno]; after.seqno != s.last.seqno || after.end != s.last.end || after.utime != s.last.utime {
		return fmt.Errorf("not after block %s: %w", s.last, ErrCorrupt)
	}
	h := new(history)
	for _, m := range metas {
		h.add(pastBlock{meta: m})
	}
	c.histories[s.id] = h
	if s.id.master() {
		c.master = s
	} else {
		c.base = append(c.base, s)
	}
	return nil
}

// rest goes on from the states as they were stored, so that the parts of them
// nobody needs for now leave the memory.
func (c *Chain) rest() error {
	for _, s := range c.shards() {
		root, err := c.store.tree(s.root.HashKey())
		if err != nil {
			return err
		}
		var state tontlb.ShardStateUnsplit
		if err := tontlb.Parse(&state, root); err != nil {
			return fmt.Errorf("state of shard %d:%016x: %w", s.id.workchain, s.id.prefix, err)
		}
		s.root, s.accounts = root, state.Accounts.ShardAccounts
	}
	x, err := readExtra(c.master.root)
	if err == nil {
		c.extra.old = x.old
	}
	return err
}

// rewind stores that the chain was taken back to a snapshot. The blocks and
// states since then stay, should a later snapshot be restored; whose names were
// overwritten meanwhile are written again.
func (c *Chain) rewind(was map[shardID]*history) error {
	done := step{tip: c.tip()}
	for id, h := range c.histories {
		common := min(h.len(), was[id].len())
		for common > 0 && h.at(common-1).meta != was[id].at(common-1).meta {
			common--
		}
		for i := common; i < h.len(); i++ {
			done.again = append(done.again, h.at(i).meta)
		}
	}
	return c.store.commit(done)
}

// readShard takes a state apart; of the last block it knows only the times.
func readShard(id shardID, root *cell.Cell) (*shard, error) {
	var state tontlb.ShardStateUnsplit
	if err := tontlb.Parse(&state, root); err != nil {
		return nil, err
	}
	if state.ShardIdent != id.ident() {
		return nil, fmt.Errorf("state of another shard: %w", ErrCorrupt)
	}
	s := newShard(id)
	s.root, s.accounts, s.minRef = root, state.Accounts.ShardAccounts, state.MinRefMCSeqno
	s.last.seqno, s.last.end, s.last.utime = state.Seqno, state.GenLT, state.GenUTime
	totals, err := state.Stats.BeginParse()
	if err != nil {
		return nil, err
	}
	if err := totals.SkipBits(64 + 64); err != nil { // load history
		return nil, err
	}
	var balance, fees tontlb.CurrencyCollection
	if err := tontlb.LoadFromCell(&balance, totals); err != nil {
		return nil, err
	}
	if err := tontlb.LoadFromCell(&fees, totals); err != nil {
		return nil, err
	}
	s.fees = fees.Coins.Nano()
	any, err := totals.LoadBoolBit()
	if err == nil && any {
		s.libraries, err = totals.LoadRefCell()
	}
	if err == nil && any { // executions take no cells from the disk
		s.libraries, err = s.libraries.PrewarmRecursive(0)
	}
	if err != nil {
		return nil, fmt.Errorf("libraries: %w", err)
	}
	if err := s.readQueue(state.OutMsgQueueInfo); err != nil {
		return nil, fmt.Errorf("queue: %w", err)
	}
	return s, nil
}

// readQueue reads what buildQueueInfo wrote.
func (s *shard) readQueue(root *cell.Cell) error {
	var info tontlb.OutMsgQueueInfo
	if err := tontlb.Parse(&info, root); err != nil {
		return err
	}
	items, err := info.OutQueue.Range(false, false)
	if err != nil {
		return err
	}
	for _, item := range items {
		m, err := readQueued(item.Value)
		if err != nil {
			return err
		}
		s.queue = append(s.queue, m)
	}
	slices.SortFunc(s.queue, func(a, b *message) int { return a.mark().compare(b.mark()) })
	if info.ProcInfo.IsEmpty() {
		return nil
	}
	processed, err := info.ProcInfo.LoadAll()
	if err != nil {
		return err
	}
	for _, upTo := range processed {
		prefix, err := upTo.Key.LoadUInt(64)
		if err != nil {
			return err
		}
		at, err := upTo.Key.LoadUInt(32)
		if err != nil {
			return err
		}
		if prefix != s.id.prefix || len(processed) != 1 {
			return fmt.Errorf("processed by another shard: %w", ErrCorrupt)
		}
		s.doneAt = uint32(at)
		if s.done.lt, err = upTo.Value.LoadUInt(64); err != nil {
			return err
		}
		hash, err := upTo.Value.LoadSlice(256)
		if err != nil {
			return err
		}
		s.done.hash = [32]byte(hash)
	}
	return nil
}

// readQueued reads a message that waits:
//
//	_ enqueued_lt:uint64 out_msg:^MsgEnvelope = EnqueuedMsg;
func readQueued(value *cell.Slice) (*message, error) {
	root, err := value.PeekRefCell()
	if err != nil {
		return nil, err
	}
	var envelope tontlb.MsgEnvelope
	if err := tontlb.Parse(&envelope, root); err != nil {
		return nil, err
	}
	msg, err := envelope.Msg.PrewarmRecursive(0)
	if err != nil {
		return nil, err
	}
	prepared, err := tvm.PrepareMessage(msg)
	if err != nil {
		return nil, err
	}
	return newMessage(prepared)
}

// readExtra takes apart what only the masterchain's state has.
func readExtra(root *cell.Cell) (*masterExtra, error) {
	var state tontlb.ShardStateUnsplit
	if err := tontlb.Parse(&state, root); err != nil {
		return nil, err
	}
	if state.McStateExtra == nil {
		return nil, fmt.Errorf("not a masterchain's: %w", ErrCorrupt)
	}
	var extra tontlb.McStateExtra
	if err := tontlb.Parse(&extra, state.McStateExtra); err != nil {
		return nil, err
	}
	var info tontlb.McStateExtraBlockInfo
	if err := tontlb.Parse(&info, extra.Info); err != nil {
		return nil, err
	}
	x := &masterExtra{
		config: extra.ConfigParams.Config.Params.AsCell(), shards: extra.ShardHashes,
		key: info.AfterKeyBlock, keyRef: info.LastKeyBlock, supply: extra.GlobalBalance.Coins.Nano(),
	}
	list, err := info.PrevBlocks.ToCell()
	if err != nil {
		return nil, err
	}
	blocks, err := list.BeginParse()
	if err != nil {
		return nil, err
	}
	x.old, err = blocks.LoadAugDict(32, oldBlocks{}, false)
	return x, err
}
