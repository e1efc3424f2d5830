package emscripten

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
)

// A hostFunc is a function that a program imports. Its arguments are clean (see [clean]); what it
// returns counts only if the import has a result.
type hostFunc func(ctx context.Context, m *Machine, args []uint64) uint64

// hostFuncs is the world that a program sees, by emscripten's names: C++ exceptions, memory, and
// otherwise nothing at all. There is no clock, no chance, no environment and no file, so that what comes
// out follows from what went in. What is missing here was never called; it ends the call if it ever is.
var hostFuncs = map[string]hostFunc{
	"___cxa_throw":               cxaThrow,
	"___cxa_rethrow":             cxaRethrow,
	"___resumeException":         resumeException,
	"___cxa_begin_catch":         cxaBeginCatch,
	"___cxa_end_catch":           cxaEndCatch,
	"___cxa_uncaught_exceptions": cxaUncaughtExceptions,
	"_llvm_eh_typeid_for":        func(_ context.Context, _ *Machine, args []uint64) uint64 { return args[0] },

	"_emscripten_get_heap_max":   func(_ context.Context, m *Machine, _ []uint64) uint64 { return m.of.options.Memory },
	"_emscripten_resize_heap":    resizeHeap,
	"__abort_js":                 abort,
	"_fd_write":                  write,
	"__emscripten_log_formatted": log,

	"___syscall_openat":         noFile,
	"_environ_sizes_get":        noEnvironment,
	"_environ_get":              nothing,
	"_emscripten_date_now":      nothing,
	"_clock_time_get":           clock,
	"__tzset_js":                nothing,
	"__localtime_js":            epoch,
	"__gmtime_js":               epoch,
	"_random_get":               zeros,
	"_emscripten_asm_const_int": inlineJavaScript,
}

func resizeHeap(_ context.Context, m *Machine, args []uint64) uint64 {
	const page = 1 << 16
	memory, want, most := m.program.Memory(), args[0], m.of.options.Memory
	have := uint64(memory.Size())
	if want > most {
		return 0
	}
	// A fifth more than it has, so that growing byte by byte does not copy the memory each time.
	want = min(max(want, have+have/5), most)
	if _, ok := memory.Grow(uint32((want - have + page - 1) / page)); !ok {
		return 0
	}
	return 1
}

func nothing(context.Context, *Machine, []uint64) uint64 { return 0 }

// noFile says, in the numbers of WASI, that there is no such file.
func noFile(context.Context, *Machine, []uint64) uint64 {
	const noEntry = 44
	return 1<<32 - noEntry // as a negative i32
}

// noEnvironment says that there are 0 variables in 0 bytes.
func noEnvironment(_ context.Context, m *Machine, args []uint64) uint64 {
	m.writeUint32(uint32(args[0]), 0)
	m.writeUint32(uint32(args[1]), 0)
	return 0
}

// clock gives the nanoseconds since the epoch.
func clock(_ context.Context, m *Machine, args []uint64) uint64 {
	m.writeUint32(uint32(args[2]), 0)
	m.writeUint32(uint32(args[2])+4, 0)
	return 0
}

// epoch is what the time of day is: Thursday, 1 January 1970, 0:00.
func epoch(_ context.Context, m *Machine, args []uint64) uint64 {
	for i, field := range []uint32{0, 0, 0, 1, 0, 70, 4, 0, 0, 0} { // C's struct tm
		m.writeUint32(uint32(args[1])+4*uint32(i), field)
	}
	return 0
}

// zeros is what random numbers are.
func zeros(_ context.Context, m *Machine, args []uint64) uint64 {
	clear(m.bytes(uint32(args[0]), uint32(args[1])))
	return 0
}

