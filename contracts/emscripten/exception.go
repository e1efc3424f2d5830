package emscripten

import (
	"context"
	"errors"
)

// A program is C++ built for a host that throws exceptions for it, as JavaScript does: every call
// that may throw goes through an invoke_SIG import, and __cxa_throw is an import too. Here a throw is a
// Go panic with errThrown; wazero turns it into the error of the call that invoke made, and invoke tells
// the program by setThrew. Compiling a contract takes some million invokes; few of them throw.
var errThrown = errors.New("exception of the C++ guest")

// exceptions is the state that libc++abi expects its host to keep. An exception is known by the address
// of its object; a header of 24 bytes stands before it.
type exceptions struct {
	last     uint32 // thrown and not yet caught, or 0
	caught   []uint32
	uncaught uint32
}

// The header's fields, counted from the exception's object.
const (
	exceptionType       = -24 + 4
	exceptionDestructor = -24 + 8
	exceptionCaught     = -24 + 12 // a byte
	exceptionRethrown   = -24 + 13 // a byte
	exceptionAdjusted   = -24 + 16
)

func field(exception uint32, offset int32) uint32 { return exception + uint32(offset) }

var errNoException = errors.New("a catch block ends that never began")

func cxaThrow(_ context.Context, m *Machine, args []uint64) uint64 {
	exception := uint32(args[0])
	m.writeUint32(field(exception, exceptionAdjusted), 0)
	m.writeUint32(field(exception, exceptionType), uint32(args[1]))
	m.writeUint32(field(exception, exceptionDestructor), uint32(args[2]))
	m.exceptions.last = exception
	m.exceptions.uncaught++
	panic(errThrown)
}

func cxaRethrow(_ context.Context, m *Machine, _ []uint64) uint64 {
	exception := m.popCaught()
	if m.readByte(field(exception, exceptionRethrown)) == 0 {
		m.exceptions.caught = append(m.exceptions.caught, exception)
		m.writeByte(field(exception, exceptionRethrown), 1)
		m.writeByte(field(exception, exceptionCaught), 0)
		m.exceptions.uncaught++
	}
	m.exceptions.last = exception
	panic(errThrown)
}

// resumeException goes on with an exception for which a frame had only clean-up to do.
func resumeException(_ context.Context, m *Machine, args []uint64) uint64 {
	if m.exceptions.last == 0 {
		m.exceptions.last = uint32(args[0])
	}
	panic(errThrown)
}

func cxaBeginCatch(ctx context.Context, m *Machine, args []uint64) uint64 {
	exception := uint32(args[0])
	if m.readByte(field(exception, exceptionCaught)) == 0 {
		m.writeByte(field(exception, exceptionCaught), 1)
		m.exceptions.uncaught--
	}
	m.writeByte(field(exception, exceptionRethrown), 0)
	m.exceptions.caught = append(m.exceptions.caught, exception)
	m.mustCall(ctx, "___cxa_increment_exception_refcount", exception)
	return uint64(m.mustCall(ctx, "___cxa_get_exception_ptr", exception))
}

func cxaEndCatch(ctx context.Context, m *Machine, _ []uint64) uint64 {
	m.mustCall(ctx, "_setThrew", 0, 0)
	m.mustCall(ctx, "___cxa_decrement_exception_refcount", m.popCaught())
	m.exceptions.last = 0
	return 0
}

func cxaUncaughtExceptions(_ context.Context, m *Machine, _ []uint64) uint64 {
	return uint64(m.exceptions.uncaught)
}

// cxaFindMatchingCatch is a frame's question which of its catch clauses (types; 0 is "catch all") takes
// the exception. The answer is the exception, and in a second result, tempret, the type.
func cxaFindMatchingCatch(ctx context.Context, m *Machine, args []uint64) uint64 {
	thrown := m.exceptions.last
	if thrown == 0 {
		m.mustCall(ctx, "__emscripten_tempret_set", 0)
		return 0
	}
	adjusted := field(thrown, exceptionAdjusted)
	m.writeUint32(adjusted, thrown)
	kind := m.readUint32(field(thrown, exceptionType))
	found := kind
	for _, arg := range args {
		clause := uint32(arg)
		if kind == 0 || clause == 0 || clause == kind {
			break
		}
		if m.mustCall(ctx, "___cxa_can_catch", clause, kind, adjusted) != 0 {
			found = clause
			break
		}
	}
	m.mustCall(ctx, "__emscripten_tempret_set", found)
	return uint64(thrown)
}

func (m *Machine) popCaught() uint32 {
	n := len(m.exceptions.caught)
	if n == 0 {
		panic(&fault{errNoException})
	}
	exception := m.exceptions.caught[n-1]
	m.exceptions.caught = m.exceptions.caught[:n-1]
	return exception
}
