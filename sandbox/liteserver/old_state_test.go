package liteserver

import (
	"fmt"
	"testing"

	"github.com/xssnick/tonutils-go/ton"
	"github.com/xssnick/tonutils-go/tvm/cell"

	"github.com/tussah-network/tussah/sandbox"
	"github.com/tussah-network/tussah/tlb"
)

// forgetful has no state but the newest.
type forgetful struct{ Source }

func (s forgetful) State(id BlockID) (*cell.Cell, error) {
	if head := s.MasterHead(); isMaster(&id) && id.SeqNo != head.SeqNo {
		return nil, fmt.Errorf("block %d: %w", id.SeqNo, sandbox.ErrStateGone)
	}
	return s.Source.State(id)
}

// A client that was away for so long that the state after the block it knows is
// forgotten gets its proof nevertheless, from any block to any other.
func TestProofsFromForgottenStates(t *testing.T) {
	chain, err := sandbox.Open(sandbox.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { chain.Close() })
	for n := range 30 {
		if err = chain.Faucet(t.Context(), numbered(uint32(n)), tlb.TON); err != nil {
			t.Fatal(err)
		}
		if n%8 == 5 {
			if err = chain.SetConfig(t.Context(), 9999, cell.BeginCell().MustStoreUInt(uint64(n), 8).EndCell()); err != nil {
				t.Fatal(err)
			}
		}
	}
	src := forgetful{chain}
	api := ton.NewAPIClient(connect(t, start(t, src, Options{})), ton.ProofCheckPolicySecure)
	head := chain.MasterHead()
	a := newAnswerer(src, 1, 1)
	for from := uint32(1); from <= head.SeqNo; from++ {
		for _, to := range []uint32{1, from / 2, from + 7, head.SeqNo} {
			if to < 1 || to > head.SeqNo {
				continue
			}
			if err = api.VerifyProofChain(t.Context(), mustLookup(t, chain, from), mustLookup(t, chain, to)); err != nil {
				t.Fatalf("from %d to %d: %v", from, to, err)
			}
			// And TON's own client finds in it what it reads.
			answer, err := a.blockProof(ton.GetBlockProof{Mode: 1, KnownBlock: mustLookup(t, chain, from), TargetBlock: mustLookup(t, chain, to)})
			if err != nil {
				t.Fatal(err)
			}
			for _, step := range answer.(ton.PartialBlockProof).Steps {
				if link, ok := step.(ton.BlockLinkBackward); ok {
					if err = readBack(t, link, link.From.SeqNo); err != nil {
						t.Fatalf("from %d to %d: %v", from, to, err)
					}
				}
			}
		}
	}
}
