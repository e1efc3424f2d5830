package probe_test

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/xssnick/tonutils-go/address"
	"github.com/xssnick/tonutils-go/tvm"
	"github.com/xssnick/tonutils-go/tvm/cell"
	"github.com/xssnick/tonutils-go/tvm/vm"
	"github.com/xssnick/tonutils-go/tvm/vmerr"

	"github.com/tussah-network/tussah/sandbox"
	"github.com/tussah-network/tussah/sandbox/probe"
	"github.com/tussah-network/tussah/tlb"
)

// plain is made first, so that the table of plain machines is made from the
// plain list whatever test runs first.
var plain = tvm.NewTVM()

// TestSteps pins what an observer is shown: place, name with arguments, gas.
func TestSteps(t *testing.T) {
	inner := code(0x71)
	root := code(0x72, 0x80, 0x7b, 0xa0, 0xdb, 0x3c) // 2, 123, ADD, CALLREF
	root = root.ToBuilder().MustStoreRef(inner).EndCell()
	names := map[cell.Hash]string{root.HashKey(): "root", inner.HashKey(): "inner"}

	var got []string
	e := execution(t, root)
	outcome, err := e.RunOn(watch(t, func(s probe.Step) error {
		got = append(got, fmt.Sprintf("%s:%d %s, %d used, %d on the stack",
			names[s.Code.HashKey()], s.Offset, s.Op.SerializeText(), s.Used, s.State.Stack.Len()))
		return nil
	}), nil)
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		"root:0 2 PUSHINT, 0 used, 5 on the stack",
		"root:8 123 PUSHINT, 18 used, 6 on the stack",
		"root:24 ADD, 44 used, 7 on the stack",
		"root:32 CALLREF, 62 used, 6 on the stack",
		"inner:0 1 PUSHINT, 188 used, 6 on the stack",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if outcome.Gas != 188+18+5+5 { // and two implicit RETs
		t.Errorf("used %d gas", outcome.Gas)
	}
	same(t, e, outcome)
}

// TestChildSteps: a child of RUNVM shows its steps too, as another state.
func TestChildSteps(t *testing.T) {
	states := map[*vm.State]int{}
	e := execution(t, runChild(code(0x71, 0x72)))
	outcome, err := e.RunOn(watch(t, func(s probe.Step) error { states[s.State]++; return nil }), nil)
	if err != nil {
		t.Fatal(err)
	}
	if len(states) != 2 {
		t.Errorf("saw %d states, want those of parent and child", len(states))
	}
	same(t, e, outcome)
}

// TestStop: an error goes through everything that catches exceptions, whatever
// the error looks like from inside.
func TestStop(t *testing.T) {
	random := code(0xf8, 0x10) // RANDU256
	for _, test := range []struct {
		name string
		code *cell.Cell
	}{
		{"plain", random},
		{"try", try(random)},
		{"child", runChild(random)},
		{"child in try", try(runChild(random))},
		{"try in child", runChild(try(random))},
	} {
		t.Run(test.name, func(t *testing.T) {
			e := execution(t, test.code)
			if o, err := e.RunOn(plain, nil); err != nil || !o.Exit.OK() {
				t.Fatalf("a plain machine ends with %s, %v", o.Exit, err)
			}
			if _, err := e.RunOn(refusing(), nil); !errors.Is(err, errRefused) {
				t.Errorf("got %v, want %v", err, errRefused)
			} else if _, ok := errors.AsType[vmerr.VMError](err); !ok {
				t.Errorf("errors.As does not find what else %v wraps", err)
			}
		})
	}
}

// TestCatchable: what is not refused can be thrown and caught as ever.
func TestCatchable(t *testing.T) {
	e := execution(t, try(code(0xf2, 0x2a, 0xf8, 0x10))) // 42 THROW, and a RANDU256 it never comes to
	outcome, err := e.RunOn(refusing(), nil)
	if err != nil {
		t.Fatal(err)
	}
	same(t, e, outcome)
}

