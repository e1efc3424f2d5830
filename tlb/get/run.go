package get

import (
	"errors"
	"fmt"
	"math/big"
	"time"

	"github.com/tussah-network/tussah/tlb"
	"github.com/xssnick/tonutils-go/address"
	tontlb "github.com/xssnick/tonutils-go/tlb"
	"github.com/xssnick/tonutils-go/tvm"
	"github.com/xssnick/tonutils-go/tvm/cell"
	"github.com/xssnick/tonutils-go/tvm/tuple"
	"github.com/xssnick/tonutils-go/tvm/vm"
)

// GasLimit is the most gas that one method may use, the same as liteservers grant.
const GasLimit = 1_000_000

var (
	// ErrState says that a [State] lacks something without which no method can run.
	ErrState = errors.New("incomplete state")
	// ErrArgument says that an argument has a type or size that cannot be on the stack.
	ErrArgument = errors.New("argument cannot be put on the stack")
	// ErrVM says that the virtual machine gave up without an exit code.
	ErrVM = errors.New("virtual machine fault")
)

// State is the account, and the moment, that a method is run on.
type State struct {
	Address *address.Address
	Code    *cell.Cell
	Data    *cell.Cell // nil is an empty cell
	Balance tlb.Nano
	Config  *cell.Cell // root of the config dictionary; nil is a minimal one, enough for arithmetic and parsing
	Now     time.Time  // required
	LT      uint64

	Libraries []*cell.Cell // dictionaries of public libraries; nil: none
	Previous  tuple.Tuple  // what code learns of earlier master blocks; empty: nothing
}

// Run runs a get method by its name. Arguments are given first to last, as in the contract's source:
// *big.Int, int, int64, uint64, *cell.Cell, *cell.Slice, *address.Address (as a slice), nil (null), []any
// and tuple.Tuple (a tuple).
//
// A method that throws or runs out of gas is no error: its [Exit] is in the result, whose values are
// then refused. The errors are [ErrState], [ErrArgument], [ErrConfig] and [ErrVM].
func Run(s State, method string, args ...any) (Result, error) {
	r, err := RunID(s, tontlb.MethodNameHash(method), args...)
	if err != nil {
		return Result{}, fmt.Errorf("run get method %s: %w", method, err)
	}
	return r, nil
}

// RunID is [Run] for a method known by its id only.
func RunID(s State, id uint64, args ...any) (Result, error) {
	return RunOn(machine(), s, id, args...)
}

// RunOn is [RunID] on a machine of the caller's, for instance one that shows every instruction.
func RunOn(on *tvm.TVM, s State, id uint64, args ...any) (Result, error) {
	return run(on, s, id, args, false)
}

func run(on *tvm.TVM, s State, id uint64, args []any, lazily bool) (r Result, err error) {
	// The VM turns panics of its instructions into errors; this is for the code around them.
	defer func() {
		if p := recover(); p != nil {
			r, err = Result{}, fmt.Errorf("%w: %v", ErrVM, p)
		}
	}()

	if err := s.check(); err != nil {
		return Result{}, err
	}
	stack := vm.NewStack()
	for i, arg := range args {
		value, err := stackValue(arg)
		if err == nil {
			err = stack.PushAny(value)
		}
		if err != nil {
			return Result{}, fmt.Errorf("argument %d: %w", i, err)
		}
	}
	if err := stack.PushInt(new(big.Int).SetUint64(id)); err != nil {
		return Result{}, fmt.Errorf("method id: %w", err)
	}
	config, err := prepareConfig(s.Config)
	if err != nil {
		return Result{}, err
	}
	c7, err := s.c7OrNot(config, lazily)
	if err != nil {
		return Result{}, err
	}
	data := s.Data
	if data == nil {
		data = emptyCell
	}

	out, err := on.ExecuteGetMethod(s.Code, data, c7, vm.GasWithLimit(GasLimit), stack,
		tvm.ExecutionConfig{Config: config, Libraries: s.Libraries})
	if err != nil {
		return Result{}, fmt.Errorf("%w: %w", ErrVM, err)
	}
	r = Result{Exit: Exit(out.ExitCode), Gas: uint64(out.GasUsed)}
	r.Stack.exit = r.Exit
	if !r.Exit.OK() {
		return r, nil
	}
	if r.Stack.values, err = takeAll(out.Stack); err != nil {
		return Result{}, err
	}
	return r, nil
}

var emptyCell = cell.BeginCell().EndCell()

func (s State) check() error {
	switch {
	case tlb.CheckAddress(s.Address) != nil:
		return fmt.Errorf("%w: no plain address", ErrState)
	case s.Code == nil:
		return fmt.Errorf("%w: no code", ErrState)
	case s.Now.Unix() <= 0 || s.Now.Unix() > 1<<32-1:
		return fmt.Errorf("%w: time %v does not fit", ErrState, s.Now)
	}
	return nil
}

