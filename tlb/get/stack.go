package get

import (
	"errors"
	"fmt"
	"math/big"

	"github.com/tussah-network/tussah/tlb"
	"github.com/xssnick/tonutils-go/address"
	"github.com/xssnick/tonutils-go/tvm/cell"
	"github.com/xssnick/tonutils-go/tvm/tuple"
	"github.com/xssnick/tonutils-go/tvm/vm"
)

var (
	// ErrExit says that the method failed, so that there are no values.
	ErrExit = errors.New("method failed")
	// ErrIndex says that the method returned fewer values.
	ErrIndex = errors.New("no such value on the stack")
	// ErrType says that a value has another type, or does not fit the type asked for.
	ErrType = errors.New("value of another type")
)

// Result is what a run left behind.
type Result struct {
	Exit Exit
	Gas  uint64
	Stack
}

// Stack is a list of values that a method returned, in the order of the contract's source: index 0
// is the first. After a failed run every accessor returns [ErrExit].
type Stack struct {
	exit   Exit
	values []any
}

// Len is the number of values.
func (s Stack) Len() int { return len(s.values) }

// Value returns value i in its own type: *big.Int, *cell.Cell, *cell.Slice, *cell.Builder, [Stack]
// (a tuple) or nil (null). The other accessors are for callers who know what to expect.
func (s Stack) Value(i int) (any, error) {
	if !s.exit.OK() {
		return nil, fmt.Errorf("%w: %v", ErrExit, s.exit)
	}
	if i < 0 || i >= len(s.values) {
		return nil, fmt.Errorf("%w: %d of %d", ErrIndex, i, len(s.values))
	}
	switch v := s.values[i].(type) {
	case nil:
		return nil, nil
	case *big.Int:
		return new(big.Int).Set(v), nil
	case *cell.Cell:
		return v.WithoutTrace(), nil
	case *cell.Slice:
		return v.WithoutTrace().Copy(), nil
	case *cell.Builder:
		return v.WithoutTrace().Copy(), nil
	case tuple.Tuple:
		// One level at a time: a tuple can hold itself many times over, and unpacked to the bottom
		// it would not fit in memory.
		inner := Stack{values: make([]any, v.Len())}
		for j := range inner.values {
			var err error
			if inner.values[j], err = v.Index(j); err != nil {
				return nil, fmt.Errorf("value %d: %w", i, err)
			}
		}
		return inner, nil
	default: // NaN, continuations
		return nil, fmt.Errorf("value %d: %w: %T", i, ErrType, v)
	}
}

func typed[T any](s Stack, i int) (v T, err error) {
	raw, err := s.Value(i)
	if err != nil {
		return v, err
	}
	v, ok := raw.(T)
	if !ok {
		return v, fmt.Errorf("value %d: %w: %T, not %T", i, ErrType, raw, v)
	}
	return v, nil
}

// Int returns integer i.
func (s Stack) Int(i int) (*big.Int, error) { return typed[*big.Int](s, i) }

// Uint64 returns integer i, which must be in 0 … 2^64 − 1.
func (s Stack) Uint64(i int) (uint64, error) {
	n, err := s.Int(i)
	if err != nil {
		return 0, err
	}
	if !n.IsUint64() {
		return 0, fmt.Errorf("value %d: %w: %v is not in 0 … 2^64-1", i, ErrType, n)
	}
	return n.Uint64(), nil
}

// Cell returns cell i.
func (s Stack) Cell(i int) (*cell.Cell, error) { return typed[*cell.Cell](s, i) }

// Slice returns slice i.
func (s Stack) Slice(i int) (*cell.Slice, error) { return typed[*cell.Slice](s, i) }

// Tuple returns the values of tuple i.
func (s Stack) Tuple(i int) (Stack, error) { return typed[Stack](s, i) }

// Address returns slice i, which must hold an address of the kind that [tlb.LoadAddress] reads, and
// nothing else.
func (s Stack) Address(i int) (*address.Address, error) {
	slice, err := s.Slice(i)
	if err != nil {
		return nil, err
	}
	a, err := tlb.LoadAddress(slice)
	if err == nil && (slice.BitsLeft() != 0 || slice.RefsNum() != 0) {
		err = tlb.ErrTrailing
	}
	if err != nil {
		return nil, fmt.Errorf("value %d: %w: %w", i, ErrType, err)
	}
	return a, nil
}

// takeAll empties a VM stack, bottom first.
func takeAll(stack *vm.Stack) ([]any, error) {
	values := make([]any, stack.Len())
	for i := len(values) - 1; i >= 0; i-- {
		var err error
		if values[i], err = stack.PopAny(); err != nil {
			return nil, fmt.Errorf("%w: take results: %w", ErrVM, err)
		}
	}
	return values, nil
}
