package lite_test

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"errors"
	"hash/crc32"
	"math/big"
	"sync/atomic"
	"testing"
	"time"

	"github.com/xssnick/tonutils-go/adnl/keys"
	"github.com/xssnick/tonutils-go/tl"
	tontlb "github.com/xssnick/tonutils-go/tlb"
	"github.com/xssnick/tonutils-go/ton"
	"github.com/xssnick/tonutils-go/tvm/cell"

	"github.com/tussah-network/tussah/sandbox"
)

const masterShard = -1 << 63

// keyChain is a masterchain with neither accounts nor shards, whose key blocks each
// name another validator. A sandbox has only one key block.
type keyChain struct {
	blocks, states []*cell.Cell
	ids            []ton.BlockIDExt
	signer         []ed25519.PrivateKey          // of each block
	named          map[uint32]ed25519.PrivateKey // the validator that a key block names
	head           atomic.Uint32
}

// oldBlocks is how a list of earlier blocks is summed up at its forks.
type oldBlocks struct{}

func (oldBlocks) SkipExtra(s *cell.Slice) error { _, err := s.LoadSlice(65); return err }
func (oldBlocks) EmptyExtra() (*cell.Cell, error) {
	return cell.BeginCell().MustStoreSlice(make([]byte, 9), 65).EndCell(), nil
}
func (oldBlocks) LeafExtra(value *cell.Slice) (*cell.Cell, error) {
	bits, err := value.Copy().LoadSlice(65)
	return cell.BeginCell().MustStoreSlice(bits, 65).EndCell(), err
}
func (oldBlocks) CombineExtra(left, right *cell.Slice) (*cell.Cell, error) {
	var a, b tontlb.KeyMaxLt
	if err := errors.Join(tontlb.LoadFromCell(&a, left), tontlb.LoadFromCell(&b, right)); err != nil {
		return nil, err
	}
	return tontlb.ToCell(tontlb.KeyMaxLt{IsKey: a.IsKey || b.IsKey, MaxEndLT: max(a.MaxEndLT, b.MaxEndLT)})
}

// newKeyChain builds a chain of n blocks with key blocks where key says so. With
// sameValidator, a key block changes nothing.
func newKeyChain(t testing.TB, n uint32, sameValidator bool, key func(seqno uint32) bool) *keyChain {
	t.Helper()
	return newKeyChainAt(t, n, sameValidator, key, 1_700_000_000)
}

