package sandbox

import (
	"fmt"
	"math/big"

	tontlb "github.com/xssnick/tonutils-go/tlb"
	"github.com/xssnick/tonutils-go/tvm/cell"
)

// blockParts is everything a block is written from, beside the collation.
type blockParts struct {
	globalID int32
	prev     blockMeta
	master   *blockMeta // the master block a shard's block builds on
	keySeqno uint32     // of the last key block
	minRef   uint32
	setHash  uint32
	flow     valueFlow
	update   *cell.Cell // Merkle update of the state
	custom   *cell.Cell // McBlockExtra
	key      bool
	software tontlb.GlobalVersion
}

// build writes the block:
//
//	block#11ef55aa global_id:int32 info:^BlockInfo value_flow:^ValueFlow
//	  state_update:^(MERKLE_UPDATE ShardState) extra:^BlockExtra = Block;
func (p blockParts) build(c *collation) (*cell.Cell, error) {
	info, err := p.info(c)
	if err != nil {
		return nil, fmt.Errorf("block header: %w", err)
	}
	extra, err := p.extra(c)
	if err != nil {
		return nil, fmt.Errorf("block extra: %w", err)
	}
	return cell.BeginCell().MustStoreUInt(0x11ef55aa, 32).MustStoreInt(int64(p.globalID), 32).
		MustStoreRef(info).MustStoreRef(p.flow.build()).MustStoreRef(p.update).MustStoreRef(extra).EndCell(), nil
}

func (p blockParts) info(c *collation) (*cell.Cell, error) {
	var h tontlb.BlockHeader
	h.NotMaster = !c.shard.id.master()
	h.KeyBlock = p.key
	h.Flags = 1 // gen_software follows
	h.SeqNo = p.prev.seqno + 1
	h.Shard = c.shard.id.ident()
	h.GenUtime = c.now
	h.StartLt, h.EndLt = c.start, c.end
	h.GenValidatorListHashShort = p.setHash
	h.GenCatchainSeqno = catchainSeqno
	h.MinRefMcSeqno = p.minRef
	h.PrevKeyBlockSeqno = p.keySeqno
	h.GenSoftware = &p.software
	if p.master != nil {
		h.MasterRef = p.master.ref()
	}
	h.PrevRef.Prev1 = *p.prev.ref()
	return h.ToCell()
}

// extra writes BlockExtra:
//
//	block_extra#4a33f6fd in_msg_descr:^InMsgDescr out_msg_descr:^OutMsgDescr account_blocks:^ShardAccountBlocks
//	  rand_seed:bits256 created_by:bits256 custom:(Maybe ^McBlockExtra) = BlockExtra;
func (p blockParts) extra(c *collation) (*cell.Cell, error) {
	in, err := c.inDescriptors()
	if err != nil {
		return nil, err
	}
	out, err := c.outDescriptors()
	if err != nil {
		return nil, err
	}
	accounts, err := c.accountBlocks()
	if err != nil {
		return nil, err
	}
	creator := make([]byte, 32)
	return cell.BeginCell().MustStoreUInt(0x4a33f6fd, 32).MustStoreRef(in).MustStoreRef(out).MustStoreRef(accounts).
		MustStoreSlice(c.seed[:], 256).MustStoreSlice(creator, 256).MustStoreMaybeRef(p.custom).EndCell(), nil
}

// accountBlocks writes ShardAccountBlocks, the transactions by account:
//
//	acc_trans#5 account_addr:bits256 transactions:(HashmapAug 64 ^Transaction CurrencyCollection)
//	  state_update:^(HASH_UPDATE Account) = AccountBlock;
//	update_hashes#72 old_hash:bits256 new_hash:bits256 = HASH_UPDATE X;
func (c *collation) accountBlocks() (*cell.Cell, error) {
	blocks, err := tontlb.NewShardAccountBlocksAugDict()
	if err != nil {
		return nil, err
	}
	for _, hash := range c.sorted() {
		ch := c.accounts[hash]
		if len(ch.txs) == 0 {
			continue // set from outside, see edit.go
		}
		txs, err := tontlb.NewAccountTransactionsAugDict()
		if err != nil {
			return nil, err
		}
		for _, tx := range ch.txs {
			key := cell.BeginCell().MustStoreUInt(tx.lt, 64).EndCell()
			if err := txs.Set(key, cell.BeginCell().MustStoreRef(tx.cell).EndCell()); err != nil {
				return nil, fmt.Errorf("account %s: %w", ch.id.address(), err)
			}
		}
		inline, err := txs.InlineCell()
		if err != nil {
			return nil, fmt.Errorf("account %s: %w", ch.id.address(), err)
		}
		update := cell.BeginCell().MustStoreUInt(0x72, 8).MustStoreSlice(ch.before.Hash(), 256).
			MustStoreSlice(ch.lane.account.ShardAccount().Account.Hash(), 256).EndCell()
		block := cell.BeginCell().MustStoreUInt(0x5, 4).MustStoreSlice(hash[:], 256).
			MustStoreBuilder(inline.ToBuilder()).MustStoreRef(update).EndCell()
		if err := blocks.Set(hashKey(hash), block); err != nil {
			return nil, fmt.Errorf("account %s: %w", ch.id.address(), err)
		}
	}
	return blocks.ToCell()
}

