package emscripten

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/tetratelabs/wazero/api"
)

// A fault is a panic that no C++ frame may catch: it ends the call from outside.
type fault struct{ cause error }

func (f *fault) Error() string { return f.cause.Error() }
func (f *fault) Unwrap() error { return f.cause }

var errNoExport = errors.New("no such export")

// calls are the ready objects to call one function. wazero's are not reentrant, but a function may be
// called again while it runs, so there are as many as the deepest recursion needed.
type calls struct {
	function func() api.Function
	free     []*call
}

type call struct {
	function api.Function
	stack    []uint64 // arguments, then results
}

func (c *calls) take(slots int) *call {
	if n := len(c.free); n > 0 {
		taken := c.free[n-1]
		c.free = c.free[:n-1]
		return taken
	}
	return &call{function: c.function(), stack: make([]uint64, max(slots, 1))}
}

func (c *calls) giveBack(taken *call) { c.free = append(c.free, taken) }

// Call calls an export by its name in the JavaScript. All that may be called take and return i32. After
// an error the machine is of no use any more; a context that ended is the error.
func (m *Machine) Call(ctx context.Context, name string, args ...uint32) (uint32, error) {
	result, err := m.call(ctx, name, args...)
	if err == nil && !m.stackUntouched() {
		err = errDepth
	}
	if err == nil {
		return result, nil
	}
	if ctx.Err() != nil {
		return 0, context.Cause(ctx)
	}
	if f, ok := errors.AsType[*fault](err); ok {
		return 0, f.cause // without wazero's stack trace
	}
	first, _, _ := strings.Cut(err.Error(), "\n")
	return 0, errors.New(first)
}

func (m *Machine) call(ctx context.Context, name string, args ...uint32) (uint32, error) {
	minified, ok := m.of.names.exports[name]
	if !ok {
		return 0, fmt.Errorf("%w: %s", errNoExport, name)
	}
	return m.callMinified(ctx, minified, args...)
}

func (m *Machine) callMinified(ctx context.Context, name string, args ...uint32) (uint32, error) {
	ready, ok := m.calls[name]
	if !ok {
		function := func() api.Function { return m.program.ExportedFunction(name) }
		if f := function(); f == nil || len(f.Definition().ParamTypes()) != len(args) {
			return 0, fmt.Errorf("%w: %s with %d parameters", errNoExport, name, len(args))
		}
		ready = &calls{function: function}
		m.calls[name] = ready
	}
	c := ready.take(len(args))
	defer ready.giveBack(c)
	for i, arg := range args {
		c.stack[i] = uint64(arg)
	}
	if err := c.function.CallWithStack(ctx, c.stack); err != nil {
		return 0, err
	}
	return uint32(c.stack[0]), nil
}

// mustCall is call for host functions, which have no other way to report than a panic.
func (m *Machine) mustCall(ctx context.Context, name string, args ...uint32) uint32 {
	result, err := m.call(ctx, name, args...)
	if err != nil {
		pass(err)
	}
	return result
}

// pass goes on with the panic that wazero has made an error of. It drops the wasm stack trace, which
// would otherwise be added to at every level.
func pass(err error) {
	if errors.Is(err, errThrown) {
		panic(errThrown)
	}
	if f, ok := errors.AsType[*fault](err); ok {
		panic(f)
	}
	panic(&fault{err})
}

// invoke is the body of an invoke_SIG import: call the table's function at an index, and catch.
func (m *Machine) invoke(s signature) hostFunc {
	ready := calls{function: func() api.Function { return m.trampoline.ExportedFunction(s.name) }}
	return func(ctx context.Context, _ *Machine, args []uint64) uint64 {
		// Nearly every C++ call comes by here, so this is where a call is told to stop.
		if m.invokes++; m.invokes%1024 == 0 && ctx.Err() != nil {
			panic(&fault{context.Cause(ctx)})
		}
		slot := uint32(4 * m.depth)
		if m.depth > 0 {
			caller, _ := m.saved.ReadUint32Le(slot - 4)
			if m.depth == maxDepth || caller < m.stackEnd+guardSize {
				panic(&fault{errDepth})
			}
		}
		c := ready.take(len(args) + 1)
		copy(c.stack, args)
		c.stack[len(args)] = uint64(slot)

		m.depth++
		err := c.function.CallWithStack(ctx, c.stack)
		m.depth--
		result := c.stack[0]
		ready.giveBack(c)
		if err == nil {
			return result
		}
		if !errors.Is(err, errThrown) {
			pass(err)
		}
		stackPointer, _ := m.saved.ReadUint32Le(slot)
		m.mustCall(ctx, "__emscripten_stack_restore", stackPointer)
		m.mustCall(ctx, "_setThrew", 1, 0)
		return 0
	}
}
