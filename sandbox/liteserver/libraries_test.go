package liteserver

import (
	"bytes"
	"math/big"
	"testing"

	tontlb "github.com/xssnick/tonutils-go/tlb"
	"github.com/xssnick/tonutils-go/ton"
	"github.com/xssnick/tonutils-go/tvm/cell"

	"github.com/tussah-network/tussah/sandbox"
	"github.com/tussah-network/tussah/tlb"
)

// TestLibraries serves a library that is there, with and without a proof, and
// runs get methods of code that is in it.
func TestLibraries(t *testing.T) {
	// PREVMCBLOCKS 0 INDEX 2 INDEX: the newest master block's number.
	library := cell.BeginCell().MustStoreSlice([]byte{0x30, 0xf8, 0x34, 0x00, 0x6f, 0x10, 0x6f, 0x12}, 64).EndCell()
	code, err := cell.BeginCell().MustStoreUInt(2, 8).MustStoreSlice(library.Hash(), 256).EndCellSpecial(true)
	if err != nil {
		t.Fatal(err)
	}
	chain := OpenChain(t, sandbox.Options{
		Libraries: []*cell.Cell{library}, Genesis: []sandbox.GenesisAccount{{Address: numbered(1), Balance: tlb.TON, Code: code}},
	})
	for range 3 {
		if _, err := chain.Seal(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	a, head := newAnswerer(chain, 1, 1), chain.MasterHead()
	list := [][]byte{make([]byte, 32), library.Hash()}

	answer, err := a.libraries(ton.GetLibraries{LibraryList: list})
	if err != nil {
		t.Fatal(err)
	}
	if got := answer.(ton.LibraryResult).Result; len(got) != 1 || !bytes.Equal(got[0].Hash, library.Hash()) || !bytes.Equal(boc(t, got[0].Data).Hash(), library.Hash()) {
		t.Errorf("got %v", got)
	}
	if answer, err = a.librariesWithProof(ton.GetLibrariesWithProof{ID: &head, LibraryList: list, Mode: librariesPublishers}); err != nil {
		t.Fatal(err)
	}
	proofs := answer.(ton.LibraryResultWithProof)
	state := proven(t, &head, []*cell.Cell{boc(t, proofs.StateProof), boc(t, proofs.DataProof)})
	if found, err := findLibraries(state, list, librariesPublishers|librariesNoData); err != nil || len(found) != 1 || len(proofs.Result) != 1 {
		t.Errorf("proven: %v, %v, with %v", found, err, proofs.Result)
	}

	for seqno := head.SeqNo; seqno > 0; seqno-- {
		answer, err := a.runMethod(ton.RunSmcMethod{
			Mode: methodResult, ID: mustLookup(t, chain, seqno), Account: ton.AccountID{ID: numbered(1).Data()}, MethodID: 77,
		})
		if err != nil {
			t.Fatal(err)
		}
		r := answer.(ton.RunMethodResult)
		if r.ExitCode != 0 {
			t.Fatalf("exit code %d", r.ExitCode)
		}
		var stack tontlb.Stack
		if err := tontlb.Parse(&stack, r.Result); err != nil {
			t.Fatal(err)
		}
		if got, err := stack.Pop(); err != nil || got.(*big.Int).Uint64() != uint64(seqno) {
			t.Errorf("at block %d it sees %v, %v", seqno, got, err)
		}
	}
}
