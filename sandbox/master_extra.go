package sandbox

import (
	"encoding/binary"
	"fmt"
	"math/big"

	tontlb "github.com/xssnick/tonutils-go/tlb"
	"github.com/xssnick/tonutils-go/tvm/cell"
)

// masterExtra is what the masterchain's state has beyond any shard's.
type masterExtra struct {
	config *cell.Cell // the configuration dictionary
	shards *cell.Dictionary
	// old are all master blocks before the newest, by sequence number.
	old *cell.AugmentedDictionary
	// key tells whether the newest block is a key block, keyRef which key
	// block came before it.
	key    bool
	keyRef *tontlb.ExtBlkRef
	supply *big.Int
	signer *signer
}

// build writes McStateExtra.
func (x *masterExtra) build() (*cell.Cell, error) {
	info := tontlb.McStateExtraBlockInfo{
		ValidatorInfo: tontlb.ValidatorInfo{ValidatorListHashShort: x.signer.setHash, CatchainSeqno: catchainSeqno},
		PrevBlocks:    &tontlb.OldMcBlocksInfoAugDict{AugmentedDictionary: x.old},
		AfterKeyBlock: x.key, LastKeyBlock: x.keyRef,
	}
	infoCell, err := info.ToCell()
	if err != nil {
		return nil, err
	}
	extra := tontlb.McStateExtra{
		ShardHashes: x.shards, ConfigParams: configParams(x.config), Info: infoCell,
		GlobalBalance: tontlb.CurrencyCollection{Coins: tontlb.FromNanoTON(x.supply)},
	}
	return tontlb.ToCell(extra)
}

func configParams(config *cell.Cell) (p tontlb.ConfigParams) {
	p.ConfigAddr = configAccount[:]
	p.Config.Params = config.AsDict(32)
	return p
}

// oldBlocks sums up old master blocks, as OldMcBlocksInfo does: whether there
// is a key block among them, and their latest logical time.
//
//	_ key:Bool max_end_lt:uint64 = KeyMaxLt;
//	_ key:Bool blk_ref:ExtBlkRef = KeyExtBlkRef;
type oldBlocks struct{}

func (oldBlocks) SkipExtra(s *cell.Slice) error { return s.SkipBits(65) }

func (oldBlocks) EmptyExtra() (*cell.Cell, error) {
	return cell.BeginCell().MustStoreUInt(0, 1).MustStoreUInt(0, 64).EndCell(), nil
}

func (oldBlocks) LeafExtra(value *cell.Slice) (*cell.Cell, error) {
	bits, err := value.Copy().LoadSlice(65)
	if err != nil {
		return nil, err
	}
	return cell.BeginCell().MustStoreSlice(bits, 65).EndCell(), nil
}

func (oldBlocks) CombineExtra(left, right *cell.Slice) (*cell.Cell, error) {
	var a, b tontlb.KeyMaxLt
	if err := tontlb.LoadFromCell(&a, left); err != nil {
		return nil, err
	}
	if err := tontlb.LoadFromCell(&b, right); err != nil {
		return nil, err
	}
	return tontlb.ToCell(tontlb.KeyMaxLt{IsKey: a.IsKey || b.IsKey, MaxEndLT: max(a.MaxEndLT, b.MaxEndLT)})
}

// remember adds a block to the old ones.
func (x *masterExtra) remember(m blockMeta) error {
	ref, err := tontlb.ToCell(tontlb.KeyExtBlkRef{IsKey: m.key, BlkRef: *m.ref()})
	if err != nil {
		return err
	}
	change := augChange{value: func() (*cell.Cell, error) { return ref, nil }}
	binary.BigEndian.PutUint32(change.key[:], m.seqno)
	before, err := x.old.ToCell()
	if err != nil {
		return err
	}
	after, err := augTree{bits: 32, sums: oldBlocks{}}.edit(before, []augChange{change})
	if err != nil {
		return fmt.Errorf("old blocks: %w", err)
	}
	s, err := after.BeginParse()
	if err != nil {
		return err
	}
	x.old, err = s.LoadAugDict(32, oldBlocks{}, false)
	return err
}

// shardHashes writes which block of each shard the masterchain has seen.
//
//	_ (HashmapE 32 ^(BinTree ShardDescr)) = ShardHashes;
func shardHashes(base []*shard, masterSeqno uint32) (*cell.Dictionary, error) {
	tree, err := shardTree(base, wholeChain, masterSeqno)
	if err != nil {
		return nil, fmt.Errorf("shard hashes: %w", err)
	}
	dict := cell.NewDict(32)
	key := cell.BeginCell().MustStoreInt(basechain, 32).EndCell()
	return dict, dict.Set(key, cell.BeginCell().MustStoreRef(tree).EndCell())
}

// shardTree writes the shards below a prefix.
//
//	bt_leaf$0 leaf:X = BinTree X;  bt_fork$1 left:^(BinTree X) right:^(BinTree X) = BinTree X;
func shardTree(shards []*shard, prefix uint64, masterSeqno uint32) (*cell.Cell, error) {
	if len(shards) == 1 && shards[0].id.prefix == prefix {
		descr, err := shards[0].describe(masterSeqno)
		if err != nil {
			return nil, err
		}
		return cell.BeginCell().MustStoreBoolBit(false).MustStoreBuilder(descr.ToBuilder()).EndCell(), nil
	}
	left, right := tontlb.ShardChild(prefix, true), tontlb.ShardChild(prefix, false)
	n := 0
	for n < len(shards) && tontlb.ShardID(left).IsAncestor(tontlb.ShardID(shards[n].id.prefix)) {
		n++
	}
	if n == 0 || n == len(shards) {
		return nil, fmt.Errorf("shards do not fill %016x", prefix)
	}
	l, err := shardTree(shards[:n], left, masterSeqno)
	if err != nil {
		return nil, err
	}
	r, err := shardTree(shards[n:], right, masterSeqno)
	if err != nil {
		return nil, err
	}
	return cell.BeginCell().MustStoreBoolBit(true).MustStoreRef(l).MustStoreRef(r).EndCell(), nil
}

func (s *shard) describe(masterSeqno uint32) (*cell.Cell, error) {
	d := tontlb.ShardDesc{
		SeqNo: s.last.seqno, RegMcSeqno: masterSeqno, StartLT: s.last.start, EndLT: s.last.end,
		RootHash: s.last.root[:], FileHash: s.last.file[:], NextCatchainSeqNo: catchainSeqno,
		NextValidatorShard: int64(s.id.prefix), MinRefMcSeqNo: s.minRef, GenUTime: s.last.utime,
		SplitMergeAt: tontlb.FutureSplitMergeNone{},
	}
	d.Currencies.FeesCollected = tontlb.CurrencyCollection{Coins: tontlb.FromNanoTON(s.lastFees)}
	d.Currencies.FundsCreated = tontlb.CurrencyCollection{Coins: coins(0)}
	return tontlb.ToCell(d)
}
