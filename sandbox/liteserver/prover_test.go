package liteserver

import (
	"bytes"
	"math/rand/v2"
	"testing"

	"github.com/xssnick/tonutils-go/tvm/cell"
)

// visitSome opens a random part of a tree.
func visitSome(r *rand.Rand) func(*cell.Cell) error {
	var visit func(c *cell.Cell, depth int) error
	visit = func(c *cell.Cell, depth int) error {
		s, err := c.BeginParse()
		if err != nil {
			return err
		}
		for i := range s.RefsNum() {
			if depth > 40 || r.IntN(3) == 0 {
				continue
			}
			ref, err := s.PeekRefCellAt(i)
			if err != nil {
				return err
			}
			if err = visit(ref, depth+1); err != nil {
				return err
			}
		}
		return nil
	}
	return func(root *cell.Cell) error { return visit(root, 0) }
}

// The proofs built here are those of the library's own builder, of blocks, with
// the Merkle updates in them, and of states.
func TestProofsAreTheLibrarys(t *testing.T) {
	a, chain := testChain(t)
	head := chain.MasterHead()
	v, err := a.view(&head)
	if err != nil {
		t.Fatal(err)
	}
	e, err := v.shard(0, 1)
	if err != nil {
		t.Fatal(err)
	}
	w, err := a.view(&e.id)
	if err != nil {
		t.Fatal(err)
	}
	for name, root := range map[string]*cell.Cell{
		"master block": v.block.root, "master state": v.state, "shard block": w.block.root, "shard state": w.state,
	} {
		for seed := range uint64(50) {
			got, err := prove(root, visitSome(rand.New(rand.NewPCG(seed, 0))))
			if err != nil {
				t.Fatal(err)
			}
			b := cell.NewMerkleProofBuilder(root)
			if err = visitSome(rand.New(rand.NewPCG(seed, 0)))(b.Root()); err != nil {
				t.Fatal(err)
			}
			want, err := b.CreateProof()
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(got.ToBOC(), want.ToBOC()) {
				t.Fatalf("%s, seed %d: proofs differ", name, seed)
			}
			if _, err = cell.UnwrapProof(boc(t, got.ToBOC()), root.Hash()); err != nil {
				t.Fatalf("%s, seed %d: %v", name, seed, err)
			}
		}
	}
}
