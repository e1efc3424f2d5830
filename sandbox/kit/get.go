package kit

import (
	"fmt"
	"math/big"
	"strings"

	"github.com/xssnick/tonutils-go/address"
	tontlb "github.com/xssnick/tonutils-go/tlb"
	"github.com/xssnick/tonutils-go/tvm"
	"github.com/xssnick/tonutils-go/tvm/cell"
	"github.com/xssnick/tonutils-go/tvm/vm"

	"github.com/tussah-network/tussah/sandbox/probe"
	"github.com/tussah-network/tussah/tlb/get"
)

// Values are what a get method returned, first to last. Asking for a value that
// is not there, or of another type, fails the test.
type Values struct {
	// Exit and Gas of the run.
	Exit get.Exit
	Gas  uint64

	call   string // in print
	result get.Result
	world  *World
}

// Get runs a get method, which has to succeed. For the arguments see [get.Run].
func (w *World) Get(of *Account, method string, args ...any) *Values {
	w.t.Helper()
	v := w.get(of, method, args)
	if v != nil && !v.Exit.OK() {
		w.t.Fatalf("kit: get method %s: %s, after %d gas\n%s", v.call, people{world: w}.exitText(of.Address, v.Exit), v.Gas,
			sections(w.againGet(of, method, args).trail(people{world: w})))
	}
	return v
}

// GetExit runs a get method and returns its exit code, for those that should
// fail.
func (w *World) GetExit(of *Account, method string, args ...any) get.Exit {
	w.t.Helper()
	if v := w.get(of, method, args); v != nil {
		return v.Exit
	}
	return get.ExitFatal
}

// Get is [World.Get] of this account.
func (a *Account) Get(method string, args ...any) *Values {
	a.world.t.Helper()
	return a.world.Get(a, method, args...)
}

func (w *World) get(of *Account, method string, args []any) *Values {
	w.t.Helper()
	p := people{world: w}
	words := make([]string, len(args))
	for i, arg := range args {
		words[i] = p.argument(arg)
	}
	call := fmt.Sprintf("%s.%s(%s)", of.Name, method, strings.Join(words, ", "))
	r, err := w.chain.RunGet(w.t.Context(), of.Address, method, args...)
	if err != nil {
		w.t.Fatalf("kit: get method %s: %v", call, err)
		return nil
	}
	return &Values{Exit: r.Exit, Gas: r.Gas, call: call, result: r, world: w}
}

// againGet runs a get method once more, to see what it did.
func (w *World) againGet(of *Account, method string, args []any) (r run) {
	state, err := w.chain.GetState(w.t.Context(), of.Address)
	if err != nil {
		return run{err: err}
	}
	_, r.err = watched(func(m *tvm.TVM) (uint64, error) {
		result, err := get.RunOn(m, state, tontlb.MethodNameHash(method), args...)
		return result.Gas, err
	}, func(s probe.Step) error {
		r.see(vm.TraceStep{Opcode: s.Op.SerializeText(), Stack: s.State.Stack.Copy(), GasRemaining: get.GasLimit - s.Used})
		return nil
	})
	return r
}

func (p people) argument(v any) string {
	if a, ok := v.(*address.Address); ok {
		return p.name(a)
	}
	if n, ok := integer(v); ok {
		return fmt.Sprint(n)
	}
	return p.value(v, maxTupleDepth)
}

// Len is the number of values.
func (v *Values) Len() int { return v.result.Len() }

// Int returns integer i.
func (v *Values) Int(i int) *big.Int {
	v.world.t.Helper()
	return typed(v, i, v.result.Int)
}

// Uint64 returns integer i, which must fit.
func (v *Values) Uint64(i int) uint64 {
	v.world.t.Helper()
	return typed(v, i, v.result.Uint64)
}

// Bool returns integer i as a truth value: anything but 0 is true.
func (v *Values) Bool(i int) bool {
	v.world.t.Helper()
	n := typed(v, i, v.result.Int)
	return n != nil && n.Sign() != 0
}

// Cell returns cell i.
func (v *Values) Cell(i int) *cell.Cell {
	v.world.t.Helper()
	return typed(v, i, v.result.Cell)
}

// Slice returns slice i.
func (v *Values) Slice(i int) *cell.Slice {
	v.world.t.Helper()
	return typed(v, i, v.result.Slice)
}

// Address returns slice i, which must be an address.
func (v *Values) Address(i int) *address.Address {
	v.world.t.Helper()
	return typed(v, i, v.result.Address)
}

// Tuple returns the values of tuple i.
func (v *Values) Tuple(i int) get.Stack {
	v.world.t.Helper()
	return typed(v, i, v.result.Tuple)
}

func typed[T any](v *Values, i int, of func(int) (T, error)) (value T) {
	v.world.t.Helper()
	value, err := of(i)
	if err != nil {
		v.world.t.Fatalf("kit: get method %s: %v; it returned %s", v.call, err, v)
	}
	return value
}

// String writes all values in one line.
func (v *Values) String() string {
	if !v.Exit.OK() {
		return v.Exit.String()
	}
	p := people{world: v.world}
	words := make([]string, v.Len())
	for i := range words {
		value, err := v.result.Value(i)
		if err != nil {
			words[i] = err.Error()
			continue
		}
		if s, ok := value.(get.Stack); ok {
			words[i] = fmt.Sprintf("tuple of %d", s.Len())
			continue
		}
		words[i] = p.value(value, 0)
	}
	return "(" + strings.Join(words, ", ") + ")"
}
