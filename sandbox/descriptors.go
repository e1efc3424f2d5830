package sandbox

import (
	"fmt"

	tontlb "github.com/xssnick/tonutils-go/tlb"
	"github.com/xssnick/tonutils-go/tvm/cell"
)

// inDescriptors writes InMsgDescr, one entry for each message the block took.
func (c *collation) inDescriptors() (*cell.Cell, error) {
	dict, err := cell.NewAugDict(256, importFees{})
	if err != nil {
		return nil, err
	}
	for _, r := range c.in {
		value, err := r.build()
		if err != nil {
			return nil, fmt.Errorf("in message %x: %w", r.cell.HashKey(), err)
		}
		if err := dict.Set(hashKey(r.cell.HashKey()), value); err != nil {
			return nil, fmt.Errorf("in message %x: %w", r.cell.HashKey(), err)
		}
	}
	return dict.ToCell()
}

// build writes InMsg:
//
//	msg_import_ext$000 msg:^(Message Any) transaction:^Transaction
//	msg_import_imm$011 in_msg:^MsgEnvelope transaction:^Transaction fwd_fee:Grams
//	msg_import_fin$100 in_msg:^MsgEnvelope transaction:^Transaction fwd_fee:Grams
//
// An impersonated message is written as one from outside: there is no word for
// a message nobody sent.
func (r inRecord) build() (*cell.Cell, error) {
	if r.kind == inExternal {
		return cell.BeginCell().MustStoreUInt(0b000, 3).MustStoreRef(r.cell).MustStoreRef(r.tx).EndCell(), nil
	}
	envelope, err := r.message.envelope(r.kind == inImmediate)
	if err != nil {
		return nil, err
	}
	tag := uint64(0b100)
	if r.kind == inImmediate {
		tag = 0b011
	}
	return cell.BeginCell().MustStoreUInt(tag, 3).MustStoreRef(envelope).MustStoreRef(r.tx).
		MustStoreBigCoins(r.message.fee).EndCell(), nil
}

// outDescriptors writes OutMsgDescr, one entry for each message that was sent
// in the block or left the queue.
func (c *collation) outDescriptors() (*cell.Cell, error) {
	dict, err := cell.NewAugDict(256, exportValue{})
	if err != nil {
		return nil, err
	}
	for _, r := range c.out {
		value, err := r.build()
		if err != nil {
			return nil, fmt.Errorf("out message %x: %w", r.cell.HashKey(), err)
		}
		if err := dict.Set(hashKey(r.cell.HashKey()), value); err != nil {
			return nil, fmt.Errorf("out message %x: %w", r.cell.HashKey(), err)
		}
	}
	return dict.ToCell()
}

// build writes OutMsg:
//
//	msg_export_ext$000 msg:^(Message Any) transaction:^Transaction
//	msg_export_new$001 out_msg:^MsgEnvelope transaction:^Transaction
//	msg_export_imm$010 out_msg:^MsgEnvelope transaction:^Transaction reimport:^InMsg
//	msg_export_deq_imm$100 out_msg:^MsgEnvelope reimport:^InMsg
//	msg_export_deq_short$1101 msg_env_hash:bits256 next_workchain:int32 next_addr_pfx:uint64 import_block_lt:uint64
func (r outRecord) build() (*cell.Cell, error) {
	if r.kind == outExternal {
		return cell.BeginCell().MustStoreUInt(0b000, 3).MustStoreRef(r.cell).MustStoreRef(r.tx).EndCell(), nil
	}
	envelope, err := r.message.envelope(r.kind == outImmediate)
	if err != nil {
		return nil, err
	}
	switch r.kind {
	case outNew:
		return cell.BeginCell().MustStoreUInt(0b001, 3).MustStoreRef(envelope).MustStoreRef(r.tx).EndCell(), nil
	case outDelivered:
		return cell.BeginCell().MustStoreUInt(0b1101, 4).MustStoreSlice(envelope.Hash(), 256).
			MustStoreInt(int64(r.message.to.workchain), 32).MustStoreUInt(r.message.to.prefix(), 64).
			MustStoreUInt(r.importLT, 64).EndCell(), nil
	}
	reimport, err := r.reimport.build()
	if err != nil {
		return nil, err
	}
	if r.kind == outDequeued {
		return cell.BeginCell().MustStoreUInt(0b100, 3).MustStoreRef(envelope).MustStoreRef(reimport).EndCell(), nil
	}
	return cell.BeginCell().MustStoreUInt(0b010, 3).MustStoreRef(envelope).MustStoreRef(r.tx).MustStoreRef(reimport).EndCell(), nil
}

// importFees and exportValue sum up descriptors. They differ from the
// library's in one point: since TVM version 12 the field that was a message's
// IHR fee holds flags, which are not coins and must not be counted.
type (
	importFees  struct{ tontlb.AugInMsgDescr }
	exportValue struct{ tontlb.AugOutMsgDescr }
)

// LeafExtra is ImportFees of one message: the fees collected from it and, if
// it came from a queue, what it brought.
func (a importFees) LeafExtra(value *cell.Slice) (*cell.Cell, error) {
	if tag, err := value.Copy().LoadUInt(3); err != nil || tag != 0b100 {
		return a.AugInMsgDescr.LeafExtra(value)
	}
	fee, moved, err := envelopeValue(value)
	if err != nil {
		return nil, err
	}
	return tontlb.ToCell(tontlb.ImportFees{FeesCollected: fee, ValueImported: moved})
}

// LeafExtra is the value a message took into the queue.
func (a exportValue) LeafExtra(value *cell.Slice) (*cell.Cell, error) {
	if tag, err := value.Copy().LoadUInt(3); err != nil || tag != 0b001 {
		return a.AugOutMsgDescr.LeafExtra(value)
	}
	_, moved, err := envelopeValue(value)
	if err != nil {
		return nil, err
	}
	return tontlb.ToCell(moved)
}

// envelopeValue reads the envelope a descriptor begins with: the forward fee
// still due, and the message's value with that fee.
func envelopeValue(descriptor *cell.Slice) (fee tontlb.Coins, moved tontlb.CurrencyCollection, err error) {
	root, err := descriptor.Copy().PreloadRefCell()
	if err != nil {
		return fee, moved, err
	}
	var envelope tontlb.MsgEnvelope
	if err := tontlb.Parse(&envelope, root); err != nil {
		return fee, moved, err
	}
	var msg tontlb.InternalMessage
	if err := tontlb.Parse(&msg, envelope.Msg); err != nil {
		return fee, moved, err
	}
	sum, err := msg.Amount.Add(envelope.FwdFeeRemaining)
	return envelope.FwdFeeRemaining, tontlb.CurrencyCollection{Coins: sum, ExtraCurrencies: msg.ExtraCurrencies}, err
}
