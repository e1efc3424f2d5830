package liteserver

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"hash/crc32"
	"math/big"
	"testing"

	"github.com/xssnick/tonutils-go/adnl/keys"
	"github.com/xssnick/tonutils-go/tl"
	tontlb "github.com/xssnick/tonutils-go/tlb"
	"github.com/xssnick/tonutils-go/ton"
	"github.com/xssnick/tonutils-go/tvm/cell"

	"github.com/tussah-network/tussah/sandbox"
)

// keyChain is a masterchain that exists to be proven: no accounts, no shards,
// but key blocks at will, each of which hands over to another validator, and
// messages that wait in a dispatch queue.
type keyChain struct {
	stubSource
	blocks, states []*cell.Cell
	ids            []BlockID
	signer         []ed25519.PrivateKey // of each block
	unsigned       bool
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

// newKeyChain builds a chain of n blocks; the ones key names are key blocks.
func newKeyChain(t testing.TB, n uint32, key func(seqno uint32) bool) *keyChain {
	t.Helper()
	must := func(c *cell.Cell, err error) *cell.Cell {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	zeroBits := func(n uint) *cell.Cell { return cell.BeginCell().MustStoreSlice(make([]byte, 40), n).EndCell() }
	empty := cell.BeginCell().EndCell()
	zeroHash := make([]byte, 32)
	old, err := cell.NewAugDict(32, oldBlocks{})
	if err != nil {
		t.Fatal(err)
	}
	queues := keyChainQueues(t)
	state := func(seqno uint32, key bool, config *cell.Cell) *cell.Cell {
		info := tontlb.McStateExtraBlockInfo{PrevBlocks: &tontlb.OldMcBlocksInfoAugDict{AugmentedDictionary: old.Copy()}, AfterKeyBlock: key}
		extra := cell.BeginCell().MustStoreUInt(tagMasterState, 16).MustStoreBoolBit(false).
			MustStoreSlice(bytes.Repeat([]byte{0x55}, 32), 256).MustStoreRef(config).
			MustStoreRef(must(tontlb.ToCell(info))).MustStoreUInt(0, 5).EndCell()
		return must(tontlb.ToCell(tontlb.ShardStateUnsplit{
			ShardIdent: tontlb.ShardIdent{WorkchainID: masterchain}, Seqno: seqno, GenLT: uint64(seqno), OutMsgQueueInfo: queues,
			Accounts: struct {
				ShardAccounts *tontlb.ShardAccountsAugDict `tlb:"."`
			}{newShardAccounts(t)},
			Stats: empty, McStateExtra: extra,
		}))
	}
	remember := func(id BlockID, key bool) {
		t.Helper()
		ref := must(tontlb.ToCell(tontlb.KeyExtBlkRef{IsKey: key, BlkRef: tontlb.ExtBlkRef{
			EndLt: uint64(id.SeqNo), SeqNo: id.SeqNo, RootHash: id.RootHash, FileHash: id.FileHash,
		}}))
		if err := old.SetIntKey(big.NewInt(int64(id.SeqNo)), ref); err != nil {
			t.Fatal(err)
		}
	}
	lastKey := uint32(0)
	validator := ed25519.NewKeyFromSeed(zeroHash)
	zero := state(0, true, keyChainConfig(t, validator))
	c := &keyChain{
		stubSource: *newStub(), blocks: []*cell.Cell{nil}, states: []*cell.Cell{zero}, signer: []ed25519.PrivateKey{nil},
		ids: []BlockID{{Workchain: masterchain, Shard: masterShard, RootHash: zero.Hash(), FileHash: zeroHash}},
	}
	remember(c.ids[0], true)
	for seqno := uint32(1); seqno <= n; seqno++ {
		isKey := key(seqno)
		signer := validator // signs this block, a key block too
		if isKey {
			validator = ed25519.NewKeyFromSeed(bytes.Repeat([]byte{byte(seqno)}, 32))
		}
		config := keyChainConfig(t, validator)

		state := state(seqno, isKey, config)
		update := must(cell.CreateMerkleUpdate(must(cell.CreatePrunedBranch(c.states[seqno-1], 1, 0)), must(cell.CreatePrunedBranch(state, 1, 0))))
		var header tontlb.BlockHeader
		header.SeqNo, header.KeyBlock, header.PrevKeyBlockSeqno = seqno, isKey, lastKey
		header.Shard = tontlb.ShardIdent{WorkchainID: masterchain}
		header.StartLt, header.EndLt = uint64(seqno), uint64(seqno)
		header.GenCatchainSeqno, header.GenValidatorListHashShort = 1, keyChainSetHash(t, signer)
		prev := c.ids[seqno-1]
		header.PrevRef.Prev1 = tontlb.ExtBlkRef{SeqNo: seqno - 1, RootHash: prev.RootHash, FileHash: prev.FileHash}
		mc := cell.BeginCell().MustStoreUInt(tagMasterExtra, 16).MustStoreBoolBit(isKey).MustStoreBoolBit(false).
			MustStoreBoolBit(false).MustStoreUInt(0, 10).MustStoreRef(zeroBits(3))
		if isKey {
			mc.MustStoreSlice(bytes.Repeat([]byte{0x55}, 32), 256).MustStoreRef(config)
		}
		body := cell.BeginCell().MustStoreUInt(0x4a33f6fd, 32).MustStoreRef(empty).MustStoreRef(empty).MustStoreRef(zeroBits(6)).
			MustStoreSlice(zeroHash, 256).MustStoreSlice(zeroHash, 256).MustStoreMaybeRef(mc.EndCell()).EndCell()
		block := cell.BeginCell().MustStoreUInt(0x11ef55aa, 32).MustStoreInt(1, 32).MustStoreRef(must(tontlb.ToCell(header))).
			MustStoreRef(empty).MustStoreRef(update).MustStoreRef(body).EndCell()

		id := BlockID{Workchain: masterchain, Shard: masterShard, SeqNo: seqno, RootHash: block.Hash(), FileHash: zeroHash}
		c.blocks, c.states, c.ids, c.signer = append(c.blocks, block), append(c.states, state), append(c.ids, id), append(c.signer, signer)
		remember(id, isKey)
		if isKey {
			lastKey = seqno
		}
	}
	c.head = n
	return c
}

func newShardAccounts(t testing.TB) *tontlb.ShardAccountsAugDict {
	d, err := tontlb.NewShardAccountsAugDict()
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// keyChainConfig has parameters 28 and 34, and one nobody asks for.
func keyChainConfig(t testing.TB, validator ed25519.PrivateKey) *cell.Cell {
	t.Helper()
	catchain := cell.BeginCell().MustStoreUInt(0xc1, 8).MustStoreSlice(make([]byte, 16), 128).EndCell()
	descr := cell.BeginCell().MustStoreUInt(0x73, 8).MustStoreUInt(0x8e81278a, 32).
		MustStoreSlice(validator.Public().(ed25519.PublicKey), 256).MustStoreUInt(1, 64).MustStoreSlice(make([]byte, 32), 256).EndCell()
	list := cell.NewDict(16)
	if err := list.SetIntKey(big.NewInt(0), descr); err != nil {
		t.Fatal(err)
	}
	set := cell.BeginCell().MustStoreUInt(0x12, 8).MustStoreUInt(0, 32).MustStoreUInt(1<<31, 32).MustStoreUInt(1, 16).MustStoreUInt(1, 16).
		MustStoreUInt(1, 64).MustStoreMaybeRef(list.AsCell()).EndCell()
	params := cell.NewDict(32)
	for n, p := range map[int64]*cell.Cell{28: catchain, 34: set, 9: cell.BeginCell().MustStoreSlice(make([]byte, 100), 800).EndCell()} {
		if err := params.SetIntKey(big.NewInt(n), cell.BeginCell().MustStoreRef(p).EndCell()); err != nil {
			t.Fatal(err)
		}
	}
	return params.AsCell()
}

func keyChainSetHash(t testing.TB, validator ed25519.PrivateKey) uint32 {
	set, err := tl.Serialize(ton.ValidatorSetHashable{CCSeqno: 1, Validators: []ton.ValidatorItemHashable{
		{Key: validator.Public().(ed25519.PublicKey), Weight: 1, Addr: make([]byte, 32)},
	}}, true)
	if err != nil {
		t.Fatal(err)
	}
	return crc32.Checksum(set, crc32.MakeTable(crc32.Castagnoli))
}

func (c *keyChain) MasterHead() BlockID { return c.ids[c.head] }

func (c *keyChain) Lookup(_ int32, _ int64, by Lookup) (BlockID, error) {
	if by.Mode != sandbox.BySeqno || by.Seqno > c.head {
		return BlockID{}, ErrNotFound
	}
	return c.ids[by.Seqno], nil
}

func (c *keyChain) known(id BlockID) error {
	if id.SeqNo > c.head || !c.ids[id.SeqNo].Equals(&id) {
		return fmt.Errorf("block %d: %w", id.SeqNo, ErrNotFound)
	}
	return nil
}

func (c *keyChain) Block(id BlockID) (*cell.Cell, error) {
	return c.blocks[min(id.SeqNo, c.head)], c.known(id)
}
func (c *keyChain) State(id BlockID) (*cell.Cell, error) {
	return c.states[min(id.SeqNo, c.head)], c.known(id)
}

func (c *keyChain) Signatures(seqno uint32) ([]Signature, error) {
	if c.unsigned {
		return nil, nil
	}
	key := c.signer[seqno]
	text, err := tl.Serialize(ton.BlockID{RootHash: c.ids[seqno].RootHash, FileHash: c.ids[seqno].FileHash}, true)
	if err != nil {
		return nil, err
	}
	node, err := tl.Hash(keys.PublicKeyED25519{Key: key.Public().(ed25519.PublicKey)})
	if err != nil {
		return nil, err
	}
	return []Signature{{Node: [32]byte(node), Signature: ed25519.Sign(key, text)}}, nil
}

// The library's own verifier follows the chain between any two blocks, over
// key blocks that change the validators.
func TestProofChain(t *testing.T) {
	chain := newKeyChain(t, 23, func(n uint32) bool { return n == 1 || n%5 == 0 || n == 11 })
	api := ton.NewAPIClient(connect(t, start(t, chain, Options{})), ton.ProofCheckPolicySecure)
	ends := []uint32{1, 2, 5, 7, 10, 11, 12, 20, 23}
	for _, from := range ends {
		for _, to := range ends {
			if err := api.VerifyProofChain(context.Background(), &chain.ids[from], &chain.ids[to]); err != nil {
				t.Fatalf("from %d to %d: %v", from, to, err)
			}
		}
	}
}

// A proof over many key blocks comes in parts.
func TestProofChainInParts(t *testing.T) {
	chain := newKeyChain(t, 40, func(n uint32) bool { return n != 2 })
	a := newAnswerer(chain, 1, 1)
	answer, err := a.blockProof(ton.GetBlockProof{Mode: 1, KnownBlock: &chain.ids[2], TargetBlock: &chain.ids[40]})
	if err != nil {
		t.Fatal(err)
	}
	if p := answer.(ton.PartialBlockProof); p.Complete || len(p.Steps) != maxProofLinks || p.To.SeqNo >= 40 {
		t.Errorf("complete %v, %d steps to %d", p.Complete, len(p.Steps), p.To.SeqNo)
	}
	api := ton.NewAPIClient(connect(t, start(t, chain, Options{})), ton.ProofCheckPolicySecure)
	if err := api.VerifyProofChain(context.Background(), &chain.ids[2], &chain.ids[40]); err != nil {
		t.Error(err)
	}
}

func TestProofChainRefusals(t *testing.T) {
	chain := newKeyChain(t, 6, func(n uint32) bool { return n == 1 })
	a := newAnswerer(chain, 1, 1)
	shard := *chain.ids[1].Copy()
	shard.Workchain = 0
	chain.unsigned = true
	for _, c := range []struct {
		name     string
		from, to *BlockID
		want     error
	}{
		{"shard block", &shard, &chain.ids[2], ErrBadQuery},
		{"unsigned block", &chain.ids[1], &chain.ids[2], ErrNoSignatures},
	} {
		if _, err := a.blockProof(ton.GetBlockProof{Mode: 1, KnownBlock: c.from, TargetBlock: c.to}); !errors.Is(err, c.want) {
			t.Errorf("%s: %v", c.name, err)
		}
	}
	noKey := newKeyChain(t, 3, func(uint32) bool { return false })
	if _, err := newAnswerer(noKey, 1, 1).blockProof(ton.GetBlockProof{KnownBlock: &noKey.ids[1]}); !errors.Is(err, ErrNotFound) {
		t.Errorf("chain without key blocks: %v", err)
	}
}
