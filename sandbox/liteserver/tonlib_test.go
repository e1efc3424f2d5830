package liteserver

import (
	"errors"
	"fmt"
	"testing"

	"github.com/xssnick/tonutils-go/ton"
	"github.com/xssnick/tonutils-go/tvm/cell"

	"github.com/tussah-network/tussah/sandbox"
)

// TON's own client, in C++, takes a whole record apart before it looks at one
// field, so a proof needs more cells for it than for others. The functions here
// open what it opens; a pruned cell among them is an error, there as here.

var errPruned = errors.New("pruned")

// read opens a cell of a proof.
func read(c *cell.Cell) (*cell.Slice, error) {
	if c.IsSpecial() {
		return nil, errPruned
	}
	return c.BeginParse()
}

// readAll opens everything below an open cell.
func readAll(s *cell.Slice) error {
	for i := range s.RefsNum() {
		ref, err := s.PeekRefCellAt(i)
		if err != nil {
			return err
		}
		below, err := read(ref)
		if err != nil {
			return err
		}
		if err = readAll(below); err != nil {
			return err
		}
	}
	return nil
}

// readChild opens a cell's reference.
func readChild(s *cell.Slice, i int) (*cell.Slice, error) {
	ref, err := s.PeekRefCellAt(i)
	if err != nil {
		return nil, err
	}
	return read(ref)
}

// unpackBlock opens a block's root and header, and the references of the header.
func unpackBlock(block *cell.Cell) error {
	s, err := read(block)
	if err != nil {
		return err
	}
	info, err := readChild(s, blockInfo)
	if err != nil {
		return fmt.Errorf("header: %w", err)
	}
	return readAll(info)
}

// unpackState opens a state's root and the record of totals inside it.
func unpackState(state *cell.Cell) (*cell.Slice, error) {
	s, err := read(state)
	if err != nil {
		return nil, err
	}
	if _, err = readChild(s, stateTotals); err != nil {
		return nil, fmt.Errorf("totals: %w", err)
	}
	return s, nil
}

// unpackMasterState opens what a masterchain state has beyond that.
func unpackMasterState(state *cell.Cell) error {
	s, err := unpackState(state)
	if err != nil {
		return err
	}
	extra, err := readChild(s, stateMaster)
	if err != nil {
		return fmt.Errorf("extra: %w", err)
	}
	if _, err = readChild(extra, extra.RefsNum()-1); err != nil {
		return fmt.Errorf("info: %w", err)
	}
	return nil
}

// unpackMasterBlock opens what a masterchain block has beyond a header.
func unpackMasterBlock(block *cell.Cell) (masterBlockExtra, error) {
	x, err := blockMasterExtra(block)
	if err != nil {
		return x, err
	}
	s, err := read(block)
	if err != nil {
		return x, err
	}
	extra, err := readChild(s, blockExtra)
	if err != nil {
		return x, fmt.Errorf("extra: %w", err)
	}
	custom, err := readChild(extra, extraMaster)
	if err != nil {
		return x, fmt.Errorf("custom: %w", err)
	}
	// Whatever is there of shards and fees, the record of signatures comes after
	// it, and the configuration of a key block last.
	at := custom.RefsNum() - 1
	if x.config != nil {
		at--
	}
	if _, err = readChild(custom, at); err != nil {
		return x, fmt.Errorf("signatures: %w", err)
	}
	return x, nil
}

// lookupBlocks finds earlier blocks in a masterchain state. The zero state's
// entry is looked for whatever else is.
func lookupBlocks(state *cell.Cell, seqnos ...uint32) error {
	if err := unpackMasterState(state); err != nil {
		return err
	}
	prev, err := prevBlocks(state)
	if err != nil {
		return err
	}
	seqnos = append(seqnos, 0)
	for _, n := range seqnos {
		key := cell.BeginCell().MustStoreUInt(uint64(n), 32).EndCell()
		if _, err := prev.LoadValue(key); err != nil {
			return fmt.Errorf("entry %d: %w", n, err)
		}
	}
	return nil
}

func TestWhatTonlibReads(t *testing.T) {
	a, chain := testChain(t)
	t.Run("from memory", func(t *testing.T) { testWhatTonlibReads(t, a, chain) })
	t.Run("from disk", func(t *testing.T) {
		testWhatTonlibReads(t, newAnswerer(&diskSource{Source: chain, left: 1 << 20}, 1, 1), chain)
	})
}

