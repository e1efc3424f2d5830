package sandbox

import (
	"fmt"
	"math/big"

	tontlb "github.com/xssnick/tonutils-go/tlb"
	"github.com/xssnick/tonutils-go/tvm/cell"
)

// buildState writes the state of a shard as one cell, a ShardStateUnsplit.
// minRef is the oldest master block the shard still refers to, ref the newest
// (none in a zero state and in the masterchain), extra the McStateExtra that
// only the masterchain has.
//
//	^[ overload_history:uint64 underload_history:uint64 total_balance:CurrencyCollection
//	   total_validator_fees:CurrencyCollection libraries:(HashmapE 256 LibDescr) master_ref:(Maybe BlkMasterInfo) ]
func (s *shard) buildState(globalID int32, minRef uint32, ref *tontlb.ExtBlkRef, extra *cell.Cell) (*cell.Cell, error) {
	queues, err := s.buildQueueInfo()
	if err != nil {
		return nil, err
	}
	stats := cell.BeginCell().MustStoreUInt(0, 64).MustStoreUInt(0, 64)
	storeValue(stats, s.balance())
	storeValue(stats, s.fees)
	stats.MustStoreMaybeRef(s.libraries)
	if err := storeMaybe(stats, ref); err != nil {
		return nil, err
	}
	state := tontlb.ShardStateUnsplit{
		GlobalID: globalID, ShardIdent: s.id.ident(), Seqno: s.last.seqno, GenUTime: s.last.utime, GenLT: s.last.end,
		MinRefMCSeqno: minRef, OutMsgQueueInfo: queues, Stats: stats.EndCell(), McStateExtra: extra,
	}
	state.Accounts.ShardAccounts = s.accounts
	root, err := tontlb.ToCell(state)
	if err != nil {
		return nil, fmt.Errorf("state of shard %d:%016x: %w", s.id.workchain, s.id.prefix, err)
	}
	return root, nil
}

// buildQueueInfo writes the queue of messages that left the shard, and how far
// the shard got with importing.
//
//	_ out_queue:OutMsgQueue proc_info:(HashmapE 96 ProcessedUpto) extra:(Maybe OutMsgQueueExtra) = OutMsgQueueInfo;
//	out_msg_queue_extra#0 dispatch_queue:DispatchQueue out_queue_size:(Maybe uint48) = OutMsgQueueExtra;
func (s *shard) buildQueueInfo() (*cell.Cell, error) {
	queue, err := tontlb.NewOutMsgQueueAugDict()
	if err != nil {
		return nil, err
	}
	for _, m := range s.queue {
		envelope, err := m.envelope(false)
		if err != nil {
			return nil, err
		}
		value := cell.BeginCell().MustStoreUInt(m.created, 64).MustStoreRef(envelope).EndCell()
		if err := queue.Set(m.queueKey(), value); err != nil {
			return nil, fmt.Errorf("queue: %w", err)
		}
	}
	out, err := queue.ToCell()
	if err != nil {
		return nil, err
	}
	processed := cell.NewDict(96)
	if s.done != (messageMark{}) {
		key := cell.BeginCell().MustStoreUInt(s.id.prefix, 64).MustStoreUInt(uint64(s.doneAt), 32).EndCell()
		value := cell.BeginCell().MustStoreUInt(s.done.lt, 64).MustStoreSlice(s.done.hash[:], 256).EndCell()
		if err := processed.Set(key, value); err != nil {
			return nil, err
		}
	}
	b := out.ToBuilder().MustStoreDict(processed)
	b.MustStoreBoolBit(true).MustStoreUInt(0, 4) // extra
	b.MustStoreBoolBit(false).MustStoreUInt(0, 64)
	return b.MustStoreBoolBit(true).MustStoreUInt(uint64(len(s.queue)), 48).EndCell(), nil
}

// queueKey is a message's place in the queue: where it goes next, then its hash.
func (m *message) queueKey() *cell.Cell {
	return cell.BeginCell().MustStoreInt(int64(m.to.workchain), 32).MustStoreUInt(m.to.prefix(), 64).
		MustStoreSlice(m.hash[:], 256).EndCell()
}

// envelope wraps a message for its way. One that is delivered within its shard
// has already arrived; any other is still at its source, with its destination
// as the next hop: no shard here lies between two others.
func (m *message) envelope(arrived bool) (*cell.Cell, error) {
	const all = 96 // bits of workchain and address prefix
	e := tontlb.MsgEnvelope{
		NextAddr:        tontlb.IntermediateAddress{UseDestBits: all},
		FwdFeeRemaining: tontlb.FromNanoTON(m.fee), Msg: m.cell(),
	}
	if arrived {
		e.CurAddr = e.NextAddr
	}
	return e.ToCell()
}

// balance is the sum over the accounts of a shard, as its dictionary has it.
func (s *shard) balance() *big.Int {
	extra, err := s.accounts.LoadRootExtra()
	if err != nil {
		panic(fmt.Sprintf("sandbox: internal error: balance of accounts: %v", err))
	}
	var sum tontlb.DepthBalanceInfo
	if err := tontlb.LoadFromCell(&sum, extra); err != nil {
		panic(fmt.Sprintf("sandbox: internal error: balance of accounts: %v", err))
	}
	return sum.Currencies.Coins.Nano()
}

// storeValue appends a CurrencyCollection without extra currencies.
func storeValue(b *cell.Builder, nano *big.Int) {
	b.MustStoreBigCoins(nano).MustStoreBoolBit(false)
}

func storeMaybe(b *cell.Builder, ref *tontlb.ExtBlkRef) error {
	if ref == nil {
		b.MustStoreBoolBit(false)
		return nil
	}
	c, err := tontlb.ToCell(ref)
	if err != nil {
		return err
	}
	b.MustStoreBoolBit(true).MustStoreBuilder(c.ToBuilder())
	return nil
}