// inlineJavaScript stands for the snippets of JavaScript in a program's libraries. Those without
// arguments are a crypto library's random numbers; the only other one throws the string it is given.
func inlineJavaScript(_ context.Context, m *Machine, args []uint64) uint64 {
	if kinds := uint32(args[1]); m.readByte(kinds) == 0 {
		return 0
	}
	thrown, err := m.ReadString(m.readUint32(uint32(args[2])))
	if err != nil {
		panic(&fault{err})
	}
	panic(&fault{errors.New(thrown)})
}

var errAbort = errors.New("it gave up by itself")

func abort(context.Context, *Machine, []uint64) uint64 { panic(&fault{errAbort}) }

// write prints to any file descriptor.
func write(_ context.Context, m *Machine, args []uint64) uint64 {
	vector, count, written := uint32(args[1]), uint32(args[2]), uint32(0)
	for i := range count {
		at, size := m.readUint32(vector+8*i), m.readUint32(vector+8*i+4)
		m.print(m.bytes(at, size))
		written += size
	}
	m.writeUint32(uint32(args[3]), written)
	return 0
}

func log(_ context.Context, m *Machine, args []uint64) uint64 {
	line, err := m.ReadString(uint32(args[1]))
	if err != nil {
		panic(&fault{err})
	}
	m.print([]byte(line + "\n"))
	return 0
}

// callback hands the program's question to whoever made the machine.
func callback(ctx context.Context, m *Machine, args []uint64) uint64 {
	if m.callback == nil {
		panic(&fault{errNoCallback})
	}
	if err := m.callback(ctx, m, [callbackArgs]uint32{uint32(args[0]), uint32(args[1]), uint32(args[2]), uint32(args[3]), uint32(args[4])}); err != nil {
		pass(err)
	}
	return 0
}

var errNoCallback = errors.New("it calls back, and nobody listens")

// hostModule makes the module that the program's imports are taken from, for one machine.
func (p *Program) hostModule(ctx context.Context, m *Machine) (wazero.CompiledModule, error) {
	builder := p.runtime.NewHostModuleBuilder(hostModule)
	export := func(name string, f hostFunc, params, results []api.ValueType) {
		builder.NewFunctionBuilder().WithGoFunction(clean(m, f, params, results), params, results).Export(name)
	}
	for _, def := range p.code.ImportedFunctions() {
		_, minified, _ := def.Import()
		name := p.names.imports[minified]
		f, ok := hostFuncs[name]
		switch {
		case ok:
		case strings.HasPrefix(name, "invoke_"):
			f = m.invoke(signature{name, def.ParamTypes(), def.ResultTypes()})
		case strings.HasPrefix(name, "___cxa_find_matching_catch_"):
			f = cxaFindMatchingCatch
		default:
			f = func(context.Context, *Machine, []uint64) uint64 {
				panic(&fault{fmt.Errorf("it calls %s, which this driver does not have", name)})
			}
		}
		export(minified, f, def.ParamTypes(), def.ResultTypes())
	}
	const i32 = api.ValueTypeI32
	export(callbackName, callback, slices.Repeat([]api.ValueType{i32}, callbackArgs), nil)
	return builder.Compile(ctx)
}

// clean makes wazero's form of a host function. wazero passes an i32 in a uint64 and leaves garbage in
// its upper half, in both directions: unmasked it confuses exception types, and garbage in a result can
// crash the process. So both are masked here, once for all functions.
func clean(m *Machine, f hostFunc, params, results []api.ValueType) api.GoFunc {
	masks := make([]uint64, len(params))
	for i, kind := range params {
		masks[i] = mask(kind)
	}
	return func(ctx context.Context, stack []uint64) {
		args := stack[:len(params)]
		for i := range args {
			args[i] &= masks[i]
		}
		result := f(ctx, m, args)
		if len(results) > 0 {
			stack[0] = result & mask(results[0])
		}
	}
}

func mask(kind api.ValueType) uint64 {
	if kind == api.ValueTypeI32 || kind == api.ValueTypeF32 {
		return math.MaxUint32
	}
	return math.MaxUint64
}