// newKeyChainAt says when the blocks after the first were made.
func newKeyChainAt(t testing.TB, n uint32, sameValidator bool, key func(seqno uint32) bool, start uint32) *keyChain {
	t.Helper()
	must := func(c *cell.Cell, err error) *cell.Cell {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	zeros := func(n uint) *cell.Cell { return cell.BeginCell().MustStoreSlice(make([]byte, 40), n).EndCell() }
	empty, zeroHash := cell.BeginCell().EndCell(), make([]byte, 32)
	old, err := cell.NewAugDict(32, oldBlocks{})
	if err != nil {
		t.Fatal(err)
	}
	noAccounts, err := tontlb.NewShardAccountsAugDict()
	if err != nil {
		t.Fatal(err)
	}
	c := &keyChain{
		blocks: []*cell.Cell{nil}, states: []*cell.Cell{empty}, signer: []ed25519.PrivateKey{nil}, named: map[uint32]ed25519.PrivateKey{},
		ids: []ton.BlockIDExt{{Workchain: -1, Shard: masterShard, RootHash: empty.Hash(), FileHash: zeroHash}},
	}
	// As on every network, the zero state counts as a key block.
	zero := must(tontlb.ToCell(tontlb.KeyExtBlkRef{IsKey: true, BlkRef: tontlb.ExtBlkRef{RootHash: empty.Hash(), FileHash: zeroHash}}))
	if err := old.SetIntKey(big.NewInt(0), zero); err != nil {
		t.Fatal(err)
	}
	lastKey, validator := uint32(0), ed25519.NewKeyFromSeed(zeroHash)
	for seqno := uint32(1); seqno <= n; seqno++ {
		isKey, signer := key(seqno), validator
		if isKey && !sameValidator {
			validator = ed25519.NewKeyFromSeed(bytes.Repeat([]byte{byte(seqno)}, 32))
		}
		config := keyChainConfig(t, validator)
		info := tontlb.McStateExtraBlockInfo{PrevBlocks: &tontlb.OldMcBlocksInfoAugDict{AugmentedDictionary: old.Copy()}, AfterKeyBlock: isKey}
		extra := cell.BeginCell().MustStoreUInt(0xcc26, 16).MustStoreBoolBit(false).MustStoreSlice(zeroHash, 256).MustStoreRef(config).
			MustStoreRef(must(tontlb.ToCell(info))).MustStoreUInt(0, 5).EndCell()
		unsplit := tontlb.ShardStateUnsplit{ShardIdent: tontlb.ShardIdent{WorkchainID: -1}, Seqno: seqno, GenLT: uint64(seqno),
			OutMsgQueueInfo: empty, Stats: empty, McStateExtra: extra}
		unsplit.Accounts.ShardAccounts = noAccounts
		state := must(tontlb.ToCell(unsplit))

		update := must(cell.CreateMerkleUpdate(must(cell.CreatePrunedBranch(c.states[seqno-1], 1, 0)), must(cell.CreatePrunedBranch(state, 1, 0))))
		var header tontlb.BlockHeader
		header.SeqNo, header.KeyBlock, header.PrevKeyBlockSeqno = seqno, isKey, lastKey
		header.Shard = tontlb.ShardIdent{WorkchainID: -1}
		header.StartLt, header.EndLt, header.GenUtime = uint64(seqno), uint64(seqno), start+seqno
		if seqno == 1 {
			header.GenUtime = 1_700_000_001
		}
		header.GenCatchainSeqno, header.GenValidatorListHashShort = 1, keyChainSetHash(t, signer)
		prev := c.ids[seqno-1]
		header.PrevRef.Prev1 = tontlb.ExtBlkRef{SeqNo: seqno - 1, RootHash: prev.RootHash, FileHash: prev.FileHash}
		master := cell.BeginCell().MustStoreUInt(0xcca5, 16).MustStoreBoolBit(isKey).MustStoreBoolBit(false).
			MustStoreBoolBit(false).MustStoreUInt(0, 10).MustStoreRef(zeros(3))
		if isKey {
			master.MustStoreSlice(zeroHash, 256).MustStoreRef(config)
		}
		body := cell.BeginCell().MustStoreUInt(0x4a33f6fd, 32).MustStoreRef(empty).MustStoreRef(empty).MustStoreRef(zeros(6)).
			MustStoreSlice(zeroHash, 256).MustStoreSlice(zeroHash, 256).MustStoreMaybeRef(master.EndCell()).EndCell()
		block := cell.BeginCell().MustStoreUInt(0x11ef55aa, 32).MustStoreInt(int64(sandbox.DefaultGlobalID), 32).
			MustStoreRef(must(tontlb.ToCell(header))).MustStoreRef(empty).MustStoreRef(update).MustStoreRef(body).EndCell()

		id := ton.BlockIDExt{Workchain: -1, Shard: masterShard, SeqNo: seqno, RootHash: block.Hash(), FileHash: zeroHash}
		c.blocks, c.states, c.ids, c.signer = append(c.blocks, block), append(c.states, state), append(c.ids, id), append(c.signer, signer)
		ref := must(tontlb.ToCell(tontlb.KeyExtBlkRef{IsKey: isKey, BlkRef: tontlb.ExtBlkRef{
			EndLt: uint64(seqno), SeqNo: seqno, RootHash: id.RootHash, FileHash: id.FileHash,
		}}))
		if err := old.SetIntKey(big.NewInt(int64(seqno)), ref); err != nil {
			t.Fatal(err)
		}
		if isKey {
			lastKey = seqno
			c.named[seqno] = validator
		}
	}
	c.head.Store(n)
	return c
}

// keyChainConfig has parameters 28 (how validators are chosen) and 34 (who they are).
func keyChainConfig(t testing.TB, validator ed25519.PrivateKey) *cell.Cell {
	t.Helper()
	catchain := cell.BeginCell().MustStoreUInt(0xc1, 8).MustStoreSlice(make([]byte, 16), 128).EndCell()
	descr := cell.BeginCell().MustStoreUInt(0x73, 8).MustStoreUInt(0x8e81278a, 32).
		MustStoreSlice(validator.Public().(ed25519.PublicKey), 256).MustStoreUInt(1, 64).MustStoreSlice(make([]byte, 32), 256).EndCell()
	list, params := cell.NewDict(16), cell.NewDict(32)
	err := list.SetIntKey(big.NewInt(0), descr)
	set := cell.BeginCell().MustStoreUInt(0x12, 8).MustStoreUInt(0, 32).MustStoreUInt(1<<31, 32).MustStoreUInt(1, 16).MustStoreUInt(1, 16).
		MustStoreUInt(1, 64).MustStoreMaybeRef(list.AsCell()).EndCell()
	for n, p := range map[int64]*cell.Cell{28: catchain, 34: set, 9: cell.BeginCell().MustStoreSlice(make([]byte, 100), 800).EndCell()} {
		err = errors.Join(err, params.SetIntKey(big.NewInt(n), cell.BeginCell().MustStoreRef(p).EndCell()))
	}
	if err != nil {
		t.Fatal(err)
	}
	return params.AsCell()
}

func keyChainSetHash(t testing.TB, validator ed25519.PrivateKey) uint32 {
	t.Helper()
	set, err := tl.Serialize(ton.ValidatorSetHashable{CCSeqno: 1, Validators: []ton.ValidatorItemHashable{
		{Key: validator.Public().(ed25519.PublicKey), Weight: 1, Addr: make([]byte, 32)},
	}}, true)
	if err != nil {
		t.Fatal(err)
	}
	return crc32.Checksum(set, crc32.MakeTable(crc32.Castagnoli))
}

// The methods a liteserver needs.

func (c *keyChain) MasterHead() ton.BlockIDExt { return c.ids[c.head.Load()] }

func (c *keyChain) Lookup(_ int32, _ int64, by sandbox.Lookup) (ton.BlockIDExt, error) {
	if by.Mode != sandbox.BySeqno || by.Seqno > c.head.Load() {
		return ton.BlockIDExt{}, sandbox.ErrNotFound
	}
	return c.ids[by.Seqno], nil
}

func (c *keyChain) has(id ton.BlockIDExt) error {
	if id.SeqNo > c.head.Load() || !c.ids[id.SeqNo].Equals(&id) {
		return sandbox.ErrNotFound
	}
	return nil
}

func (c *keyChain) Block(id ton.BlockIDExt) (*cell.Cell, error) {
	if err := c.has(id); err != nil {
		return nil, err
	}
	return c.blocks[id.SeqNo], nil
}

func (c *keyChain) State(id ton.BlockIDExt) (*cell.Cell, error) {
	if err := c.has(id); err != nil {
		return nil, err
	}
	return c.states[id.SeqNo], nil
}

func (c *keyChain) Signatures(seqno uint32) ([]sandbox.Signature, error) {
	key := c.signer[seqno]
	text, err := tl.Serialize(ton.BlockID{RootHash: c.ids[seqno].RootHash, FileHash: c.ids[seqno].FileHash}, true)
	if err != nil {
		return nil, err
	}
	node, err := tl.Hash(keys.PublicKeyED25519{Key: key.Public().(ed25519.PublicKey)})
	if err != nil {
		return nil, err
	}
	return []sandbox.Signature{{Node: [32]byte(node), Signature: ed25519.Sign(key, text)}}, nil
}

func (c *keyChain) Send(context.Context, *cell.Cell) error { return errors.New("nobody listens") }
func (c *keyChain) Wait(context.Context, uint32) error     { return nil }
func (c *keyChain) Now() time.Time                         { return time.Unix(1_700_000_000, 0) }