// TestEveryInstruction: wrapping the whole list, or none of it, leaves the
// machine as it is for random code of every version.
func TestEveryInstruction(t *testing.T) {
	machine := watch(t, func(probe.Step) error { return nil })
	before := len(vm.List)
	untouched := probe.Wrap(func(vm.OP) bool { return false }, nil)
	if len(vm.List) != before {
		t.Errorf("the list has %d entries, before it had %d", len(vm.List), before)
	}
	random := newRandom()
	base := execution(t, code(0x71))
	for range 300 {
		e := base
		e.Before = withCode(t, e.Before, random.cell())
		want, err := e.RunOn(plain, nil)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range []*tvm.TVM{machine, untouched} {
			if got, err := e.RunOn(m, nil); err != nil || got.Exit != want.Exit || got.Gas != want.Gas || got.Transaction.HashKey() != want.Transaction.HashKey() {
				t.Fatalf("got %s with %d gas, %v; want %s with %d\n%s", got.Exit, got.Gas, err, want.Exit, want.Gas, e.Before.Dump())
			}
		}
	}
}

var errRefused = errors.New("no randomness here")

// refusing does not run RANDU256. Its error wraps all the machine could take
// for an exception.
var refusing = sync.OnceValue(func() *tvm.TVM {
	return probe.Wrap(
		func(op vm.OP) bool { return op.SerializeText() == "RANDU256" },
		func(op vm.OP, _ *vm.State) error {
			return fmt.Errorf("%s: %w, %w, %w", op.SerializeText(), errRefused, cell.ErrNoMoreRefs, vmerr.Error(vmerr.CodeTypeCheck))
		})
})

// watched is the machine of all tests, as it takes a while to make.
var watched = sync.OnceValue(func() *tvm.TVM {
	return probe.Machine(func(s probe.Step) error { return observer.observe(s) })
})

var observer struct {
	sync.Mutex
	observe func(probe.Step) error
}

// watch is a machine that is this test's alone until it ends.
func watch(t *testing.T, observe func(probe.Step) error) *tvm.TVM {
	t.Helper()
	observer.Lock()
	t.Cleanup(observer.Unlock)
	observer.observe = observe
	return watched()
}

// same demands the outcome a plain machine comes to.
func same(t *testing.T, e sandbox.Execution, got sandbox.Outcome) {
	t.Helper()
	want, err := e.RunOn(plain, nil)
	if err != nil {
		t.Fatal(err)
	}
	if got.Exit != want.Exit || got.Gas != want.Gas || got.Transaction.HashKey() != want.Transaction.HashKey() {
		t.Errorf("got %s with %d gas, a plain machine has %s with %d", got.Exit, got.Gas, want.Exit, want.Gas)
	}
}

// execution is a message to a contract with the given code.
func execution(t *testing.T, root *cell.Cell) sandbox.Execution {
	t.Helper()
	contract := address.NewAddress(0, 0, []byte(strings.Repeat("c", 32)))
	chain, err := sandbox.Open(sandbox.Options{Genesis: []sandbox.GenesisAccount{{Address: contract, Balance: tlb.TON, Code: root}}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = chain.Close() })
	trace, err := chain.SendInternal(t.Context(), sandbox.Internal{From: sandbox.Giver(), To: contract, Amount: tlb.TON})
	if err != nil {
		t.Fatal(err)
	}
	return trace.Execution
}

func code(raw ...byte) *cell.Cell {
	return cell.BeginCell().MustStoreSlice(raw, uint(len(raw))*8).EndCell()
}

// runChild runs code as a child: 0, PUSHREFSLICE, 0 RUNVM.
func runChild(child *cell.Cell) *cell.Cell {
	return code(0x70, 0x89, 0xdb, 0x40, 0x00).ToBuilder().MustStoreRef(child).EndCell()
}

// try runs code, and 2 if it throws: PUSHREFCONT, PUSHCONT <{ 2 }>, TRY.
func try(body *cell.Cell) *cell.Cell {
	return code(0x8a, 0x91, 0x72, 0xf2, 0xff).ToBuilder().MustStoreRef(body).EndCell()
}

// TestNames: whoever picks instructions by name can ask all of them.
func TestNames(t *testing.T) {
	for i, getter := range vm.List {
		if getter().SerializeText() == "" {
			t.Errorf("instruction %d has no name", i)
		}
	}
}
