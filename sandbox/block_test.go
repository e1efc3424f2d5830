package sandbox_test

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"math/big"
	"testing"

	"github.com/tonkeeper/tongo/boc"
	tongotlb "github.com/tonkeeper/tongo/tlb"
	"github.com/xssnick/tonutils-go/address"
	tontlb "github.com/xssnick/tonutils-go/tlb"
	"github.com/xssnick/tonutils-go/ton"
	"github.com/xssnick/tonutils-go/tvm/cell"

	"github.com/tussah-network/tussah/sandbox"
	"github.com/tussah-network/tussah/tlb"
)

const (
	master    = int32(-1)
	base      = int32(0)
	wholeSide = int64(-1 << 63)
)

// busyChain is a chain with a bit of everything in it: transfers within the
// basechain, to the masterchain and back, bounces, empty blocks.
func busyChain(t *testing.T, o sandbox.Options) *sandbox.Chain {
	t.Helper()
	chain, err := sandbox.Open(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = chain.Close() })
	busy(t, chain)
	return chain
}

const busyAccounts = 8

func busy(t *testing.T, chain *sandbox.Chain) {
	t.Helper()
	for i := range byte(busyAccounts) {
		if err := chain.Faucet(t.Context(), account(base, i), tlb.Nano(i+1)*tlb.TON); err != nil {
			t.Fatal(err)
		}
		if err := chain.Faucet(t.Context(), account(master, i), tlb.Nano(i+1)*tlb.TON); err != nil {
			t.Fatal(err)
		}
	}
	// Comes back from the masterchain, having found no code there.
	_, err := chain.SendInternal(t.Context(), sandbox.Internal{From: sandbox.Giver(), To: account(master, 200), Amount: tlb.TON, Bounce: true})
	if err != nil {
		t.Fatal(err)
	}
	for range 3 {
		if _, err := chain.Seal(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
}

func account(workchain int32, n byte) *address.Address {
	return address.NewAddress(0, byte(workchain), bytes.Repeat([]byte{n}, 32))
}

// TestBlocksParse reads every block and state with two libraries, and checks
// that each block's Merkle update leads from one state to the next.
func TestBlocksParse(t *testing.T) {
	checkBlocks(t, busyChain(t, sandbox.Options{}))
}

func checkBlocks(t *testing.T, chain *sandbox.Chain) {
	t.Helper()
	head := chain.MasterHead()
	for _, shard := range chain.Layout() {
		workchain := shard.Workchain
		find := func(seqno uint32) sandbox.BlockID {
			id, err := chain.Lookup(workchain, shard.Shard, sandbox.Lookup{Mode: sandbox.BySeqno, Seqno: seqno})
			if err != nil {
				t.Fatal(err)
			}
			return id
		}
		transactions := 0
		for seqno := uint32(1); seqno <= head.SeqNo; seqno++ {
			prev, next := find(seqno-1), find(seqno)
			root, err := chain.Block(next)
			if err != nil {
				t.Fatal(err)
			}
			from, to := state(t, chain, prev), state(t, chain, next)

			var block tontlb.Block
			if err := tontlb.Parse(&block, root); err != nil {
				t.Fatalf("%d:%d: %v", workchain, seqno, err)
			}
			applied, _, err := cell.ApplyMerkleUpdate(from, block.StateUpdate)
			if err != nil {
				t.Fatalf("%d:%d: apply state update: %v", workchain, seqno, err)
			}
			if applied.HashKey() != to.HashKey() {
				t.Errorf("%d:%d: state update leads elsewhere", workchain, seqno)
			}
			if err := cell.ValidateMerkleUpdate(block.StateUpdate); err != nil {
				t.Errorf("%d:%d: %v", workchain, seqno, err)
			}
			if block.BlockInfo.SeqNo != seqno || block.BlockInfo.PrevRef.Prev1.SeqNo != seqno-1 ||
				!bytes.Equal(block.BlockInfo.PrevRef.Prev1.RootHash, prev.RootHash) {
				t.Errorf("%d:%d: header %+v", workchain, seqno, block.BlockInfo)
			}
			list, err := block.ListTransactions()
			if err != nil {
				t.Fatal(err)
			}
			transactions += len(list)
			views, err := chain.BlockTransactions(next)
			if err != nil || len(views) != len(list) {
				t.Errorf("%d:%d: %d transactions (%v), want %d", workchain, seqno, len(views), err, len(list))
			}
			checkTongo(t, root, to)
		}
		t.Logf("shard %d:%016x: %d blocks, %d transactions", workchain, uint64(shard.Shard), head.SeqNo, transactions)
	}
}

// checkTongo reads a block and a state with the other library, down to the
// message descriptors, and checks the value flow.
func checkTongo(t *testing.T, root, stateRoot *cell.Cell) {
	t.Helper()
	var block tongotlb.Block
	if err := tongotlb.Unmarshal(tongoCell(t, root), &block); err != nil {
		t.Fatalf("tongo: block: %v", err)
	}
	in, err := block.Extra.InMsgDescr()
	if err != nil {
		t.Fatalf("tongo: in messages: %v", err)
	}
	if _, err := block.Extra.OutMsgDescr(); err != nil {
		t.Fatalf("tongo: out messages: %v", err)
	}
	if got, want := len(in.Keys()), block.TransactionsQuantity(); got != want {
		t.Errorf("%d messages came in, %d transactions", got, want)
	}
	f := block.ValueFlow
	income := coins(f.FromPrevBlk) + coins(f.Imported) + coins(f.FeesImported) + coins(f.Minted)
	outgo := coins(f.ToNextBlk) + coins(f.Exported) + coins(f.FeesCollected)
	if f.Burned != nil {
		outgo += coins(*f.Burned)
	}
	if income != outgo {
		t.Errorf("value flow: %d in, %d out", income, outgo)
	}
	var state tongotlb.ShardStateUnsplit
	if err := tongotlb.Unmarshal(tongoCell(t, stateRoot), &state); err != nil {
		t.Fatalf("tongo: state: %v", err)
	}
}

func coins(c tongotlb.CurrencyCollection) uint64 { return uint64(c.Grams) }

func tongoCell(t *testing.T, c *cell.Cell) *boc.Cell {
	t.Helper()
	cells, err := boc.DeserializeBoc(sandbox.BlockBOC(c))
	if err != nil {
		t.Fatal(err)
	}
	return cells[0]
}

// TestBlockNames holds blocks against their ids: root hash and file hash.
func TestBlockNames(t *testing.T) {
	chain := busyChain(t, sandbox.Options{})
	id := chain.MasterHead()
	root, err := chain.Block(id)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(root.Hash(), id.RootHash) {
		t.Error("root hash differs")
	}
	if file := sha256.Sum256(sandbox.BlockBOC(root)); !bytes.Equal(file[:], id.FileHash) || !bytes.Equal(cell.ComputeFileHash(root), file[:]) {
		t.Error("file hash differs")
	}
	wrong := *id.Copy()
	wrong.RootHash[0] ^= 1
	if _, err := chain.Block(wrong); !errors.Is(err, sandbox.ErrNotFound) {
		t.Errorf("block with a wrong hash: %v", err)
	}
}

// TestSignatures checks a master block's signature as a client does, with the
// validator set of the configuration in the first key block.
func TestSignatures(t *testing.T) {
	chain := busyChain(t, sandbox.Options{})
	var key tontlb.Block
	if err := tontlb.Parse(&key, readBlock(t, chain, master, 1)); err != nil {
		t.Fatal(err)
	}
	if !key.BlockInfo.KeyBlock {
		t.Fatal("block 1 is no key block")
	}
	config := tontlb.BlockchainConfig{Root: key.Extra.Custom.ConfigParams.Config.Params.AsCell()}
	set, err := config.GetCurrentValidators()
	if err != nil {
		t.Fatal(err)
	}
	catchain, err := config.GetCatchainConfig()
	if err != nil {
		t.Fatal(err)
	}
	id := chain.MasterHead()
	var head tontlb.Block
	if err := tontlb.Parse(&head, readBlock(t, chain, master, id.SeqNo)); err != nil {
		t.Fatal(err)
	}
	validators, err := ton.GetMainValidators(&id, catchain, *set, head.BlockInfo.GenCatchainSeqno)
	if err != nil {
		t.Fatal(err)
	}
	signatures, err := chain.Signatures(id.SeqNo)
	if err != nil {
		t.Fatal(err)
	}
	sigs := []ton.Signature{{NodeIDShort: signatures[0].Node[:], Signature: signatures[0].Signature}}
	if err := ton.CheckBlockSignatures(&id, head.BlockInfo.GenCatchainSeqno, head.BlockInfo.GenValidatorListHashShort, sigs, validators); err != nil {
		t.Error(err)
	}
}

// TestShardsInMaster finds the basechain's newest block in the masterchain's
// state, and every old master block too.
func TestShardsInMaster(t *testing.T) {
	chain := busyChain(t, sandbox.Options{})
	head := chain.MasterHead()
	var s tontlb.ShardStateUnsplit
	if err := tontlb.Parse(&s, state(t, chain, head)); err != nil {
		t.Fatal(err)
	}
	var extra tontlb.McStateExtra
	if err := tontlb.Parse(&extra, s.McStateExtra); err != nil {
		t.Fatal(err)
	}
	shards, err := ton.LoadShardsFromHashes(extra.ShardHashes, false)
	if err != nil {
		t.Fatal(err)
	}
	want := lookup(t, chain, base, head.SeqNo)
	if len(shards) != 1 || !shards[0].Equals(&want) {
		t.Errorf("shards are %v, want %v", shards, want)
	}
	var info tontlb.McStateExtraBlockInfo
	if err := tontlb.Parse(&info, extra.Info); err != nil {
		t.Fatal(err)
	}
	for seqno := range head.SeqNo {
		value, err := info.PrevBlocks.LoadValueByIntKey(big.NewInt(int64(seqno)))
		if err != nil {
			t.Fatalf("old block %d: %v", seqno, err)
		}
		var old tontlb.KeyExtBlkRef
		if err := tontlb.LoadFromCell(&old, value); err != nil {
			t.Fatal(err)
		}
		if id := lookup(t, chain, master, seqno); !bytes.Equal(old.BlkRef.RootHash, id.RootHash) || old.IsKey != (seqno < 2) {
			t.Errorf("old block %d is %+v", seqno, old)
		}
	}
	if info.LastKeyBlock == nil || info.LastKeyBlock.SeqNo != 1 {
		t.Errorf("last key block is %+v", info.LastKeyBlock)
	}
}

func lookup(t *testing.T, chain *sandbox.Chain, workchain int32, seqno uint32) sandbox.BlockID {
	t.Helper()
	id, err := chain.Lookup(workchain, wholeSide, sandbox.Lookup{Mode: sandbox.BySeqno, Seqno: seqno})
	if err != nil {
		t.Fatal(err)
	}
	return id
}

func readBlock(t *testing.T, chain *sandbox.Chain, workchain int32, seqno uint32) *cell.Cell {
	t.Helper()
	root, err := chain.Block(lookup(t, chain, workchain, seqno))
	if err != nil {
		t.Fatal(err)
	}
	return root
}

func state(t *testing.T, chain *sandbox.Chain, id sandbox.BlockID) *cell.Cell {
	t.Helper()
	root, err := chain.State(id)
	if err != nil {
		t.Fatal(err)
	}
	return root
}
