package sandbox_test

import (
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/xssnick/tonutils-go/tvm"
	"github.com/xssnick/tonutils-go/tvm/cell"
	"github.com/xssnick/tonutils-go/tvm/tuple"
	"github.com/xssnick/tonutils-go/tvm/vm"

	"github.com/tussah-network/tussah/sandbox"
	"github.com/tussah-network/tussah/sandbox/probe"
	"github.com/tussah-network/tussah/tlb"
	"github.com/tussah-network/tussah/tlb/get"
)

// lazy is a machine as [sandbox.Chain.RunGet] has it, but that it can look back.
var lazy = sync.OnceValue(func() *tvm.TVM {
	get.Prepare()
	return probe.Wrap(get.TouchesC7, get.MakeC7)
})

// TestLazyC7: methods come to the same result, to the last unit of gas, whether
// c7 is there from the start or made when an instruction comes near it: each
// instruction there is, and random programs of all of them.
func TestLazyC7(t *testing.T) {
	t.Parallel()
	chain := openChain(t, sandbox.Options{})
	state := get.State{
		Address: account(base, 1), Data: cell.BeginCell().MustStoreUInt(1, 64).EndCell(), Balance: tlb.TON, Config: chain.Config(),
		Now: time.Unix(1_800_000_000, 0), LT: 7, Previous: tuple.NewTupleValue(nil, nil, nil),
	}
	random := rand.New(rand.NewPCG(3, 4))
	instruction := func(op vm.OP) *cell.Builder {
		prefixes := op.GetPrefixes()
		b := prefixes[random.IntN(len(prefixes))].ToBuilder()
		if random.IntN(2) == 0 { // arguments; what is too long is the next instruction
			b.MustStoreUInt(random.Uint64N(1<<8), 8)
		}
		return b
	}
	programs := 2_000
	if testing.Short() {
		programs = 200
	}
	untouched := 0
	for n := range len(vm.List) + programs {
		code := cell.BeginCell()
		for range random.IntN(5) { // small numbers, c4, c7
			push := [][]byte{{0x71}, {0x75}, {0xed, 0x44}, {0xed, 0x47}, {0xc8}}[random.IntN(5)]
			code.MustStoreSlice(push, 8*uint(len(push)))
		}
		if n < len(vm.List) {
			code.MustStoreBuilder(instruction(vm.List[n]()))
		} else {
			for range 1 + random.IntN(12) {
				code.MustStoreBuilder(instruction(vm.List[random.IntN(len(vm.List))]()))
			}
		}
		state.Code = code.MustStoreRef(cell.BeginCell().MustStoreUInt(0x7172, 16).EndCell()).EndCell()
		args := []any{random.Uint64(), int(random.Int64N(300)), state.Data, state.Data.MustBeginParse(), []any{1, 2}, 3, 2, 1}
		want, wantErr := get.RunID(state, uint64(n), args...)
		got, gotErr := get.RunLazily(lazy(), state, uint64(n), args...)
		if show(t, got, gotErr) != show(t, want, wantErr) {
			t.Fatalf("program %d\n%s\ngot  %s\nwant %s", n, state.Code.Dump(), show(t, got, gotErr), show(t, want, wantErr))
		}
		if got.Exit.OK() && gotErr == nil {
			untouched++
		}
	}
	if untouched < 100 {
		t.Errorf("only %d programs ended well", untouched)
	}
}

// show is all of a result, as text.
func show(t *testing.T, r get.Result, err error) string {
	t.Helper()
	if err != nil {
		return err.Error()
	}
	return fmt.Sprintf("%s, %d gas, %s", r.Exit, r.Gas, showStack(t, r.Stack))
}

func showStack(t *testing.T, s get.Stack) (text string) {
	t.Helper()
	for i := range s.Len() {
		switch v, err := s.Value(i); v := v.(type) {
		case get.Stack:
			text += "(" + showStack(t, v) + ") "
		case *cell.Cell:
			text += fmt.Sprintf("%x ", v.Hash())
		case *cell.Slice:
			text += fmt.Sprintf("s%x ", v.MustToCell().Hash())
		case *cell.Builder:
			text += fmt.Sprintf("b%x ", v.EndCell().Hash())
		default:
			text += fmt.Sprint(v, err, " ")
		}
	}
	return text
}
