package probe_test

import (
	"math/rand/v2"
	"testing"

	tontlb "github.com/xssnick/tonutils-go/tlb"
	"github.com/xssnick/tonutils-go/tvm/cell"
)

type random struct{ *rand.Rand }

func newRandom() random { return random{rand.New(rand.NewPCG(1, 2))} }

// cell is code of random bits, often enough with a few small numbers in front
// for the rest to have something to work on.
func (r random) cell() *cell.Cell {
	b := cell.BeginCell()
	for range r.IntN(6) {
		b.MustStoreUInt(0x70|r.Uint64N(16), 8)
	}
	for range 1 + r.IntN(40) {
		b.MustStoreUInt(r.Uint64N(1<<16), 16)
	}
	return b.MustStoreRef(code(0x71, 0x72)).MustStoreRef(code(0xf8, 0x10)).EndCell()
}

// withCode is an account with other code.
func withCode(t *testing.T, shardAccount, code *cell.Cell) *cell.Cell {
	t.Helper()
	var outer tontlb.ShardAccount
	var state tontlb.AccountState
	if err := tontlb.Parse(&outer, shardAccount); err != nil {
		t.Fatal(err)
	}
	if err := tontlb.Parse(&state, outer.Account); err != nil {
		t.Fatal(err)
	}
	state.StateInit.Code = code
	inner, err := tontlb.ToCell(&state)
	if err != nil {
		t.Fatal(err)
	}
	outer.Account = inner
	out, err := tontlb.ToCell(&outer)
	if err != nil {
		t.Fatal(err)
	}
	return out
}