// valueFlow is the coins a block moved. What comes in is what goes out:
//
//	before + imported + feesImported + minted = after + exported + fees
type valueFlow struct {
	before, after, imported, exported, fees, feesImported, minted *big.Int // minted is negative where coins were taken away
}

// check is the equation above.
func (f valueFlow) check() error {
	in := sum(f.before, f.imported, f.feesImported, f.minted)
	out := sum(f.after, f.exported, f.fees)
	if in.Cmp(out) != 0 {
		return fmt.Errorf("value flow: %s came in, %s went out", in, out)
	}
	return nil
}

func sum(terms ...*big.Int) *big.Int {
	total := new(big.Int)
	for _, t := range terms {
		total.Add(total, t)
	}
	return total
}

// build writes ValueFlow:
//
//	value_flow#b8e48dfb ^[ from_prev_blk:CurrencyCollection to_next_blk:CurrencyCollection
//	  imported:CurrencyCollection exported:CurrencyCollection ] fees_collected:CurrencyCollection
//	  ^[ fees_imported:CurrencyCollection recovered:CurrencyCollection created:CurrencyCollection
//	  minted:CurrencyCollection ] = ValueFlow;
//
// The second form, value_flow_v2#3ebf98b7, has burned:CurrencyCollection after
// fees_collected.
func (f valueFlow) build() *cell.Cell {
	moved, made := cell.BeginCell(), cell.BeginCell()
	for _, v := range []*big.Int{f.before, f.after, f.imported, f.exported} {
		storeValue(moved, v)
	}
	minted, burned, tag := f.minted, new(big.Int), uint64(0xb8e48dfb)
	if minted.Sign() < 0 {
		minted, burned, tag = burned, new(big.Int).Neg(minted), 0x3ebf98b7
	}
	for _, v := range []*big.Int{f.feesImported, new(big.Int), new(big.Int), minted} {
		storeValue(made, v)
	}
	root := cell.BeginCell().MustStoreUInt(tag, 32).MustStoreRef(moved.EndCell())
	storeValue(root, f.fees)
	if burned.Sign() > 0 {
		storeValue(root, burned)
	}
	return root.MustStoreRef(made.EndCell()).EndCell()
}

// buildMasterBlockExtra writes McBlockExtra:
//
//	masterchain_block_extra#cca5 key_block:(## 1) shard_hashes:ShardHashes shard_fees:ShardFees
//	  ^[ prev_blk_signatures:(HashmapE 16 CryptoSignaturePair) recover_create_msg:(Maybe ^InMsg)
//	     mint_msg:(Maybe ^InMsg) ] config:key_block?ConfigParams = McBlockExtra;
func buildMasterBlockExtra(x *masterExtra, base []*shard) (*cell.Cell, error) {
	fees, err := tontlb.NewShardFeesAugDict()
	if err != nil {
		return nil, err
	}
	for _, s := range base {
		key := cell.BeginCell().MustStoreInt(int64(s.id.workchain), 32).MustStoreUInt(s.id.prefix, 64).EndCell()
		value := cell.BeginCell()
		storeValue(value, s.lastFees)
		storeValue(value, new(big.Int)) // created
		if err := fees.Set(key, value.EndCell()); err != nil {
			return nil, fmt.Errorf("shard fees: %w", err)
		}
	}
	feesCell, err := fees.ToCell()
	if err != nil {
		return nil, err
	}
	b := cell.BeginCell().MustStoreUInt(0xcca5, 16).MustStoreBoolBit(x.key).MustStoreDict(x.shards).
		MustStoreBuilder(feesCell.ToBuilder()).MustStoreRef(cell.BeginCell().MustStoreUInt(0, 3).EndCell())
	if x.key {
		config, err := tontlb.ToCell(configParams(x.config))
		if err != nil {
			return nil, err
		}
		b.MustStoreBuilder(config.ToBuilder())
	}
	return b.EndCell(), nil
}
