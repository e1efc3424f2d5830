package emscripten

import (
	"bytes"
	"context"
	"errors"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
	"github.com/tetratelabs/wazero/experimental"
)

// A Callback answers a question of the program: what the five numbers mean is between the two. An error
// ends the call from outside.
type Callback func(ctx context.Context, m *Machine, args [callbackArgs]uint32) error

const callbackArgs = 5

// A Machine is one instance of a program, with its own memory. One goroutine at a time may use it. After
// an error it is of no use any more: a failed assertion leaves the C++ side in the middle of things.
type Machine struct {
	of       *Program
	callback Callback

	host, program, trampoline api.Module
	calls                     map[string]*calls
	callbackIndex             uint32 // in the program's table
	saved                     api.Memory
	stackEnd                  uint32 // lowest address of the C++ stack
	depth, invokes            int
	exceptions                exceptions
	output                    bytes.Buffer // what it prints; its last words when it fails
}

var (
	errMemory = errors.New("address outside the memory")
	errDepth  = errors.New("its input nests too deeply for its stack")
)

// New makes a machine. The callback may be nil.
func (p *Program) New(ctx context.Context, callback Callback) (*Machine, error) {
	m := &Machine{of: p, callback: callback, calls: make(map[string]*calls)}
	if err := m.start(ctx); err != nil {
		m.Close(ctx)
		return nil, err
	}
	return m, nil
}

func (m *Machine) start(ctx context.Context) error {
	p := m.of
	instantiate := func(code wazero.CompiledModule, from map[string]api.Module) (api.Module, error) {
		ctx := experimental.WithImportResolver(ctx, func(name string) api.Module { return from[name] })
		// No name, as there may be many of them at a time; no start functions, as there is no _start.
		return p.runtime.InstantiateModule(ctx, code, wazero.NewModuleConfig().WithName("").WithStartFunctions())
	}
	host, err := p.hostModule(ctx, m)
	if err != nil {
		return err
	}
	defer host.Close(ctx)
	if m.host, err = instantiate(host, nil); err != nil {
		return err
	}
	if m.program, err = instantiate(p.code, map[string]api.Module{p.importModule: m.host}); err != nil {
		return err
	}
	from := map[string]api.Module{programModule: m.program, hostModule: m.host}
	if m.trampoline, err = instantiate(p.trampoline, from); err != nil {
		return err
	}
	m.saved = m.trampoline.ExportedMemory(savedExport)
	index, err := m.trampoline.ExportedFunction(installExport).Call(ctx)
	if err != nil {
		return err
	}
	m.callbackIndex = uint32(index[0])
	if err := m.guardStack(ctx); err != nil {
		return err
	}
	_, err = m.callMinified(ctx, p.names.constructor)
	return err
}

// Close frees the memory.
func (m *Machine) Close(ctx context.Context) {
	for _, module := range []api.Module{m.trampoline, m.program, m.host} {
		if module != nil {
			module.Close(ctx)
		}
	}
}

// CallbackIndex is what stands for the callback as a C function pointer.
func (m *Machine) CallbackIndex() uint32 { return m.callbackIndex }

// The stack lies right above the program's data, with nothing between. A compiler's input that nests a few
// hundred times is enough to overwrite that data, and then to go round in circles or to give out wrong
// results. So invoke looks at the stack pointer, and at the end of a call the last stretch of the stack,
// which the guard fills, must still be untouched.
const (
	guardSize = 1 << 10
	guardByte = 0xa5
)

func (m *Machine) guardStack(ctx context.Context) error {
	top, err := m.call(ctx, "_emscripten_stack_get_current")
	if err != nil {
		return err
	}
	m.stackEnd = top - m.of.options.Stack
	if !m.program.Memory().Write(m.stackEnd, bytes.Repeat([]byte{guardByte}, guardSize)) {
		return errMemory
	}
	return nil
}

func (m *Machine) stackUntouched() bool {
	guard, ok := m.program.Memory().Read(m.stackEnd, guardSize)
	return ok && bytes.Count(guard, []byte{guardByte}) == guardSize
}

// StackEnd is the lowest address of the stack.
func (m *Machine) StackEnd() uint32 { return m.stackEnd }

func (m *Machine) readByte(at uint32) byte {
	value, ok := m.program.Memory().ReadByte(at)
	m.check(ok)
	return value
}

func (m *Machine) writeByte(at uint32, value byte) {
	m.check(m.program.Memory().WriteByte(at, value))
}

func (m *Machine) readUint32(at uint32) uint32 {
	value, ok := m.program.Memory().ReadUint32Le(at)
	m.check(ok)
	return value
}

func (m *Machine) writeUint32(at, value uint32) {
	m.check(m.program.Memory().WriteUint32Le(at, value))
}

// WriteUint32 stores a number, or an address, in the program's memory.
func (m *Machine) WriteUint32(at, value uint32) error {
	if !m.program.Memory().WriteUint32Le(at, value) {
		return errMemory
	}
	return nil
}

// bytes is a view of the memory, good until the program runs on.
func (m *Machine) bytes(at, size uint32) []byte {
	view, ok := m.program.Memory().Read(at, size)
	m.check(ok)
	return view
}

func (m *Machine) check(ok bool) {
	if !ok {
		panic(&fault{errMemory})
	}
}

// ReadString copies a C string out of the program's memory.
func (m *Machine) ReadString(at uint32) (string, error) {
	memory := m.program.Memory()
	view, ok := memory.Read(at, memory.Size()-min(at, memory.Size()))
	end := bytes.IndexByte(view, 0)
	if !ok || end < 0 {
		return "", errMemory
	}
	return string(view[:end]), nil
}

// NewString puts a C string into the program's memory, to be freed by [Machine.Free] or with the machine.
func (m *Machine) NewString(ctx context.Context, s string) (uint32, error) {
	at, err := m.call(ctx, "_malloc", uint32(len(s)+1))
	if err != nil {
		return 0, err
	}
	if !m.program.Memory().WriteString(at, s+"\x00") {
		return 0, errMemory
	}
	return at, nil
}

// Free gives back memory that the program allocated.
func (m *Machine) Free(ctx context.Context, at uint32) error {
	_, err := m.call(ctx, "_free", at)
	return err
}

func (m *Machine) print(text []byte) {
	const maxOutput = 64 << 10
	m.output.Write(text[:min(len(text), maxOutput-m.output.Len())])
}

// LastWords is what the program printed last, on a new line, to explain a failure; nothing if it printed
// nothing.
func (m *Machine) LastWords() string {
	if words := lastLines(m.output.Bytes(), 5); words != "" {
		return "\n" + words
	}
	return ""
}