func testWhatTonlibReads(t *testing.T, a *answerer, chain *sandbox.Chain) {
	head := chain.MasterHead()
	check := func(what string, err error) {
		t.Helper()
		if err != nil {
			t.Errorf("%s: %v", what, err)
		}
	}

	for name, account := range map[string]ton.AccountID{
		"present": {ID: numbered(1).Data()}, "absent": {ID: numbered(crowd + 1).Data()},
		"masterchain": {Workchain: masterchain, ID: make([]byte, 32)},
	} {
		answer, err := a.accountState(&head, account, false)
		if err != nil {
			t.Fatal(err)
		}
		s := answer.(ton.AccountState)
		check(name, unpackBlock(unwrap(t, s.Proof[0], s.Shard.RootHash)))
		_, err = unpackState(proven(t, s.Shard, s.Proof))
		check(name, err)
		if account.Workchain != masterchain {
			state := proven(t, &head, s.ShardProof)
			check(name, unpackBlock(unwrap(t, s.ShardProof[0], head.RootHash)))
			check(name, unpackMasterState(state))
		}
	}

	answer, err := a.config(&head, configPrevBlocks, nil)
	if err != nil {
		t.Fatal(err)
	}
	c := answer.(ton.ConfigAll)
	state := proven(t, &head, []*cell.Cell{boc(t, c.StateProof), boc(t, c.ConfigProof)})
	var recent []uint32
	for n := head.SeqNo; n > 0 && head.SeqNo-n < 15; n-- {
		recent = append(recent, n-1)
	}
	check("previous blocks", lookupBlocks(state, recent...))

	answer, err = a.allShards(ton.GetAllShardsInfo{ID: &head})
	if err != nil {
		t.Fatal(err)
	}
	shards := answer.(ton.AllShardsInfo)
	x, err := unpackMasterBlock(unwrap(t, shards.Proof[0], head.RootHash))
	if err != nil || x.shards.AsCell().HashKey(0) != shards.Data.MustPeekRef(0).HashKey() {
		t.Errorf("shards: %v", err)
	}

	// A transaction's time is within its block's, the ends excluded.
	l, err := a.locate(&head, ton.AccountID{ID: numbered(1000).Data()})
	if err != nil {
		t.Fatal(err)
	}
	id, err := chain.Lookup(0, masterShard, sandbox.Lookup{Mode: sandbox.ByLT, LT: l.lastLT})
	if err != nil {
		t.Fatal(err)
	}
	b, err := a.block(&id)
	if err != nil {
		t.Fatal(err)
	}
	if h := b.header; l.lastLT <= h.StartLt || l.lastLT >= h.EndLt {
		t.Errorf("transaction %d is at an end of its block, %d to %d", l.lastLT, h.StartLt, h.EndLt)
	}
}

// The zero state can be where a proof starts, and where it leads.
func TestProofChainOfTonlib(t *testing.T) {
	chain := newKeyChain(t, 23, func(n uint32) bool { return n == 1 || n%5 == 0 || n == 11 })
	a := newAnswerer(chain, 1, 1)
	for _, from := range []uint32{0, 1, 4, 11, 23} {
		for _, to := range []uint32{0, 1, 4, 11, 23} {
			answer, err := a.blockProof(ton.GetBlockProof{Mode: 1, KnownBlock: &chain.ids[from], TargetBlock: &chain.ids[to]})
			if err != nil {
				t.Fatalf("from %d to %d: %v", from, to, err)
			}
			at := from
			for _, step := range answer.(ton.PartialBlockProof).Steps {
				switch link := step.(type) {
				case ton.BlockLinkBackward:
					err = readBack(t, link, at)
					at = link.To.SeqNo
				case ton.BlockLinkForward:
					err = readForward(t, link, at)
					at = link.To.SeqNo
				}
				if err != nil {
					t.Errorf("from %d to %d, at %d: %v", from, to, at, err)
				}
			}
			if at != to {
				t.Errorf("from %d to %d: leads to %d", from, to, at)
			}
		}
	}
}

func readBack(t testing.TB, link ton.BlockLinkBackward, at uint32) error {
	if link.From.SeqNo != at || link.To.SeqNo >= at {
		return fmt.Errorf("link from %d to %d", link.From.SeqNo, link.To.SeqNo)
	}
	if link.To.SeqNo > 0 {
		if err := unpackBlock(unwrap(t, boc(t, link.DestProof), link.To.RootHash)); err != nil {
			return err
		}
	} else if len(link.DestProof) > 0 || !link.ToKeyBlock {
		return errors.New("the zero state has a header")
	}
	proof := []*cell.Cell{boc(t, link.Proof), boc(t, link.StateProof)}
	if err := unpackBlock(unwrap(t, proof[0], link.From.RootHash)); err != nil {
		return err
	}
	return lookupBlocks(proven(t, link.From, proof), link.To.SeqNo)
}

func readForward(t testing.TB, link ton.BlockLinkForward, at uint32) error {
	if link.From.SeqNo != at || link.To.SeqNo <= at {
		return fmt.Errorf("link from %d to %d", link.From.SeqNo, link.To.SeqNo)
	}
	if err := unpackBlock(unwrap(t, boc(t, link.DestProof), link.To.RootHash)); err != nil {
		return err
	}
	root := unwrap(t, boc(t, link.ConfigProof), link.From.RootHash)
	var config *cell.Dictionary
	var err error
	if at == 0 {
		if err = unpackMasterState(root); err == nil {
			config, err = stateConfig(root)
		}
	} else if err = unpackBlock(root); err == nil {
		var x masterBlockExtra
		x, err = unpackMasterBlock(root)
		config = x.config
	}
	if err != nil {
		return err
	}
	for n, want := range map[uint64]error{28: nil, 34: nil, 35: cell.ErrNoSuchKeyInDict} {
		value, err := config.LoadValue(cell.BeginCell().MustStoreUInt(n, 32).EndCell())
		if !errors.Is(err, want) {
			return fmt.Errorf("parameter %d: %w", n, err)
		}
		if err == nil {
			if err = readAll(value); err != nil {
				return fmt.Errorf("parameter %d: %w", n, err)
			}
		}
	}
	return nil
}