// c7 builds the register through which code sees its surroundings: a tuple with the "smart contract
// info" tuple inside. Later versions of the TVM appended items; a contract may look at the length,
// so it gets what its version has.
func (s State) c7(config *tvm.PreparedBlockchainConfig) (tuple.Tuple, error) {
	now := uint32(s.Now.Unix())
	block, err := config.NewBlockContext(tvm.BlockOptions{Now: now, BlockLT: int64(s.LT)})
	if err != nil {
		return tuple.Tuple{}, fmt.Errorf("block context: %w", err)
	}
	self := cell.BeginCell()
	if err := tlb.StoreAddress(self, s.Address); err != nil {
		return tuple.Tuple{}, err
	}
	zero := func() *big.Int { return new(big.Int) }
	lt := new(big.Int).SetUint64(s.LT)

	info := []any{
		big.NewInt(0x076ef1ea), // SmartContractInfo's tag
		zero(),                 // actions so far
		zero(),                 // messages sent so far
		big.NewInt(int64(now)),
		lt, // of the block
		lt, // of the transaction
		zero(),
		tuple.NewTupleValue(new(big.Int).SetUint64(uint64(s.Balance)), nil),
		self.ToSlice(),
		config.Root(),
	}
	version := config.GlobalVersion()
	if version >= 4 {
		info = append(info,
			s.Code,
			tuple.NewTupleValue(zero(), nil), // value of the incoming message
			zero(),                           // storage fees
			s.previous(),
		)
	}
	if version >= 6 {
		var unpacked any
		if t, ok := block.UnpackedConfig(); ok {
			unpacked = t
		}
		info = append(info,
			unpacked,
			zero(), // due payment
			nil,    // gas usage as a precompiled contract
		)
	}
	if version >= 11 {
		// The incoming message of a get method: bounce, bounced, addr_none, forward fee, lt, time,
		// original value, value, extra currencies, state init.
		nobody := cell.BeginCell().MustStoreUInt(0, 2).ToSlice()
		info = append(info, tuple.NewTupleValue(zero(), zero(), nobody, zero(), zero(), zero(), zero(), zero(), nil, nil))
	}
	return tuple.NewTupleValue(tuple.NewTupleValue(info...)), nil
}

// previous is the earlier blocks as c7 has them.
func (s State) previous() any {
	if s.Previous.Len() == 0 {
		return nil
	}
	return s.Previous
}

// maxTuple is how many elements a tuple of the VM has at most, maxNesting how deep an argument may go.
const (
	maxTuple   = 255
	maxNesting = 64
)

// stackValue converts an argument to what the VM keeps on its stack.
func stackValue(arg any) (any, error) { return stackValueAt(arg, 0) }

func stackValueAt(arg any, depth int) (any, error) {
	var n *big.Int
	switch v := arg.(type) {
	case []any:
		if len(v) > maxTuple || depth >= maxNesting {
			return nil, fmt.Errorf("%w: a tuple of %d, %d deep", ErrArgument, len(v), depth)
		}
		elements := make([]any, len(v))
		for i := range v {
			element, err := stackValueAt(v[i], depth+1)
			if err != nil {
				return nil, fmt.Errorf("element %d: %w", i, err)
			}
			elements[i] = element
		}
		return tuple.NewTupleValue(elements...), nil
	case tuple.Tuple:
		return v, nil
	case nil:
		return nil, nil
	case *cell.Cell:
		if v == nil {
			return nil, nil
		}
		return v, nil
	case *cell.Slice:
		if v == nil {
			return nil, nil
		}
		return v.Copy(), nil
	case *address.Address:
		b := cell.BeginCell()
		if err := tlb.StoreAddress(b, v); err != nil {
			return nil, fmt.Errorf("%w: %w", ErrArgument, err)
		}
		return b.ToSlice(), nil
	case int:
		n = big.NewInt(int64(v))
	case int64:
		n = big.NewInt(v)
	case uint64:
		n = new(big.Int).SetUint64(v)
	case *big.Int:
		if v == nil {
			return nil, nil
		}
		n = v
	default:
		return nil, fmt.Errorf("%w: %T", ErrArgument, arg)
	}
	if !fits257(n) {
		return nil, fmt.Errorf("%w: integer of %d bits", ErrArgument, n.BitLen())
	}
	return new(big.Int).Set(n), nil
}

// fits257 reports whether n is in the TVM's range of integers, −2^256 … 2^256 − 1.
func fits257(n *big.Int) bool {
	if n.Sign() < 0 {
		return new(big.Int).Not(n).BitLen() <= 256 // −2^256 is in, 2^256 is not
	}
	return n.BitLen() <= 256
}
